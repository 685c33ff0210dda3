"""A composed config as plain containers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from runner.config.checking.resolution import resolved
from runner.config.checking.validation import UNRESOLVED

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text("abc ", max_size=5))
NODES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", min_size=1), NODES, max_size=4))
def test_what_refers_to_nothing_is_left_as_it_is(plain):
    assert resolved(OmegaConf.create(plain)) == (plain, [])


def test_every_reference_that_leads_nowhere_is_told():
    config = OmegaConf.create(
        {"seed": 3, "a": {"b": ["${seed}", "${sede}"]}, "c": "x-${nowhere.at_all}", "d": "???"}
    )
    plain, problems = resolved(config)
    assert plain == {"seed": 3, "a": {"b": [3, UNRESOLVED]}, "c": UNRESOLVED, "d": "???"}
    assert [(each.key, each.said) for each in problems] == [
        ("a.b.1", "${sede} refers to nothing"),
        ("c", "${nowhere.at_all} refers to nothing"),
    ]
    assert problems[0].remedy == "did you mean 'seed'?"


def test_a_section_that_refers_to_another_is_resolved():
    plain, problems = resolved(
        OmegaConf.create({"a": {"x": 1, "y": "${seed}"}, "b": "${a}", "seed": 2})
    )
    assert plain["b"] == {"x": 1, "y": 2}
    assert problems == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${oc.env:RUNNER_NOT_THERE}", "the environment has no variable RUNNER_NOT_THERE"),
        ("${nothing:1}", "there is no resolver 'nothing'"),
        ("${a}", "refers back to itself"),
        ("${oc.decode:'[1'}", "resolved"),
    ],
)
def test_a_resolver_that_fails_is_told(text, said):
    plain, (problem,) = resolved(OmegaConf.create({"a": text}))
    assert plain == {"a": UNRESOLVED}
    assert problem.key == "a"
    assert said in problem.said
    assert "\n" not in problem.said
