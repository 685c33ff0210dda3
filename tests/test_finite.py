import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array

from runner.base import Block, Place
from runner.finite import first_cell, not_finite, too_large


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


@pytest.mark.parametrize("as_held", [np.asarray, np.asfortranarray, csr_array, pd.DataFrame])
@pytest.mark.parametrize(
    ("dtype", "most", "large"), [(np.float64, 1e154, 1e155), (np.float32, 1e19, -1e20)]
)
def test_the_first_number_that_cannot_be_squared_is_found(as_held, dtype, most, large):
    X = np.eye(3, dtype=dtype)
    X[0, 0] = most
    assert too_large(Block(as_held(X), None, None, Place(1, 100, 103)), "X") is None
    X[1, 2] = X[2, 2] = large
    error = too_large(Block(as_held(X), None, None, Place(1, 100, 103)), "X")
    assert str(error) == (
        "Block 1 (rows 100 to 102) must hold no number in X that is too large to be squared; got "
        f"{X[1, 2]} in row 101, column 2. Correct or remove these rows at the source, or scale "
        "the column there."
    )


def test_a_target_that_cannot_be_squared_is_found_too():
    block = Block(np.ones((2, 1)), np.array([1.0, 1e200]), None, Place(0, 0, 2))
    assert "in y that is too large to be squared; got 1e+200 in row 1." in str(
        too_large(block, "X", "y")
    )


@pytest.mark.parametrize(
    "X",
    [
        np.array([[np.nan], [np.inf]]),
        np.full((100, 1), 1e154),
        np.array([[2**62], [1]]),
        np.array([["a"], [1e300]], dtype=object),
        np.array(["a", "b"]),
        np.empty((0, 3)),
    ],
    ids=["not finite", "only the sum is too large", "integers", "objects", "text", "no row"],
)
def test_what_can_be_squared_or_is_no_number_is_left_alone(X):
    assert too_large(Block(X, None, None, Place(0, 0, len(X))), "X", "y") is None


@given(hnp.arrays(st.sampled_from([np.float64, np.float32]), (4, 3), elements={"allow_nan": True}))
def test_exactly_the_finite_numbers_with_infinite_squares_are_too_large(X):
    with np.errstate(all="ignore"):
        is_bad = np.isfinite(X) & np.isinf(X * X)
    found = too_large(Block(X, None, None, Place(0, 0, 4)), "X")
    assert (found is None) == (not is_bad.any())
    if found is not None:
        row, column = np.argwhere(is_bad)[0]
        assert f"in row {row}, column {column}." in str(found)


def test_any_cells_can_be_searched_for():
    block = Block(np.array([["1"], ["a"]], dtype=object), None, None, Place(1, 10, 12))
    assert first_cell(block, "X", lambda cells: cells == "a", "O") == ("a", "row 11, column 0")
    assert first_cell(block, "X", lambda cells: cells == "a", "f") is None
    assert first_cell(block, "y", lambda cells: cells == "a", "O") is None
