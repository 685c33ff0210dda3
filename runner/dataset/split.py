"""Train, holdout and validation: lazy views of the same blocks that share no row."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from dask._task_spec import TaskRef
from dask.array.utils import meta_from_array
from dask.base import tokenize

from runner.base import Part, Place, Split
from runner.dataset.lazy import Arrays, by_block, some_blocks
from runner.dataset.places import Places
from runner.dataset.spans import edges_of
from runner.errors import DatasetError
from runner.seeds import derive, uniform_rows

SIDES = ("holdout", "validation", "train")
PURPOSES = ("to hold out", "for validation", "to train on")


def split(arrays: Arrays, holdout: float, by: str, seed: int, validation: float = 0.0) -> Split:
    """Hold out a seeded share of the blocks, or of the rows inside each block.

    Parameters
    ----------
    arrays : Arrays
        X, y and weights in the same row chunks.
    holdout, validation : float
        The shares, in [0, 1). By blocks each is rounded to whole blocks, at least one unless it
        is 0; by rows each row is held out with this probability, whatever block it is in. What
        the holdout is does not depend on ``validation``.
    by : {"blocks", "rows"}
        What is drawn.
    seed : int
        The seed of the draw.

    Returns
    -------
    Split
        A side is None when its share is 0.

    Raises
    ------
    DatasetError
        If no block or no row would be left to train on, or no row would be held out.
    """
    places = Places(edges_of(arrays.X.chunks[0]))
    if holdout == validation == 0:
        return Split(_part(arrays, places, lambda array: array))
    if by == "rows":
        return _split_rows(arrays, places, Draw(holdout, validation, seed))
    return _split_blocks(arrays, places, (holdout, validation), seed)


def _part(
    arrays: Arrays,
    places: Places,
    cut: Callable[[da.Array], da.Array],
    rows: Callable[[Place], np.ndarray] | None = None,
) -> Part:
    y, sample_weight = (
        None if array is None else cut(array) for array in (arrays.y, arrays.sample_weight)
    )
    alone = arrays.y_only
    y_only = y if alone is None or alone is arrays.y else cut(alone)
    X = cut(arrays.X)
    return Part(X, y, sample_weight, places, arrays.feature_names, arrays.frame, y_only, rows)


def _split_blocks(arrays: Arrays, places: Places, shares: tuple[float, float], seed: int) -> Split:
    n_blocks = len(places)
    n_held, n_validation = (max(1, round(share * n_blocks)) if share else 0 for share in shares)
    if n_held + n_validation >= n_blocks:
        raise DatasetError(
            "A holdout by blocks",
            "leave at least one block to train on",
            got=f"{n_blocks} block{'s' if n_blocks > 1 else ''} and {_asked(*shares)}",
            remedy="Make dataset.chunks smaller, or set dataset.holdout_by=rows.",
        )
    order = np.random.default_rng(derive(seed, "split")).permutation(n_blocks)
    held, validation, train = np.split(order, [n_held, n_held + n_validation])
    blocks = partial(_blocks, arrays, places)
    return Split(
        blocks(train),
        blocks(held) if n_held else None,
        blocks(validation) if n_validation else None,
    )


def _blocks(arrays: Arrays, places: Places, drawn: np.ndarray) -> Part:
    numbers = np.sort(drawn)
    sizes = tuple(map(arrays.X.chunks[0].__getitem__, numbers))
    return _part(arrays, places.some(numbers), lambda array: some_blocks(array, numbers, sizes))


@dataclass(frozen=True)
class Draw:
    """Decides of each row, whatever block it is in, which side it is on."""

    holdout: float
    validation: float
    seed: int

    def __call__(self, place: Place) -> np.ndarray:
        """Return the number of each row's side in ``SIDES``, of shape (n_rows,)."""
        drawn = uniform_rows(derive(self.seed, "split"), place.start, place.stop)
        edges = (self.holdout, self.holdout + self.validation)
        sides: np.ndarray = np.searchsorted(edges, drawn, side="right")
        return sides


def _split_rows(arrays: Arrays, places: Places, draw: Draw) -> Split:
    counts = np.array([np.bincount(draw(place), minlength=len(SIDES)) for place in places])

    def part(side: int) -> Part:
        if not counts[:, side].any():
            raise DatasetError(
                "A holdout by rows",
                "have at least one row on each side",
                got=f"no row {PURPOSES[side]}, of {places[-1].stop} with "
                f"{_asked(draw.holdout, draw.validation)}",
                remedy="Choose other shares, another dataset.seed, or more rows.",
            )
        sizes = tuple(counts[:, side].tolist())
        cut = partial(_rows, places=places, draw=draw, side=side, sizes=sizes)
        return _part(arrays, places, cut, partial(_row_numbers, draw, side))

    return Split(
        part(SIDES.index("train")),
        part(SIDES.index("holdout")) if draw.holdout else None,
        part(SIDES.index("validation")) if draw.validation else None,
    )


def _rows(
    array: da.Array, places: Places, draw: Draw, side: int, sizes: tuple[int, ...]
) -> da.Array:
    name = f"{SIDES[side]}-{tokenize(array.name, draw)}"
    takes = _Takes(array.name, array.ndim, places, draw, side)
    chunks = (sizes, *array.chunks[1:])
    meta = meta_from_array(array)
    return by_block(name, array.dask, (array.name,), takes, chunks=chunks, meta=meta)


@dataclass(frozen=True)
class _Takes:
    source: str
    n_dimensions: int
    places: Places
    draw: Draw
    side: int

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        block = TaskRef((self.source, index, *(0,) * (self.n_dimensions - 1)))
        return _take, block, self.places[index], self.draw, self.side


def _row_numbers(draw: Draw, side: int, place: Place) -> np.ndarray:
    numbers: np.ndarray = place.start + np.flatnonzero(draw(place) == side)
    return numbers


def _take(block: Any, place: Place, draw: Draw, side: int) -> Any:
    taken = block[draw(place) == side]
    return taken.reset_index(drop=True) if hasattr(taken, "reset_index") else taken


def _asked(holdout: float, validation: float) -> str:
    text = f"dataset.holdout={holdout}"
    return f"{text} and dataset.validation={validation}" if validation else text
