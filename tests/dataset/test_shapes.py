import numpy as np
import pytest

from runner.dataset.shapes import require_rows_of_numbers, require_same_rows
from runner.errors import DatasetError


@pytest.mark.parametrize(
    ("key", "shape", "dtype"),
    [
        ("X", (10, 3), "float32"),
        ("X", (10, 1), "bool"),
        ("X", (0, 3), "int8"),
        ("y", (10,), "<U5"),
        ("y", (10, 2), "int64"),
        ("sample_weight", (10,), "float64"),
    ],
)
def test_healthy_arrays_are_accepted(key, shape, dtype):
    require_rows_of_numbers(key, "The array a", shape, np.dtype(dtype))


@pytest.mark.parametrize(
    ("key", "shape", "dtype", "message"),
    [
        ("X", (10,), "f4", "have 2 dimensions; got shape (10,). Save it again with the shape "),
        ("X", (10, 2, 2), "f4", "have 2 dimensions; got shape (10, 2, 2)."),
        ("X", (10, 0), "f4", "have 2 dimensions; got shape (10, 0)."),
        ("y", (10, 1, 1), "f4", "have 1 or 2 dimensions; got shape (10, 1, 1)."),
        ("sample_weight", (10, 1), "f4", "have 1 dimension; got shape (10, 1)."),
        ("X", (10, 2), "O", "hold numbers; got elements of type object."),
        ("X", (10, 2), "<U3", "hold numbers; got elements of type <U3."),
        ("X", (10, 2), "complex64", "hold numbers; got elements of type complex64."),
        ("y", (10,), "M8[s]", "hold numbers or text; got elements of type datetime64[s]."),
        ("y", (10,), "O", "Convert its elements to numbers or text before saving it."),
        ("sample_weight", (10,), "<U3", "hold numbers; got elements of type <U3."),
    ],
)
def test_unfit_arrays_are_refused(key, shape, dtype, message):
    with pytest.raises(DatasetError) as error:
        require_rows_of_numbers(key, "The array a", shape, np.dtype(dtype))
    assert str(error.value).startswith("The array a must ")
    assert message in str(error.value)


def test_equal_lengths_are_accepted():
    require_same_rows({"X": 3, "y": 3, "sample_weight": 3})


def test_other_lengths_are_told_by_name():
    with pytest.raises(DatasetError, match="got 3 in X and 3 in y and 2 in sample_weight"):
        require_same_rows({"X": 3, "y": 3, "sample_weight": 2})
