import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from runner.base import Block, Place
from runner.finite import not_finite


@pytest.mark.parametrize("as_held", [np.asarray, csr_array])
def test_the_first_number_that_is_not_finite_is_found(as_held):
    X = np.eye(3)
    X[1, 2] = np.nan
    error = not_finite(Block(as_held(X), None, None, Place(1, 100, 103)), "X")
    assert str(error) == (
        "Block 1 (rows 100 to 102) must hold only finite numbers in X; got nan in row 101, "
        "column 2. Remove or fill in these rows at the source, or put an imputer into "
        "preprocessing."
    )


def test_an_imputer_is_advised_only_where_it_helps():
    for X, y in (([[np.inf]], [0.0]), ([[0.0]], [np.nan])):
        block = Block(np.array(X), np.array(y), None, Place(0, 0, 1))
        assert str(not_finite(block, "X", "y")).endswith("at the source.")


@pytest.mark.parametrize("y", [None, np.arange(3), np.ones(3), np.array(["a", None, "b"])])
def test_what_is_finite_or_no_number_is_left_alone(y):
    assert not_finite(Block(np.ones((3, 2)), y, None, Place(0, 0, 3)), "X", "y") is None


def test_rows_of_a_block_that_is_not_whole_are_counted_from_its_first():
    block = Block(np.ones((2, 1)), np.array([0, np.inf]), None, Place(1, 100, 200))
    assert "got inf in row 1 of its rows." in str(not_finite(block, "y"))


def test_the_first_number_of_a_table_that_is_not_finite_is_named_with_its_column():
    X = pd.DataFrame(
        {
            "word": pd.Series(["a", np.nan, "c"], dtype=object),
            "late": [0.0, 1.0, np.inf],
            "n": [1, 2, 3],
            "early": [0.0, np.nan, 2.0],
        }
    )
    error = not_finite(Block(X, None, None, Place(1, 100, 103)), "X")
    assert "got nan in row 101, column 'early'." in str(error)
    assert not_finite(Block(X[["word", "n"]], None, None, Place(1, 100, 103)), "X") is None
    infinite = not_finite(Block(X[["n", "late"]], None, None, Place(1, 100, 103)), "X")
    assert "got inf in row 102, column 'late'." in str(infinite)


def test_a_row_of_a_mix_is_named_by_its_number_in_the_dataset():
    y = np.array([0.0, np.nan])
    block = Block(np.ones((2, 1)), y, None, Place(3, 0, 40, (0, 3)), rows=np.array([33, 7]))
    assert str(not_finite(block, "y")).startswith(
        "A mix of blocks 0 and 3 (from rows 0 to 39) must hold only finite numbers in y; got nan "
        "in row 7."
    )


def test_arrays_are_searched_in_the_order_asked():
    block = Block(np.array([[np.inf]]), np.array([np.nan]), np.array([np.nan]), Place(0, 0, 1))
    assert "in X; got inf in row 0, column 0" in str(not_finite(block, "X", "y"))
    assert "in sample_weight; got nan in row 0." in str(not_finite(block, "sample_weight", "X"))
    assert not_finite(block) is None
