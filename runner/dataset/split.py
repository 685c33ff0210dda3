"""Train and holdout: two lazy views of the same blocks that share no row."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import dask.array as da
import numpy as np
from dask._task_spec import Task, TaskRef
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph
from dask.typing import Key

from runner.base import Part, Place
from runner.dataset.lazy import Arrays
from runner.dataset.spans import edges_of
from runner.errors import DatasetError
from runner.seeds import derive, uniform_rows


def split(arrays: Arrays, holdout: float, by: str, seed: int) -> tuple[Part, Part | None]:
    """Hold out a seeded share of the blocks, or of the rows inside each block.

    Parameters
    ----------
    arrays : Arrays
        X, y and weights in the same row chunks.
    holdout : float
        The share, in [0, 1). By blocks it is rounded to whole blocks, at least one; by rows each
        row is held out with this probability, whatever block it is in.
    by : {"blocks", "rows"}
        What is drawn.
    seed : int
        The seed of the draw.

    Returns
    -------
    train, holdout : Part, Part or None
        None when ``holdout`` is 0.

    Raises
    ------
    DatasetError
        If no block or no row would be left to train on, or no row would be held out.
    """
    edges = edges_of(arrays.X.chunks[0]).tolist()
    places = tuple(Place(i, start, stop) for i, (start, stop) in enumerate(pairwise(edges)))
    if holdout == 0:
        return _part(arrays, places, lambda array: array), None
    if by == "rows":
        return _split_rows(arrays, places, Draw(holdout, seed))
    held = _held_blocks(len(places), holdout, seed)
    kept = [i for i in range(len(places)) if i not in held]
    return _blocks(arrays, places, kept), _blocks(arrays, places, sorted(held))


def _part(arrays: Arrays, places: tuple[Place, ...], cut: Callable[[da.Array], da.Array]) -> Part:
    y, sample_weight = (
        None if array is None else cut(array) for array in (arrays.y, arrays.sample_weight)
    )
    return Part(cut(arrays.X), y, sample_weight, places, arrays.feature_names)


def _held_blocks(n_blocks: int, holdout: float, seed: int) -> set[int]:
    n_held = max(1, round(holdout * n_blocks))
    if n_held >= n_blocks:
        raise DatasetError(
            "A holdout by blocks",
            "leave at least one block to train on",
            got=f"{n_blocks} block{'s' if n_blocks > 1 else ''} and dataset.holdout={holdout}",
            remedy="Make dataset.chunks smaller, or set dataset.holdout_by=rows.",
        )
    order = np.random.default_rng(derive(seed, "split")).permutation(n_blocks)
    return {int(i) for i in order[:n_held]}


def _blocks(arrays: Arrays, places: tuple[Place, ...], numbers: list[int]) -> Part:
    chosen = tuple(places[i] for i in numbers)
    return _part(arrays, chosen, lambda array: array.blocks[numbers])


@dataclass(frozen=True)
class Draw:
    """Decides of each row, whatever block it is in, whether it is held out."""

    holdout: float
    seed: int

    def __call__(self, place: Place) -> np.ndarray:
        """Return a mask of the held-out rows, of shape (n_rows,)."""
        drawn = uniform_rows(derive(self.seed, "split"), place.start, place.stop)
        mask: np.ndarray = drawn < self.holdout
        return mask


def _split_rows(arrays: Arrays, places: tuple[Place, ...], draw: Draw) -> tuple[Part, Part]:
    n_held = tuple(int(draw(place).sum()) for place in places)
    n_kept = tuple(n - held for n, held in zip(arrays.X.chunks[0], n_held, strict=True))
    if not sum(n_held) or not sum(n_kept):
        raise DatasetError(
            "A holdout by rows",
            "hold out at least one row and leave one to train on",
            got=f"{sum(n_held)} of {places[-1].stop} rows with dataset.holdout={draw.holdout}",
            remedy="Choose another dataset.holdout or dataset.seed, or more rows.",
        )
    return (
        _part(arrays, places, partial(_rows, places=places, draw=draw, held=False, sizes=n_kept)),
        _part(arrays, places, partial(_rows, places=places, draw=draw, held=True, sizes=n_held)),
    )


def _rows(
    array: da.Array, places: tuple[Place, ...], draw: Draw, held: bool, sizes: tuple[int, ...]
) -> da.Array:
    name = f"{'holdout' if held else 'train'}-{tokenize(array.name, draw)}"
    layer: dict[Key, Task] = {}
    for place in places:
        index = (place.number, *(0 for _ in array.shape[1:]))
        block = TaskRef((array.name, *index))
        layer[name, *index] = Task((name, *index), _take, block, place, draw, held)
    graph = HighLevelGraph(
        {**array.dask.layers, name: layer}, {**array.dask.dependencies, name: {array.name}}
    )
    meta = array._meta  # noqa: SLF001  (Dask takes `meta=` and offers no getter)
    return da.Array(graph, name, chunks=(sizes, *array.chunks[1:]), meta=meta)


def _take(block: Any, place: Place, draw: Draw, held: bool) -> Any:
    return block[draw(place) == held]
