"""A text of YAML is read within budgets, however it is written."""

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.config.reading.nodes import MOST_DEPTH, Nodes
from runner.errors import InvalidConfigError

NINE = ",".join(["{}"] * 9)
LAUGHS = "".join(f"a{i}: &a{i} [{NINE.replace('{}', f'*a{i - 1}')}]\n" for i in range(1, 9))
MERGES = "".join(
    f"a{i}: &a{i} {{<<: [{NINE.replace('{}', f'*a{i - 1}')}]}}\n" for i in range(1, 9)
)
BOMBS = {
    "aliases of aliases": ("a0: &a0 [x]\n" + LAUGHS, "aliases written out"),
    "merges of merges": ("a0: &a0 {k: v}\n" + MERGES, "aliases written out"),
    "many aliases": ("a: &a x\nb: [" + "*a," * 101 + "]\n", "at most 100 aliases"),
    "itself": ("a: &a [*a]", "must not hold itself"),
    "itself as a key of itself": ("a: &a {b: {c: *a}}", "must not hold itself"),
    "brackets": ("a: " + "[" * 900_000, f"at most {MOST_DEPTH} levels"),
    "dashes": ("- " * 400_000, f"at most {MOST_DEPTH} levels"),
    "deep by an alias": (
        f"a: &a {'[' * 30}{']' * 30}\nb: {'[' * 30}*a{']' * 30}\n",
        f"at most {MOST_DEPTH} levels",
    ),
    "many values": ("a: [" + "1," * 400_000 + "]", "at most 10,000 values"),
    "a long value": ("a: " + "x" * 200_000, "at most 100,000 characters"),
    "a long number": ("a: 1" + ":1" * 40_000, "at most 100 characters in a number"),
    "many references": ("a: '" + "${" * 10_000 + "'", "at most 20 references"),
    "a python tag": ("a: !!python/object/apply:os.system [x]", "no tag but YAML's own"),
    "another tag": ("a: !foo 1", "no tag but YAML's own; got !foo"),
    "a set": ("a: !!set {b, c}", "no tag but YAML's own; got !!set"),
    "a key twice": ("a: 1\nb: 2\na: 3\n", "a: is written twice, first in line 1"),
    "a list as a key": ("? [a]\n: b\n", "must be a word as a key; got a list"),
}


def read(text, path="x.yaml"):
    nodes = Nodes(text, path)
    root = nodes.get_single_node()
    if nodes.problems:
        raise InvalidConfigError(nodes.problems)
    return root


@pytest.mark.parametrize("kind", BOMBS)
def test_what_no_config_needs_is_refused_at_once(kind):
    text, told = BOMBS[kind]
    begun = time.process_time()
    with pytest.raises(InvalidConfigError) as caught:
        read(text)
    assert told in str(caught.value)
    assert str(caught.value).startswith("x.yaml:")
    assert time.process_time() - begun < 5


def test_aliases_and_merges_that_stay_small_are_read():
    root = read("a: &a {b: 1e-4, c: [1, 2]}\nd: {<<: *a, b: !!str 3}\ne: *a\n")
    assert [key.value for key, _ in root.value] == ["a", "d", "e"]


def test_numbers_are_what_omegaconf_takes_for_them():
    values = [value.tag for _, value in read("a: 1e-4\nb: 2024-01-01\nc: no\n").value]
    assert values == [f"tag:yaml.org,2002:{kind}" for kind in ("float", "str", "bool")]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text("abc ${}:#-", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_every_plain_value_that_yaml_writes_is_read(value):
    text = yaml.safe_dump({"a": value})
    assert read(text).value[0][0].value == "a"
