"""Which labels there are, and how often."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from runner.base import Block, Place
from runner.errors import ConfigError, FitError
from runner.fit.labels import LabelWeights, count_labels, remark_on

NUMBERS = st.lists(st.lists(st.integers(-3, 9), max_size=20), min_size=1, max_size=6)
WORDS = st.lists(st.lists(st.text(max_size=3), max_size=20), min_size=1, max_size=6)


def blocks_of(*arrays):
    start = 0
    for number, y in enumerate(arrays):
        yield Block(y, None, None, Place(number, start, start + len(y)))
        start += len(y)


def count(*arrays, max_classes=1000):
    return count_labels(blocks_of(*arrays), max_classes)


@settings(deadline=None, max_examples=100)
@given(NUMBERS | WORDS)
def test_the_counts_are_those_of_all_rows_together(drawn):
    dtype = np.str_ if any(isinstance(label, str) for rows in drawn for label in rows) else int
    arrays = [np.array(rows, dtype) for rows in drawn]
    labels = count(*arrays)
    classes, counts = np.unique(np.concatenate(arrays), return_counts=True)
    assert labels.argument.tolist() == classes.tolist()
    assert labels.counts[0].tolist() == counts.tolist()
    if len(classes):
        assert labels.argument.dtype == classes.dtype
    assert labels.as_mappings() == [dict(zip(classes.tolist(), counts.tolist(), strict=True))]


@settings(deadline=None, max_examples=50)
@given(NUMBERS.filter(any))
def test_balanced_weights_are_those_of_scikit_learn_to_the_bit(drawn):
    y = np.concatenate([np.array(rows, int) for rows in drawn])
    labels = count(*(np.array(rows, int) for rows in drawn))
    expected = compute_class_weight("balanced", classes=labels.argument, y=y)
    weights = labels.balanced()
    assert list(weights) == labels.argument.tolist()
    assert np.array(list(weights.values())).tobytes() == expected.tobytes()
    of_rows = LabelWeights(weights)(y, None)
    assert of_rows.tobytes() == compute_sample_weight("balanced", y).tobytes()


@pytest.mark.parametrize(
    "y",
    [
        np.array([2, 0, 2]),
        np.array([2, 0, 2], np.int8),
        np.array([2, 0, 2], np.uint16),
        np.array([True, False, True]),
        np.array([0.5, 2.0, 0.5]),
        np.array(["no", "yes", "no"]),
    ],
    ids=str,
)
def test_labels_keep_their_type(y):
    labels = count(y, y[:1]).argument
    assert labels.dtype == y.dtype
    assert labels.tobytes() == np.unique(y).tobytes()


@pytest.mark.parametrize(
    ("held", "dtype"),
    [
        (["yes", "no", "no"], np.dtype("<U3")),
        ([2, 0, 2], np.dtype(int)),
        ([True, False], np.dtype(bool)),
    ],
)
def test_python_objects_become_arrays_of_their_type(held, dtype):
    labels = count(np.array(held, object)).argument
    assert labels.dtype == dtype
    assert labels.tolist() == sorted(set(held))


def test_text_of_several_widths_is_not_cut():
    labels = count(np.array(["a", "b"]), np.array(["abcdef"]), np.array(["a"]))
    assert labels.as_mappings() == [{"a": 2, "abcdef": 1, "b": 1}]
    assert labels.argument.tolist() == ["a", "abcdef", "b"]


def test_each_of_several_targets_has_labels_of_its_own():
    labels = count(np.array([[0, 5], [1, 5]]), np.empty((0, 2), int), np.array([[1, 7]]))
    assert [classes.tolist() for classes in labels.argument] == [[0, 1], [5, 7]]
    assert labels.as_mappings() == [{0: 1, 1: 2}, {5: 2, 7: 1}]


def test_a_single_column_of_two_dimensions_is_a_list_of_one_target():
    (classes,) = count(np.array([[1], [0]])).argument
    assert classes.tolist() == [0, 1]


def test_empty_blocks_have_no_labels():
    assert count(np.empty(0)).as_mappings() == [{}]
    assert count().as_mappings() == []


@pytest.mark.parametrize(
    ("first", "second", "got"),
    [
        (
            np.array([0, 1]),
            np.array(["a", "b"]),
            "'a' (text) in row 2 after numbers in other blocks",
        ),
        (np.array(["a"]), np.array([True]), "True (booleans) in row 1 after text in other blocks"),
        (
            np.array([True]),
            np.array([0, 1]),
            "0 (numbers) in row 1 after booleans in other blocks",
        ),
        (np.array([0]), np.array([1, "a"], object), "'a' (text) in row 2 after numbers"),
        (np.array([0]), np.array([1, True], object), "True (booleans) in row 2 after numbers"),
        (np.array([]), np.array([b"a", b"b"]), "b'a' (bytes) in row 0"),
        (
            np.array([]),
            np.array(["2024-01-01"], "datetime64[D]"),
            "datetime.date(2024, 1, 1) (date)",
        ),
    ],
)
def test_labels_of_several_types_are_refused_at_their_block(first, second, got):
    with pytest.raises(FitError) as caught:
        count(first, second)
    place = Place(1, len(first), len(first) + len(second))
    assert str(caught.value).startswith(
        f"{place.subject} must hold labels of one type, the same as in all blocks: numbers, text "
        f"or booleans; got {got}"
    )


@pytest.mark.parametrize(
    ("y", "got"),
    [
        (np.array([0.0, np.nan, np.nan]), "nan in row 3"),
        (np.array(["a", None], object), "None in row 3"),
        (np.array([1, np.nan, "a"], object), "nan in row 3"),
        (np.array([1.0, np.nan], object), "nan in row 3"),
    ],
)
def test_a_missing_label_is_refused_at_its_row(y, got):
    with pytest.raises(FitError) as caught:
        count(y[:1].repeat(2), y)
    assert str(caught.value) == (
        f"Block 1 (rows 2 to {len(y) + 1}) must hold a label in each row; got {got}. Remove or "
        "fill in these rows at the source."
    )


def test_what_pandas_calls_missing_is_missing():
    import pandas as pd

    for label in (pd.NA, pd.NaT):
        with pytest.raises(FitError, match=r"hold a label in each row; got (<NA>|NaT) in"):
            count(np.array(["a", label], object))


def test_a_missing_label_of_a_second_target_is_found():
    with pytest.raises(FitError, match="hold a label in each row; got nan in row 1"):
        count(np.array([[0.0, 0.0], [0.0, np.nan]]))


def test_a_quantity_is_not_taken_for_labels_and_the_pass_ends_there():
    read = []

    def blocks():
        for block in blocks_of(np.arange(3), np.arange(3, 6), np.arange(6, 9)):
            read.append(block.place.number)
            yield block

    with pytest.raises(ConfigError) as caught:
        count_labels(blocks(), max_classes=5)
    assert str(caught.value) == (
        "The labels that are counted must be at most 5; got 6 or more. Raise fit.max_classes, or "
        "choose a regressor if y is a quantity."
    )
    assert read == [0, 1]
    assert len(count(np.arange(5), max_classes=5).argument) == 5


def test_labels_without_a_weight_weigh_one_and_weights_are_always_floats():
    weights = LabelWeights({0: 3, 1: 5})
    assert weights(np.array([0, 1, 1]), None).dtype == np.float64
    assert weights(np.array([2, 0]), None).tolist() == [1.0, 3.0]
    assert LabelWeights({"a": 2})(np.array(["b", "a"]), None).tolist() == [1.0, 2.0]
    assert weights(np.array([], int), None).tolist() == []


def test_weights_of_labels_are_multiplied_with_those_of_rows():
    given = np.array([2.0, 0.0, 0.5], np.float32)
    assert LabelWeights({1: 3.0})(np.array([1, 1, 0]), given).tolist() == [6.0, 0.0, 0.5]


def test_a_target_of_hardly_more_rows_than_labels_is_told():
    assert remark_on(count(np.arange(300), np.arange(200))).text.startswith(
        "y has 300 labels in 500 rows, too few of each to learn. Name another target"
    )
    assert remark_on(count(*[np.arange(100)] * 3)) is None
    assert remark_on(count(np.array(["a"] * 9 + ["b"]))) is None


def test_the_column_of_several_that_has_too_few_rows_for_each_label_is_named():
    y = np.column_stack([np.arange(60) % 2, np.arange(60)])
    assert remark_on(count(y)).text.startswith("Column 1 of y has 60 labels in 60 rows")
    assert remark_on(count(y % 2)) is None
