"""Rows that a program holds already, lazy or in memory, as a part of lazy arrays."""

import math
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import dask.array as da
import numpy as np
from dask._task_spec import Task, TaskRef
from dask.array.utils import meta_from_array
from dask.base import is_dask_collection, tokenize
from dask.highlevelgraph import HighLevelGraph

from runner.base import Part
from runner.dataset.chunks import row_chunks
from runner.dataset.fitting import aligned, cut_rows, sized
from runner.dataset.lazy import Arrays, by_block, from_reader
from runner.dataset.split import split
from runner.errors import ConfigError, DatasetError

ITEM_NBYTES = 8  # of a table or of sparse rows, whose bytes are not known by the type


def given(
    X: Any, y: Any = None, sample_weight: Any = None, chunks: int | str | None = None
) -> Part:
    """Return rows as a part to learn from or to be scored on; nothing is copied.

    Parameters
    ----------
    X : Dask array, dataframe or series, or array, sparse array, DataFrame or list
        Shape (n_rows, n_features), or (n_rows,) for lines of text. The blocks of tables stay
        DataFrames.
    y : the same, or None
        Shape (n_rows,) or (n_rows, n_outputs).
    sample_weight : the same, or None
        Shape (n_rows,).
    chunks : int or str, optional
        Cuts the rows anew; without it a lazy X keeps its blocks, and any other X is one block.

    Raises
    ------
    DatasetError
        If they are no rows, or do not fit together.
    ConfigError
        If a Dask dataframe, whose blocks are its partitions, is to be cut anew.

    Warns
    -----
    RunnerWarning
        As ``aligned``; of dataframes the rows are counted in a pass over the data.

    Examples
    --------
    >>> part = given([[0.0], [1.0], [2.0]], [0, 1, 0], chunks=2)
    >>> part.X.chunks, part.y.chunks
    (((2, 1), (1,)), ((2, 1),))
    """
    rows, frame = lazy(X, "X", chunks)
    target, weight = (
        None if each is None else _values(name, each)
        for name, each in (("y", y), ("sample_weight", sample_weight))
    )
    rows, target, weight = map(_fetched, _sized_alike(rows, target, weight))
    names = None if frame is None else tuple(str(column) for column in frame.columns)
    return split(aligned(Arrays(rows, target, weight, names, frame=frame)), 0, "blocks", 0).train


def is_lazy(rows: Any) -> bool:
    """Say whether something is of Dask."""
    return bool(is_dask_collection(rows))


def lazy(rows: Any, name: str = "X", chunks: int | str | None = None) -> tuple[da.Array, Any]:
    """Return rows as a Dask array and, where its blocks are DataFrames, an empty one of these.

    The sizes of the blocks of a Dask dataframe are unknown.
    """
    if isinstance(rows, da.Array):
        rows = rows.copy()
        return rows if chunks is None else cut_rows(rows, chunks), None
    if not is_lazy(rows):
        return _in_memory(rows, chunks)
    if not hasattr(type(rows), "to_dask_array"):
        raise _strange(name, rows)
    if chunks is not None:
        raise ConfigError(
            "chunks",
            "be left out for a Dask dataframe, whose partitions are the blocks",
            got=repr(chunks),
            remedy="Repartition it instead, by its repartition.",
        )
    frame = rows._meta  # noqa: SLF001  (Dask offers no getter)
    if frame.ndim == 1:
        return _values(name, rows), None
    return _of_partitions(rows, _as_it_is, np.empty((0, frame.shape[1]), object)), frame


def _values(name: str, rows: Any) -> da.Array:
    """Return numbers or labels as a lazy array of NumPy blocks."""
    values: da.Array
    if isinstance(rows, da.Array):
        values = rows.copy()
        return values
    if not is_lazy(rows):
        values = da.from_array(np.asarray(rows), chunks=-1, name=False)
        return values
    if not hasattr(type(rows), "to_dask_array"):
        raise _strange(name, rows)
    return _of_partitions(rows, np.asarray, np.asarray(rows._meta))  # noqa: SLF001


def _strange(name: str, rows: Any) -> DatasetError:
    return DatasetError(
        name,
        "be an array, a table or a series",
        got=type(rows).__name__,
        remedy="Convert it, for instance by dask.array.from_delayed.",
    )


def _of_partitions(frame: Any, make: Callable[[Any], Any], meta: np.ndarray) -> da.Array:
    # Fused tasks of X and y of one table would each read the source.
    frame = frame.optimize(fuse=False)
    source, name = f"partitions-{tokenize(frame)}", f"rows-{tokenize(frame, make)}"
    calls = [(make, TaskRef(partition)) for partition in frame.__dask_keys__()]
    graph = HighLevelGraph({source: dict(frame.__dask_graph__())}, {source: set()})
    chunks = ((math.nan,) * len(calls), *((width,) for width in meta.shape[1:]))
    return by_block(name, graph, (source,), calls, chunks=chunks, meta=meta)


def _as_it_is(partition: Any) -> Any:
    return partition


def _in_memory(rows: Any, chunks: int | str | None) -> tuple[da.Array, Any]:
    frame = None
    if hasattr(rows, "tocsr"):
        rows = rows.tocsr()
    elif hasattr(rows, "columns") and hasattr(rows, "iloc"):
        frame = rows.iloc[:0]
    else:
        rows = np.asarray(rows)
    if not rows.ndim:
        raise _strange("X", rows)
    n_rows, *columns = rows.shape
    dtype = np.dtype(object) if frame is not None else rows.dtype
    sizes: tuple[int, ...] = (n_rows,)
    if chunks is not None:
        sizes = row_chunks(chunks, n_rows, ITEM_NBYTES * math.prod(columns))
    meta = np.empty((0, *columns), dtype)
    return from_reader(_Slices(rows), sizes, (meta,), frame=frame).X, frame


class _Slices:
    """Reads rows that are in memory, without a copy where there can be one."""

    is_in_memory = True

    def __init__(self, rows: Any) -> None:
        self._rows = rows.iloc if hasattr(rows, "iloc") else rows
        self._token = uuid4().hex  # to name the rows by what they hold would read them all

    def __call__(self, start: int, stop: int) -> tuple[Any]:
        return (self._rows[start:stop],)

    def __dask_tokenize__(self) -> str:
        return self._token


def _fetched(array: Any) -> Any:
    """Return the array with blocks that a cluster holds as tasks that fetch them."""
    if array is None or "distributed" not in sys.modules:
        return array
    from distributed import Future

    graph = dict(array.__dask_graph__())
    held = {key: value for key, value in graph.items() if isinstance(value, Future)}
    if not held:
        return array
    graph |= {key: Task(key, future.result) for key, future in held.items()}
    return da.Array(graph, array.name, chunks=array.chunks, meta=meta_from_array(array))


def _sized_alike(X: da.Array, *others: da.Array | None) -> tuple[Any, ...]:
    """Give arrays of unknown sizes those of another one with as many blocks.

    Where all are unknown, the rows of y are counted, which may cost less than those of X. The
    stream checks, as it reads a block, that each array has as many rows.
    """
    arrays = [array for array in (X, *others) if array is not None and array.ndim]
    alike = [array for array in arrays if array.numblocks[:1] == X.numblocks[:1]]
    known = next((array for array in alike if not math.isnan(array.shape[0])), None)
    if known is None and alike:
        known = sized("y", alike[1]) if len(alike) > 1 else sized("X", X)

    def with_sizes(array: da.Array | None) -> da.Array | None:
        is_alike = any(array is each for each in alike)
        if array is None or known is None or not (is_alike and math.isnan(array.shape[0])):
            return array
        meta = meta_from_array(array)
        return da.Array(array.dask, array.name, (known.chunks[0], *array.chunks[1:]), meta=meta)

    return tuple(map(with_sizes, (X, *others)))
