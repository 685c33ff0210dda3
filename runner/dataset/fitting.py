"""Make X, y and weights fit together: known sizes, whole rows, the same row blocks."""

import math
import warnings

import dask.array as da
import numpy as np
from dask.array.utils import meta_from_array

from runner.dataset.chunks import row_chunks
from runner.dataset.lazy import Arrays
from runner.errors import DatasetError, RunnerWarning

MAX_NDIM = {"X": 2, "y": 2, "sample_weight": 1}


def aligned(arrays: Arrays) -> Arrays:
    """Return the arrays with known sizes, one column chunk and the row chunks of X.

    A y of one column becomes one of shape (n_rows,), which is what scikit-learn makes of it.
    Where there is nothing better, ``y_only`` is y itself.

    Raises
    ------
    DatasetError
        If there is no row or no feature, if y or the weights have another number of rows than X,
        or if any of them has more dimensions than rows and columns.

    Warns
    -----
    RunnerWarning
        If X is cut along its features, if y is a column, or if the data had to be read to count
        their rows.
    """
    X = _whole_rows(sized("X", _shaped("X", arrays.X)))
    if 0 in X.shape:
        raise DatasetError(
            "The dataset",
            "have at least one row and one feature",
            got=f"X of shape {X.shape}",
            remedy="Check the path and the filters of the source.",
        )
    y = _like(X, "y", _flat(arrays.y))
    sample_weight = _like(X, "sample_weight", arrays.sample_weight)
    y_only = y if arrays.y_only is None else _like(X, "y", _column(arrays.y_only))
    return Arrays(X, y, sample_weight, arrays.feature_names, y_only, arrays.frame)


def sized(name: str, array: da.Array) -> da.Array:
    """Return the array with the sizes of its blocks known, if need be by reading it once.

    Parameters
    ----------
    name : str
        What the array is called in the warning.
    array : dask array
        Changed in place where its sizes are unknown, as those of a Dask dataframe are.

    Warns
    -----
    RunnerWarning
        If the data had to be read.
    """
    if not any(math.isnan(size) for size in array.shape):
        return array
    warnings.warn(
        f"The sizes of the blocks of {name} are unknown: reading it once to count its rows.",
        RunnerWarning,
        stacklevel=2,
    )
    counted: da.Array = array.compute_chunk_sizes()
    return counted


def cut_anew(array: da.Array, chunks: tuple[tuple[int, ...], ...]) -> da.Array:
    """Return the array in other blocks, text without a loss.

    Each block of text may have a width of its own, and Dask joins blocks to the width of the
    first; so text is joined as objects.
    """
    if array.dtype.kind != "U":
        cut: da.Array = array.rechunk(chunks)
        return cut
    joined = array.astype(object).rechunk(chunks)
    text: da.Array = joined.map_blocks(np.ndarray.astype, str, meta=meta_from_array(array))
    return text


def cut_rows(X: da.Array, chunks: int | str) -> da.Array:
    """Return X in row blocks as ``dataset.chunks`` says; what has no row is left as it is."""
    X = sized("X", X)
    if not X.ndim or not X.shape[0]:
        return X
    row_nbytes = X.dtype.itemsize * math.prod(X.shape[1:])
    return cut_anew(X, (row_chunks(chunks, X.shape[0], row_nbytes), *X.chunks[1:]))


def _flat(y: da.Array | None) -> da.Array | None:
    if y is None or y.shape[1:] != (1,):
        return y
    warnings.warn(
        "y has one column: taken as one target, of shape (n_rows,).", RunnerWarning, stacklevel=3
    )
    return _column(y)


def _column(y: da.Array) -> da.Array:
    flat: da.Array = y[:, 0] if y.shape[1:] == (1,) else y
    return flat


def _shaped(name: str, array: da.Array) -> da.Array:
    most = MAX_NDIM[name]
    if 1 <= array.ndim <= most:
        return array
    raise DatasetError(
        name,
        f"have one dimension{' or two' * (most - 1)}",
        got=f"shape {array.shape}",
        remedy=f"Reshape {name} so that each sample is one row.",
    )


def _whole_rows(X: da.Array) -> da.Array:
    if X.ndim == 1 or len(X.chunks[1]) == 1:
        return X
    warnings.warn(
        f"X is cut along its features, in {len(X.chunks[1])} chunks of columns: rechunked, so "
        "that each block holds whole rows.",
        RunnerWarning,
        stacklevel=2,
    )
    whole: da.Array = X.rechunk({1: -1})
    return whole


def _like(X: da.Array, name: str, array: da.Array | None) -> da.Array | None:
    if array is None:
        return None
    array = sized(name, _shaped(name, array))
    if array.shape[0] != X.shape[0]:
        raise DatasetError(
            f"X and {name}",
            "have the same number of rows",
            got=f"{X.shape[0]} rows of X and {array.shape[0]} of {name}",
            remedy="Make both from the same rows of the source.",
        )
    chunks = (X.chunks[0], *((width,) for width in array.shape[1:]))
    return array if array.chunks == chunks else cut_anew(array, chunks)
