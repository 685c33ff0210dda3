"""What arrays on disk must look like to be X, y and sample weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from runner.errors import DatasetError

NUMBERS, TEXT = "biuf", "UT"
KINDS = {"X": NUMBERS, "y": NUMBERS + TEXT, "sample_weight": NUMBERS}
NDIMS = {"X": (2,), "y": (1, 2), "sample_weight": (1,)}


def require_rows_of_numbers(key: str, where: str, shape: tuple[int, ...], dtype: Any) -> None:
    """Refuse an array that cannot be X, y or the weights.

    Parameters
    ----------
    key : {"X", "y", "sample_weight"}
        What the array is to be.
    where : str
        What messages call it.
    shape, dtype
        Of the array.

    Raises
    ------
    DatasetError
        If it has another number of dimensions, no column, or elements of another kind.

    Examples
    --------
    >>> require_rows_of_numbers("X", "The array a.npy", (10,), np.dtype("f4"))
    Traceback (most recent call last):
    runner.errors.DatasetError: The array a.npy must have 2 dimensions; got shape (10,). \
Save it again with the shape (n_rows, n_columns).
    """
    width = "" if key == "sample_weight" else " n_columns"
    if len(shape) not in NDIMS[key] or 0 in shape[1:]:
        raise DatasetError(
            where,
            f"have {' or '.join(map(str, NDIMS[key]))} dimension{'s' if width else ''}",
            got=f"shape {shape}",
            remedy=f"Save it again with the shape (n_rows,{width}).",
        )
    if np.dtype(dtype).kind not in KINDS[key]:
        text = " or text" if key == "y" else ""
        raise DatasetError(
            where,
            f"hold numbers{text}",
            got=f"elements of type {dtype}",
            remedy=f"Convert its elements to numbers{text} before saving it.",
        )


def require_same_rows(n_rows: Mapping[str, int]) -> None:
    """Refuse X, y and weights of different lengths.

    Raises
    ------
    DatasetError
        Naming their lengths.

    Examples
    --------
    >>> require_same_rows({"X": 10, "y": 9})
    Traceback (most recent call last):
    runner.errors.DatasetError: dataset.X and dataset.y must have the same number of rows; got \
10 in X and 9 in y. Make all of them from the same rows.
    """
    if len(set(n_rows.values())) > 1:
        raise DatasetError(
            " and ".join(f"dataset.{key}" for key in n_rows),
            "have the same number of rows",
            got=" and ".join(f"{n} in {key}" for key, n in n_rows.items()),
            remedy="Make all of them from the same rows.",
        )
