"""Dask arrays whose every block of X and y is one read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from dask._task_spec import Task, TaskRef
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

ReadBlock = Callable[[int, int], tuple[Any, ...]]


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
        The rows of each block.
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
    token = tokenize(read, chunks)
    starts = np.concatenate([[0], np.cumsum(chunks)]).tolist()
    reads = {
        (f"read-{token}", i): Task((f"read-{token}", i), read, starts[i], starts[i + 1])
        for i in range(len(chunks))
    }
    base = HighLevelGraph({f"read-{token}": reads}, {f"read-{token}": set()})
    made = [_item(base, token, item, meta, chunks) for item, meta in enumerate(metas)]
    return Arrays(*made, *[None] * (3 - len(made)), feature_names=feature_names)


def _item(
    base: HighLevelGraph, token: str, item: int, meta: np.ndarray | None, chunks: tuple[int, ...]
) -> da.Array | None:
    if meta is None:
        return None
    name = f"{('X', 'y', 'sample_weight')[item]}-{token}"
    columns = tuple((width,) for width in meta.shape[1:])
    layer = {}
    for i in range(len(chunks)):
        key = (name, i, *(0 for _ in columns))
        layer[key] = Task(key, _pick, TaskRef((f"read-{token}", i)), item)
    graph = HighLevelGraph(
        {**base.layers, name: layer}, {**base.dependencies, name: {f"read-{token}"}}
    )
    return da.Array(graph, name, chunks=(chunks, *columns), meta=meta)


def _pick(parts: tuple[Any, ...], item: int) -> Any:
    return parts[item]
