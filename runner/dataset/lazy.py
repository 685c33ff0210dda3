"""Dask arrays whose every block of X and y is one read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from dask._task_spec import DataNode, TaskRef
from dask.array.utils import meta_from_array
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from runner.dataset.block_layer import BlockLayer, Calls
from runner.dataset.spans import edges_of

ReadBlock = Callable[[int, int], tuple[Any, ...]]
ITEMS = ("X", "y", "sample_weight")


@dataclass(frozen=True)
class Arrays:
    """X, and perhaps y and weights, as Dask arrays in the same row chunks.

    ``X`` has shape (n_rows, n_features), or (n_rows,) for lines of text; ``y`` has shape (n_rows,)
    or (n_rows, n_outputs); ``sample_weight`` has shape (n_rows,). ``y_only`` is y once more, from
    tasks that read nothing of X; None where y itself is all there is. ``frame`` is an empty pandas
    DataFrame where the blocks of X are such.
    """

    X: da.Array
    y: da.Array | None = None
    sample_weight: da.Array | None = None
    feature_names: tuple[str, ...] | None = None
    y_only: da.Array | None = None
    frame: Any = None


def from_reader(
    read: ReadBlock,
    chunks: tuple[int, ...],
    metas: tuple[np.ndarray | None, ...],
    feature_names: tuple[str, ...] | None = None,
    *,
    read_y: ReadBlock | None = None,
    frame: Any = None,
) -> Arrays:
    """Make X, y and weights whose blocks come out of one call per block.

    Parameters
    ----------
    read : callable
        ``read(start, stop)`` returns the rows [start, stop) as a tuple, one item per meta. It must
        be picklable, free of side effects and safe to call from several threads at once.
    chunks : tuple of int
        The rows of each block; empty where there is no row.
    metas : tuple of ndarray or None
        An empty array each for X, y and the weights that shows its type and width: shape (0, p)
        or (0,). None, or nothing, where there is none.
    feature_names : tuple of str, optional
        The names of the columns of X.
    read_y : callable, optional
        As ``read``; only its y is used, so it may leave out all else.
    frame : DataFrame, optional
        Empty, where ``read`` returns DataFrames as X; the meta of X is then of objects.

    Returns
    -------
    Arrays
        Nothing is read until a block is computed.
    """
    chunks = chunks or (0,)
    X, y, sample_weight, *_ = _items(read, chunks, (*metas, None, None, None))
    if X is None:
        raise TypeError("The first meta, that of X, must be an array.")
    y_only = None
    if read_y is not None and y is not None:
        _, y_only = _items(read_y, chunks, (None, metas[1]))
    return Arrays(X, y, sample_weight, feature_names, y_only, frame)


def _items(
    read: ReadBlock, chunks: tuple[int, ...], metas: tuple[np.ndarray | None, ...]
) -> list[da.Array | None]:
    edges = edges_of(chunks)
    name = f"read-{tokenize(read, edges)}"
    reader = f"reader-{name}"
    calls = _Reads(TaskRef(reader), edges)
    reads = HighLevelGraph(
        {reader: {reader: DataNode(reader, read)}, name: BlockLayer(name, calls, len(chunks), 1)},
        {reader: set(), name: {reader}},
    )
    return [
        None if meta is None else _item(reads, name, item, meta, chunks)
        for item, meta in enumerate(metas)
    ]


def _item(
    reads: HighLevelGraph, read_name: str, item: int, meta: np.ndarray, chunks: tuple[int, ...]
) -> da.Array:
    name = f"{ITEMS[item]}-{read_name}"
    columns = tuple((width,) for width in meta.shape[1:])
    picks = _Picks(read_name, item)
    return by_block(name, reads, (read_name,), picks, chunks=(chunks, *columns), meta=meta)


def by_block(
    name: str,
    source: HighLevelGraph,
    depends_on: Iterable[str],
    calls: Calls,
    *,
    chunks: tuple[tuple[float, ...], ...],
    meta: Any,
) -> da.Array:
    """Return an array each of whose row blocks is one call on what a graph holds.

    Parameters
    ----------
    name : str
        Of the array.
    source : HighLevelGraph
        Of all that the calls refer to.
    depends_on : iterable of str
        The layers of it that they refer to.
    calls : list of tuple, or anything that makes the tuple of a block when it is asked for
        One per block: a function, and its arguments, some of which refer to tasks.
    chunks, meta
        Of the array, as Dask has them.
    """
    layer = BlockLayer(name, calls, len(chunks[0]), len(chunks))
    graph = HighLevelGraph(
        {**source.layers, name: layer}, {**source.dependencies, name: set(depends_on)}
    )
    return da.Array(graph, name, chunks=chunks, meta=meta)


def some_blocks(array: da.Array, numbers: np.ndarray, sizes: tuple[int, ...]) -> da.Array:
    """Return an array of some row blocks of another.

    Those of an array of ``by_block`` are made by the calls that make them there; of other arrays
    Dask chooses them, with an object for each.

    Parameters
    ----------
    array : dask array
    numbers : ndarray of int64, shape (n_blocks,)
        Which, in which order.
    sizes : tuple of int
        Their rows; Dask keeps sums of these once for all arrays that share the tuple.
    """
    graph, name = array.dask, array.name
    layer = graph.layers.get(name)
    if not isinstance(layer, BlockLayer):
        some: da.Array = array.blocks[numbers.tolist()]
        return some
    before = HighLevelGraph(
        {each: graph.layers[each] for each in graph.layers if each != name},
        {each: graph.dependencies[each] for each in graph.layers if each != name},
    )
    return by_block(
        f"some-{tokenize(name, numbers)}",
        before,
        graph.dependencies[name],
        _Some(layer.calls, numbers),
        chunks=(sizes, *array.chunks[1:]),
        meta=meta_from_array(array),
    )


@dataclass(frozen=True, eq=False)
class _Reads:
    reader: TaskRef
    edges: np.ndarray

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return _read, self.reader, int(self.edges[index]), int(self.edges[index + 1])


@dataclass(frozen=True)
class _Picks:
    source: str
    item: int

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return _pick, TaskRef((self.source, index)), self.item


@dataclass(frozen=True, eq=False)
class _Some:
    calls: Calls
    numbers: np.ndarray

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return self.calls[int(self.numbers[index])]


def _read(reader: ReadBlock, start: int, stop: int) -> tuple[Any, ...]:
    return reader(start, stop)


def _pick(parts: tuple[Any, ...], item: int) -> Any:
    return parts[item]
