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
    [([0, 1], [0, 2, 2], "[2]"), (["a", "b"], ["a", "c", "d"], "['c', 'd']")],
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


def test_a_row_number_is_given_only_where_the_block_is_whole():
    part_of_it = Place(number=1, start=100, stop=200)
    X = np.array([[1.0], [np.inf], [1.0]])
    said = str(blame(object(), block_of(X, place=part_of_it), ValueError("x")))
    assert "got inf in row 1 of its rows, column 0." in said
    with pytest.raises(FitError) as caught:
        check_labels([0, 1], block_of(X, np.array([0, 5, 1]), place=part_of_it))
    assert "got [5]. Add" in str(caught.value)


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
    assert "finite numbers in X; got nan." in str(blame(object(), block_of(X), ValueError("x")))
