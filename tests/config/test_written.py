"""Values in the words of YAML."""

import yaml
from hypothesis import given
from hypothesis import strategies as st
from omegaconf._utils import get_yaml_loader

from runner.config.written import unquoted, written

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=3)
NODES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1), inner),
    max_leaves=6,
)


@given(NODES)
def test_what_is_told_reads_as_the_value(value):
    told = written(value)
    if not told.endswith(" ..."):
        assert yaml.load(told, Loader=get_yaml_loader()) == value  # noqa: S506


def test_a_long_value_is_cut():
    assert len(written([0] * 1000)) == 204


def test_what_a_text_is_without_quotes():
    assert [unquoted(text) for text in ("true", "3", "1e-3", "a", "[1")] == [
        *(True, 3, 0.001, "a"),
        "[1",
    ]
