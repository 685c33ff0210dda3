"""Make X, y and weights fit together: known sizes, whole rows, the same row blocks."""

import warnings

import dask.array as da
import numpy as np

from runner.dataset.lazy import Arrays
from runner.errors import DatasetError, RunnerWarning


def aligned(arrays: Arrays) -> Arrays:
    """Return the arrays with known sizes, one column chunk and the row chunks of X.

    Raises
    ------
    DatasetError
        If there is no row, or if y or the weights have another number of rows than X.

    Warns
    -----
    RunnerWarning
        If X is cut along its features, or if the data had to be read to count their rows.
    """
    X = _whole_rows(_sized("X", arrays.X))
    if X.shape[0] == 0:
        raise DatasetError(
            "The dataset",
            "have at least one row",
            got=f"X of shape {X.shape}",
            remedy="Check the path and the filters of the source.",
        )
    y = _like(X, "y", arrays.y)
    sample_weight = _like(X, "sample_weight", arrays.sample_weight)
    return Arrays(X, y, sample_weight, arrays.feature_names)


def _sized(name: str, array: da.Array) -> da.Array:
    if not np.isnan(array.shape[0]):
        return array
    warnings.warn(
        f"The sizes of the blocks of {name} are unknown: reading it once to count its rows.",
        RunnerWarning,
        stacklevel=2,
    )
    return array.compute_chunk_sizes()


def _whole_rows(X: da.Array) -> da.Array:
    if X.ndim == 1 or len(X.chunks[1]) == 1:
        return X
    warnings.warn(
        f"X is cut along its features, in {len(X.chunks[1])} chunks of columns: rechunked, so "
        "that each block holds whole rows.",
        RunnerWarning,
        stacklevel=2,
    )
    return X.rechunk({1: -1})


def _like(X: da.Array, name: str, array: da.Array | None) -> da.Array | None:
    if array is None:
        return None
    array = _sized(name, array)
    if array.shape[0] != X.shape[0]:
        raise DatasetError(
            f"X and {name}",
            "have the same number of rows",
            got=f"{X.shape[0]} rows of X and {array.shape[0]} of {name}",
            remedy="Make both from the same rows of the source.",
        )
    chunks = (X.chunks[0], *((width,) for width in array.shape[1:]))
    return array if array.chunks == chunks else array.rechunk(chunks)
