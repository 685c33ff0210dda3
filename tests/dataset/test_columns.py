import pyarrow as pa
import pytest

from runner.dataset.columns import choose, common_type, is_number, is_text
from runner.errors import ConfigError, DatasetError

NAMES = ["a", "b", "y", "w"]


def chosen(names=NAMES, **asked):
    return choose(names, **({"target": "y", "features": None, "sample_weight": None} | asked))


def test_the_features_are_all_that_is_left_in_order():
    columns = chosen(sample_weight="w")
    assert columns.features == ("a", "b")
    assert columns.names == ("a", "b", "y", "w")


def test_ignored_columns_are_features_only_by_name():
    assert chosen(ignored={"a", "w"}).features == ("b",)
    assert chosen(ignored={"a", "w"}, features=["w", "a"]).features == ("w", "a")


def test_the_features_come_in_the_order_asked_for():
    assert chosen(features=["b", "a"]).features == ("b", "a")
    assert chosen(features="b").features == ("b",)


def test_a_list_of_targets_is_two_dimensional_even_of_one():
    assert chosen(target=["y"]).target == ("y",)
    assert chosen(target=["y", "w"]).targets == ("y", "w")
    assert chosen(target=None).labels == ()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"target": "yy"},
            "dataset.target must name columns of the files; got 'yy'. Did you mean 'y'?",
        ),
        (
            {"features": ["a", "zzz"]},
            "dataset.features must name columns of the files; got 'zzz'.",
        ),
        ({"sample_weight": "v"}, "dataset.sample_weight must name columns of the files; got 'v'."),
        (
            {"features": ["a", "y"]},
            "Each column must be there once, as a feature, a target or the weight; got 'y' twice.",
        ),
        ({"features": ["a", "a"]}, "got 'a' twice."),
        ({"names": ["a", "a", "y"], "features": ["a"]}, "got 'a' twice."),
        (
            {"names": ["y"]},
            "The dataset must have at least one feature; got only the columns y. Name other "
            "columns in dataset.target and dataset.features.",
        ),
    ],
)
def test_columns_that_cannot_be_are_refused(asked, message):
    with pytest.raises(DatasetError) as error:
        chosen(**asked)
    assert message in str(error.value)


@pytest.mark.parametrize("key", ["target", "features", "sample_weight"])
@pytest.mark.parametrize("value", [1, [1, "a"], True])
def test_a_name_that_is_not_text_is_refused(key, value):
    with pytest.raises(ConfigError, match=rf"dataset\.{key} must be the name of a column"):
        chosen(**{key: value})


@pytest.mark.parametrize(
    ("kinds", "common"),
    [
        ([pa.float32()], pa.float32()),
        ([pa.float32(), pa.float64()], pa.float64()),
        ([pa.int8(), pa.int64()], pa.int64()),
        ([pa.int64(), pa.float64()], pa.float64()),
        ([pa.null(), pa.int32()], pa.int32()),
        ([pa.string(), pa.large_string(), pa.string_view()], pa.string()),
        ([pa.dictionary(pa.int8(), pa.string()), pa.string()], pa.string()),
        ([pa.dictionary(pa.int8(), pa.int16())], pa.int16()),
    ],
)
def test_types_that_fit_together_have_a_common_one(kinds, common):
    assert common_type("c", {f"{i}.pq": kind for i, kind in enumerate(kinds)}) == common


def test_types_that_do_not_fit_are_told_with_their_files():
    with pytest.raises(DatasetError) as error:
        common_type("c", {"1.pq": pa.int64(), "2.pq": pa.int64(), "3.pq": pa.string()})
    assert str(error.value) == (
        "The column 'c' must have types that fit together in all files; got int64 in 1.pq and "
        "string in 3.pq. Write the files again with one type, or leave some out of dataset.path."
    )


def test_kinds_are_told_apart():
    assert is_number(pa.decimal128(5, 2))
    assert is_number(pa.bool_())
    assert not is_number(pa.date32())
    assert is_text(pa.string_view())
    assert not is_text(pa.binary())
