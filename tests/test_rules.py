import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import yaml
from hydra.utils import get_class
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import SGDClassifier

import runner
from runner.dataset.dataset import Dataset
from runner.errors import ConfigError
from runner.experiment import Experiment
from runner.project import builtin
from runner.rules import (
    Rule,
    anything,
    boolean,
    check,
    check_parameters,
    integer,
    list_of,
    mapping,
    null,
    number,
    one_of,
    positive,
    rules_of,
    share,
    text,
)

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("rule", "allowed", "refused"),
    [
        (integer(1), [1, 10**12, np.int64(3)], [0, -1, 1.0, "1", True, None, [1]]),
        (number(), [0, -1.5, 10**12, np.float32(2)], [NAN, INF, "1", True, None, [1.0]]),
        (number(least=0), [0, 1.5], [-1e-9, NAN, INF]),
        (number(least=0, most=1), [0, 0.5, 1], [-0.1, 1.1, NAN]),
        (positive(), [1e-9, 3], [0, -1, NAN, INF, True]),
        (share(), [0, 0.5], [1, 1.0, -0.1, NAN, False]),
        (boolean(), [True, False, np.True_], [0, 1, "true", None]),
        (null(), [None], [0, "", "null", False]),
        (one_of("float32", "float64"), ["float32"], ["float16", 64, None, np.float32]),
        (text(3), ["a", "abc"], ["", "abcd", None, 3, ["a"]]),
        (list_of(integer(0)), [[1], [0, 2]], [[], [-1], [1, "2"], 1, "12", (1, 2), None]),
        (list_of(integer(0), least=0), [[], [1]], [[-1], None]),
        (mapping(integer(0)), [{}, {"a": 1}, {0: 1}], [{"a": -1}, [], None, "a"]),
        (anything(), [None, 1, "a", [], {}, object()], []),
        (integer(1) | null(), [1, None], [0, False, "1"]),
    ],
)
def test_a_rule_allows_what_its_words_say(rule, allowed, refused):
    assert [value for value in allowed if not rule.holds(value)] == []
    assert [value for value in refused if rule.holds(value)] == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (integer(1), "an integer of at least 1"),
        (number(), "a finite number"),
        (number(0, 1), "a number from 0 to 1"),
        (positive(), "a number above 0"),
        (share(), "a number of at least 0 and below 1"),
        (boolean() | null(), "true or false, or null"),
        (one_of("float32", "float64"), "float32 or float64"),
        (text(), "text of 1 to 1000 characters"),
        (text(None, least=0), "text"),
        (list_of(list_of(number())), "a list, each item a list, each item a finite number"),
        (mapping(boolean()), "a mapping, each value true or false"),
        (anything(), "anything"),
    ],
)
def test_a_rule_says_in_words_what_it_allows(rule, said):
    assert rule.text == said


def is_integer(value):
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value):
    return is_integer(value) or (isinstance(value, float | np.floating) and isfinite(value))


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(-3, 3)
    | st.sampled_from([NAN, INF, -INF, "a", "b", "", "abcd", b"a", 10**400, 1j])
    | st.builds(np.int64, st.integers(-3, 3))
    | st.builds(np.float32, st.floats(-3, 3, width=32))
    | st.builds(np.bool_, st.booleans())
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(), SCALARS, max_size=3)
PREDICATES = {
    "integer": (integer(1), lambda v: is_integer(v) and v >= 1),
    "number": (number(-1, 2), lambda v: is_number(v) and -1 <= v <= 2),
    "finite": (number(), is_number),
    "positive": (positive(), lambda v: is_number(v) and v > 0),
    "share": (share(), lambda v: is_number(v) and 0 <= v < 1),
    "boolean": (boolean(), lambda v: isinstance(v, bool | np.bool_)),
    "null": (null(), lambda v: v is None),
    "one_of": (one_of("a", "b"), lambda v: isinstance(v, str) and v in {"a", "b"}),
    "text": (text(3), lambda v: isinstance(v, str) and 1 <= len(v) <= 3),
    "list_of": (list_of(number()), lambda v: isinstance(v, list) and v and all(map(is_number, v))),
    "mapping": (mapping(null()), lambda v: isinstance(v, dict) and set(v.values()) <= {None}),
    "anything": (anything(), lambda _: True),
    "either": (
        integer(0) | boolean(),
        lambda v: isinstance(v, bool | np.bool_) or (is_integer(v) and v >= 0),
    ),
}


@pytest.mark.parametrize("name", PREDICATES)
@given(value=VALUES)
def test_the_schema_of_a_rule_is_the_plain_condition(name, value):
    rule, condition = PREDICATES[name]
    assert rule.holds(value) == bool(condition(value))
    assert Rule(json.loads(json.dumps(rule.schema))) == rule


def test_rules_that_are_joined_are_one_list_and_equal_ones_share_their_hash():
    joined = integer(1) | null() | boolean()
    assert len(joined.schema["anyOf"]) == 3
    assert joined == integer(1) | (null() | boolean())
    assert hash(joined) == hash(integer(1) | (null() | boolean()))


class Plain:
    def __init__(
        self,
        flag: bool,
        *rest: int,
        count: int,
        rate: float,
        name: str | None,
        way: Literal["up", "down"],
        steps: list[int],
        limits: Mapping[str, float],
        call: Callable[[], int],
        mixed: int | Callable[[], int],
        either: Annotated[int, integer(1)] | None = None,
        meant: int = None,  # noqa: RUF013
        bare=3,
        told: Annotated[int, "rows", integer(2)] = 0,
        **more: int,
    ):
        """Has one parameter of each kind."""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("flag", "true or false"),
        ("count", "an integer"),
        ("rate", "a number"),
        ("name", "text, or null"),
        ("way", "up or down"),
        ("steps", "a list, each item an integer"),
        ("limits", "a mapping, each value a number"),
        ("call", "anything"),
        ("mixed", "anything"),
        ("either", "an integer of at least 1, or null"),
        ("meant", "anything"),
        ("bare", "anything"),
        ("told", "an integer of at least 2"),
    ],
)
def test_a_rule_is_read_from_the_annotation(name, said):
    assert rules_of(Plain)[name].text == said


def test_only_what_can_be_named_has_a_rule():
    assert set(rules_of(Plain)).isdisjoint({"self", "rest", "more"})


@dataclass
class Made:
    n_rows: Annotated[int, integer(1)] = 100
    box: Annotated[list[float], list_of(number())] = field(default_factory=lambda: [-1.0, 1.0])
    rank: Annotated[int | None, integer(1) | null()] = None
    dtype: Annotated[str, one_of("float32", "float64")] = "float64"


@dataclass
class MadeFurther(Made):
    depth: Annotated[int, integer(0)] = 0


@pytest.mark.parametrize("kind", [Made, MadeFurther])
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"n_rows": 0},
            "dataset.n_rows must be an integer of at least 1; got 0. "
            "Correct it, or leave it out for the default, 100.",
        ),
        (
            {"box": []},
            "dataset.box must be a list, each item a finite number; got []. "
            "Correct it, or leave it out for the default, [-1.0, 1.0].",
        ),
        (
            {"rank": "full"},
            "dataset.rank must be an integer of at least 1, or null; got 'full'. "
            "Correct it, or leave it out for the default, null.",
        ),
        (
            {"dtype": "flaot32"},
            "dataset.dtype must be float32 or float64; got 'flaot32'. Did you mean 'float32'?",
        ),
    ],
)
def test_a_broken_rule_names_the_key_and_its_default(kind, settings, said):
    with pytest.raises(ConfigError) as refused:
        check("dataset", kind(**settings))
    assert str(refused.value) == said


def test_a_key_at_the_top_of_the_file_stands_alone():
    with pytest.raises(ConfigError, match=r"^depth must be an integer of at least 0; got 0\.5\."):
        check("", MadeFurther(depth=0.5))


def test_what_keeps_its_rules_passes():
    check("dataset", MadeFurther(rank=3, dtype="float32"))


def test_a_parameter_that_is_kept_under_no_name_of_its_own_is_not_looked_at():
    class Clocked:
        def __init__(
            self, clock: Annotated[Any, null()] = None, every: Annotated[int, integer(0)] = 0
        ):
            self._clock, self.every = clock, every

    check("callbacks", Clocked(clock=len))
    with pytest.raises(ConfigError, match=r"^callbacks\.every must be"):
        check("callbacks", Clocked(every=-1))


def test_a_subclass_with_a_constructor_of_its_own_can_keep_the_rules_of_another():
    class Other(Made):
        def __init__(self, size):
            super().__init__(n_rows=size)

    check("dataset", Other(0))
    with pytest.raises(ConfigError, match=r"^dataset\.n_rows must be"):
        check("dataset", Other(0), Made)


def test_rules_need_no_library_that_is_slow_to_import():
    code = "import sys, runner.rules; print({'numpy', 'sklearn', 'dask'} & {*sys.modules})"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert printed.stdout == b"set()\n"


def targets(node):
    """Yield each class of ours that a config names, with what is written under it."""
    if isinstance(node, dict):
        if str(node.get("_target_")).startswith(("runner.", "hydra_plugins.runner")):
            yield node["_target_"], {k: v for k, v in node.items() if not k.startswith("_")}
        for each in node.values():
            yield from targets(each)


FILES = {
    f"{path.parent.name}/{path.stem}": yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted(
        [*builtin("conf").glob("*/*.yaml"), *builtin("conf").glob("hydra/*/*.yaml")]
    )
}
MAIN = yaml.safe_load((builtin("conf") / "config.yaml").read_text(encoding="utf-8"))
WRITTEN = [(name, *found) for name, node in FILES.items() for found in targets(node)]
KINDS = sorted(
    {
        *(target for _, target, _ in WRITTEN),
        "runner.sweeps.halving.Halving",
        "runner.sweeps.launch.SharedPass",
    }
)


def is_open(value):
    """Whether a value is not known before the file is composed."""
    return isinstance(value, str) and (value == "???" or value.startswith("${"))


@pytest.fixture
def plugins(monkeypatch):
    """Let our plugins be found, as Hydra finds them."""
    monkeypatch.syspath_prepend(Path(runner.__file__).parent / "plugins")


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("target", KINDS)
def test_each_parameter_of_an_option_has_a_rule_that_refuses_what_is_strange(target):
    rules = rules_of(get_class(target))
    free = [name for name, rule in rules.items() if rule.holds(object())]
    assert free == (["made_by"] if target.endswith("AnyCluster") else [])  # another class has it


def test_each_parameter_of_an_experiment_that_is_no_section_has_a_rule():
    free = [name for name, rule in rules_of(Experiment).items() if rule.holds(object())]
    nouns = ["dataset", "estimator", "tracking", "stream", "fit", "evaluation", "cluster"]
    assert free == nouns


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(("file", "target", "written"), WRITTEN, ids=[w[0] for w in WRITTEN])
def test_what_a_shipped_option_says_keeps_the_rules(file, target, written):
    rules = rules_of(get_class(target))
    known = {name: value for name, value in written.items() if not is_open(value)}
    assert {name: v for name, v in known.items() if not rules[name].holds(v)} == {}
    assert set(written) <= set(rules)


def test_what_every_experiment_starts_from_keeps_the_rules():
    rules = rules_of(Dataset)
    assert [
        k for k, v in MAIN["dataset"].items() if not is_open(v) and not rules[k].holds(v)
    ] == []
    rules = rules_of(Experiment)
    assert all(rules[key].holds(MAIN[key]) for key in ("seed", "strict", "preprocessing"))


def test_parameters_that_scikit_learn_refuses_are_refused_with_what_it_says():
    check_parameters("estimator", SGDClassifier(), "Mend it.")
    with pytest.raises(ConfigError) as caught:
        check_parameters("estimator", SGDClassifier(alpha=-1.0), "Mend it.")
    assert str(caught.value) == (
        "estimator must have parameters that SGDClassifier accepts; got The 'alpha' parameter of "
        "SGDClassifier must be a float in the range [0.0, inf). Got -1.0 instead. Mend it."
    )


def test_parameters_of_another_library_are_left_alone():
    check_parameters("estimator", object(), "Mend it.")
