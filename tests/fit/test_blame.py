"""Which block, row, column or label is at fault."""

import numpy as np
import pytest
import scipy.sparse

from runner.base import Block, Place
from runner.errors import FitError
from runner.fit.blame import blame, check_labels

WHOLE = Place(number=1, start=100, stop=103)


def block_of(X, y=None, sample_weight=None, place=WHOLE):
    return Block(X, y, sample_weight, place)


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        ([0, 1], [0, 1, 1]),
        ([0, 1, 2], [0, 0, 0]),
        ([0.0, 1.0], [0, 1, 1]),
        ([False, True], [0, 1, 1]),
        (["a", "b"], ["a", "b", "a"]),
        ([-1, 1], [-1, 1, 1]),
    ],
)
def test_listed_labels_pass(classes, labels):
    check_labels(classes, block_of(np.ones((3, 1)), np.array(labels)))


@pytest.mark.parametrize(
    ("classes", "labels", "strange"),
    [
        ([0, 1], [0, 2, 2], "[2]"),
        ([0, 1], [0.0, 0.5, 1.0], "[0.5]"),
        (["a", "b"], ["a", "c", "d"], "['c', 'd']"),
        (["a"], ["a", "abcdef", "a"], "['abcdef']"),
    ],
)
def test_unlisted_labels_are_told(classes, labels, strange):
    with pytest.raises(FitError) as caught:
        check_labels(classes, block_of(np.ones((3, 1)), np.array(labels)))
    assert f"got {strange}, first in row 101." in str(caught.value)


def test_only_ten_labels_are_listed():
    with pytest.raises(FitError) as caught:
        check_labels([0, 1], block_of(np.ones((3, 1)), np.arange(5, 35)))
    assert "[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, ...]" in str(caught.value)


def test_without_classes_or_labels_there_is_nothing_to_check():
    check_labels(None, block_of(np.ones((3, 1)), np.array([0, 1, 2])))
    check_labels([0, 1], block_of(np.ones((3, 1))))


def test_rows_are_counted_from_the_first_taken_where_the_block_is_not_whole():
    part_of_it = Place(number=1, start=100, stop=200)
    X = np.array([[1.0], [np.inf], [1.0]])
    said = str(blame(object(), block_of(X, place=part_of_it), ValueError("x")))
    assert "got inf in row 1 of its rows, column 0." in said
    with pytest.raises(FitError) as caught:
        check_labels([0, 1], block_of(X, np.array([0, 5, 1]), place=part_of_it))
    assert "got [5], first in row 1 of its rows. Add" in str(caught.value)


def test_a_target_or_weight_that_is_not_finite_is_told():
    y = np.array([0.0, 1.0, np.nan])
    assert "finite numbers in y; got nan in row 102." in str(
        blame(object(), block_of(np.ones((3, 1)), y), ValueError("x"))
    )
    assert "finite numbers in sample_weight; got nan in row 102." in str(
        blame(object(), block_of(np.ones((3, 1)), np.ones(3), y), ValueError("x"))
    )


def test_sparse_values_are_looked_at_too():
    X = scipy.sparse.csr_matrix(np.array([[0.0, np.nan], [1.0, 0.0], [0.0, 0.0]]))
    said = str(blame(object(), block_of(X), ValueError("x")))
    assert "finite numbers in X; got nan in row 100, column 1." in said


def test_a_label_missing_among_numbers_is_told_as_such():
    with pytest.raises(FitError, match=r"finite numbers in y; got nan in row 101\."):
        check_labels([0, 1], block_of(np.ones((3, 1)), np.array([0, np.nan, 7])))


def test_a_label_missing_among_texts_is_told():
    y = np.array(["a", None, "b"], dtype=object)
    with pytest.raises(FitError, match=r"got \[None\], first in row 101\."):
        check_labels(["a", "b"], block_of(np.ones((3, 1)), y))


def test_each_of_several_targets_has_labels_of_its_own():
    y = np.array([[0, 5], [1, 6], [0, 7]])
    check_labels([[0, 1], [5, 6, 7]], block_of(np.ones((3, 1)), y))
    with pytest.raises(FitError) as caught:
        check_labels([[0, 1], [5, 6]], block_of(np.ones((3, 1)), y))
    assert "partial_fit.classes, [5, 6]; got [7], first in row 102." in str(caught.value)


def test_several_columns_of_one_multilabel_target_are_left_to_the_estimator():
    check_labels([0, 1, 2], block_of(np.ones((3, 1)), np.eye(3, dtype=int)))


def test_what_an_estimator_says_in_several_lines_is_put_in_one():
    said = str(blame(object(), block_of(np.ones((3, 1))), ValueError("no\n  luck.")))
    assert "got ValueError: no luck. Check" in said
