"""Dask arrays whose every block of X and y is one read."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import dask.array as da
import numpy as np
from dask._task_spec import Task, TaskRef
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph
from dask.typing import Key

from runner.dataset.spans import edges_of

ReadBlock = Callable[[int, int], tuple[Any, ...]]
ITEMS = ("X", "y", "sample_weight")


@dataclass(frozen=True)
class Arrays:
    """X, and perhaps y and weights, as Dask arrays in the same row chunks.

    ``X`` has shape (n_rows, n_features), or (n_rows,) for lines of text; ``y`` has shape (n_rows,)
    or (n_rows, n_outputs); ``sample_weight`` has shape (n_rows,).
    """

    X: da.Array
    y: da.Array | None = None
    sample_weight: da.Array | None = None
    feature_names: tuple[str, ...] | None = None


def from_reader(
    read: ReadBlock,
    chunks: tuple[int, ...],
    metas: tuple[np.ndarray | None, ...],
    feature_names: tuple[str, ...] | None = None,
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

    Returns
    -------
    Arrays
        Nothing is read until a block is computed.
    """
    chunks = chunks or (0,)
    token = tokenize(read, chunks)
    name = f"read-{token}"
    edges = edges_of(chunks).tolist()
    layer: dict[Key, Task] = {}
    for i, (start, stop) in enumerate(pairwise(edges)):
        layer[name, i] = Task((name, i), read, start, stop)
    reads = HighLevelGraph({name: layer}, {name: set()})
    X, y, sample_weight, *_ = (
        None if meta is None else _item(reads, name, item, meta, chunks)
        for item, meta in enumerate((*metas, None, None, None))
    )
    if X is None:
        raise TypeError("The first meta, that of X, must be an array.")
    return Arrays(X, y, sample_weight, feature_names)


def _item(
    reads: HighLevelGraph, read_name: str, item: int, meta: np.ndarray, chunks: tuple[int, ...]
) -> da.Array:
    name = f"{ITEMS[item]}-{read_name}"
    columns = tuple((width,) for width in meta.shape[1:])
    layer: dict[Key, Task] = {}
    for i in range(len(chunks)):
        key: Key = (name, i, *(0 for _ in columns))
        layer[key] = Task(key, _pick, TaskRef((read_name, i)), item)
    graph = HighLevelGraph(
        {**reads.layers, name: layer}, {**reads.dependencies, name: {read_name}}
    )
    return da.Array(graph, name, chunks=(chunks, *columns), meta=meta)


def _pick(parts: tuple[Any, ...], item: int) -> Any:
    return parts[item]
