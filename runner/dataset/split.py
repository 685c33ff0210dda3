"""Train and holdout: two lazy views of the same blocks that share no row."""

from itertools import pairwise
from typing import Any

import dask.array as da
import numpy as np

from runner.base import Part, Place
from runner.dataset.lazy import Arrays
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
        If no block would be left to train on.
    """
    edges = np.concatenate([[0], np.cumsum(arrays.X.chunks[0])]).tolist()
    places = [Place(i, start, stop) for i, (start, stop) in enumerate(pairwise(edges))]
    if holdout == 0:
        return _blocks_part(arrays, places, list(range(len(places)))), None
    if by == "rows":
        return (
            _rows_part(arrays, places, holdout, seed, held_out=False),
            _rows_part(arrays, places, holdout, seed, held_out=True),
        )
    held = _held_blocks(len(places), holdout, seed)
    kept = [i for i in range(len(places)) if i not in held]
    return _blocks_part(arrays, places, kept), _blocks_part(arrays, places, sorted(held))


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


def _blocks_part(arrays: Arrays, places: list[Place], numbers: list[int]) -> Part:
    every = len(numbers) == len(places)
    X, y, weight = (
        array if array is None or every else array.blocks[numbers]
        for array in (arrays.X, arrays.y, arrays.sample_weight)
    )
    return Part(X, y, weight, tuple(places[i] for i in numbers), arrays.feature_names)


def _rows_part(
    arrays: Arrays, places: list[Place], holdout: float, seed: int, *, held_out: bool
) -> Part:
    choice = (holdout, seed, held_out)
    sizes = tuple(int(_chosen(place, *choice).sum()) for place in places)
    X, y, weight = (
        None
        if array is None
        else da.map_blocks(
            _take,
            array,
            places,
            choice,
            dtype=array.dtype,
            meta=array._meta,  # noqa: SLF001  (Dask documents `meta=` and offers no getter)
            chunks=(sizes, *array.chunks[1:]),
        )
        for array in (arrays.X, arrays.y, arrays.sample_weight)
    )
    return Part(X, y, weight, tuple(places), arrays.feature_names)


def _chosen(place: Place, holdout: float, seed: int, held_out: bool) -> np.ndarray:  # noqa: FBT001
    drawn = uniform_rows(derive(seed, "split"), place.start, place.stop)
    return (drawn < holdout) == held_out


def _take(
    block: Any,
    places: list[Place],
    choice: tuple[float, int, bool],
    block_id: tuple[int, ...] | None = None,
) -> Any:
    if block_id is None:
        return block
    return block[_chosen(places[block_id[0]], *choice)]
