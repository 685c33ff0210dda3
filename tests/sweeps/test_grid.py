"""What the members of a sweep set, and their names."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.config.sweep import Sweep
from runner.sweeps.grid import differing, distinct, expand, names


def test_members_are_runs_times_zip_times_grid_the_last_key_varying_fastest():
    sweep = Sweep(
        grid={"a": [1, 2], "b": [3, 4]},
        zip={"c": [5, 6], "d": [7, 8]},
        runs=({"e": 9}, {"f": 10}),
    )
    expected = [
        {**run, "c": c, "d": d, "a": a, "b": b}
        for run in ({"e": 9}, {"f": 10})
        for c, d in ((5, 7), (6, 8))
        for a in (1, 2)
        for b in (3, 4)
    ]
    assert expand(sweep) == expected
    assert [list(member) for member in expand(sweep)] == [list(member) for member in expected]


def test_an_empty_sweep_has_one_member_that_sets_nothing():
    assert expand(Sweep()) == [{}]
    assert expand(Sweep(runs=({}, {"seed": 1}))) == [{}, {"seed": 1}]


def test_of_equal_members_the_first_is_kept_where_it_stands():
    assert expand(Sweep(grid={"a": [1, 2, 1, 3, 2]})) == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert expand(Sweep(zip={"a": [1, 1, 1], "b": [2, 3, 2]})) == [
        {"a": 1, "b": 2},
        {"a": 1, "b": 3},
    ]
    assert expand(Sweep(runs=({}, {"a": 1}, {}))) == [{}, {"a": 1}]


def test_values_that_compare_equal_but_are_not_the_same_are_both_kept():
    values = [1, True, 1.0, "1", None, "null", [1], [True], {"a": 1}]
    assert [member["a"] for member in expand(Sweep(grid={"a": values}))] == values
    assert len(expand(Sweep(grid={"a": [math.nan, float("nan")]}))) == 1


axes = st.dictionaries(st.sampled_from("abc"), st.lists(st.integers(0, 3), min_size=1), max_size=3)


@given(axes)
def test_a_grid_holds_every_combination_once_in_order(grid):
    found = [tuple(member.values()) for member in expand(Sweep(grid=grid))]
    every = product(*grid.values())
    assert found == list(dict.fromkeys(every))
    assert len(distinct([dict(enumerate(values)) for values in found])) == len(found)


def test_only_what_differs_is_told():
    members = [
        {"estimator.alpha": 0.001, "dataset.chunks": 50, "seed": 1},
        {"estimator.alpha": 0.0001, "dataset.chunks": 50, "seed": 1, "strict": True},
    ]
    assert differing(members) == ["estimator.alpha", "strict"]
    assert names(members) == ["0: alpha=0.001", "1: alpha=0.0001, strict=true"]


def test_of_one_member_everything_is_told():
    assert names([{"estimator.alpha": 0.1, "seed": 1}]) == ["0: alpha=0.1, seed=1"]
    assert names([{}]) == ["0"]
    assert names([]) == []


def test_a_member_that_sets_nothing_has_its_number_alone():
    assert names([{}, {"seed": 1}]) == ["0", "1: seed=1"]


def test_an_ambiguous_word_is_told_with_the_words_before_it():
    members = [
        {"estimator.alpha": i, "stage.inner.alpha": i, "other.inner.alpha": i, "estimator.l1": i}
        for i in range(2)
    ]
    assert (
        names(members)[1] == "1: estimator.alpha=1, stage.inner.alpha=1, other.inner.alpha=1, l1=1"
    )
    root = [{"alpha": i, "estimator.alpha": i} for i in range(2)]
    assert names(root)[1] == "1: alpha=1, estimator.alpha=1"


def test_a_word_that_is_ambiguous_only_with_what_does_not_differ_is_short():
    members = [{"a.alpha": i, "b.alpha": 0} for i in range(2)]
    assert names(members) == ["0: alpha=0", "1: alpha=1"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("gaussian_nb", "gaussian_nb"),
        (None, "null"),
        (False, "false"),
        (1e-05, "1e-05"),
        ([0, None, ["a", True]], "[0, null, [a, true]]"),
        ({"a": None, 0: [1]}, "{a: null, 0: [1]}"),
        ("two\n words", "two words"),
    ],
)
def test_a_value_is_told_as_yaml_has_it(value, told):
    assert names([{"estimator": value}, {"estimator": "x"}])[0] == f"0: estimator={told}"


def test_a_sign_before_a_key_is_not_told():
    assert names([{"+estimator.eta0": 1}, {"+estimator.eta0": 2}])[1] == "1: eta0=2"


def test_a_long_name_is_cut_visibly():
    members = [{"dataset.path": f"{i}" + "x" * 200} for i in range(2)]
    assert [len(name) for name in names(members)] == [120, 120]
    assert names(members)[1].startswith("1: path=1xxx")
    assert names(members)[1].endswith("x…")
    exact = [{"a": str(i) + "x" * 114} for i in range(2)]
    assert [(len(name), name[-1]) for name in names(exact)] == [(120, "x")] * 2


@given(st.lists(st.dictionaries(st.sampled_from(["a.x", "b.x", "x", "b.y"]), st.integers(0, 2))))
def test_names_are_distinct_and_labels_unambiguous(members):
    assert len(set(names(members))) == len(members)
    for name, member in zip(names(members), members, strict=True):
        labels = [part.partition("=")[0] for part in name.partition(": ")[2].split(", ") if part]
        told = [key for key in differing(members) if key in member]
        assert len(labels) == len(told)
        matched = {key for label in labels for key in told if f".{key}".endswith(f".{label}")}
        assert matched == set(told)
