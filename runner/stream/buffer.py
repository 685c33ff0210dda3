"""Mix the rows of several blocks, so that sorted data do not reach the learner sorted."""

from collections import deque
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from runner.base import Block, Place
from runner.seeds import derive

ARRAYS = ("X", "y", "sample_weight", "rows")
LEAST_LEFT = 0.9  # when a smaller share of what a block holds is left, only that is kept


def mixed(blocks: Generator[Block], buffer_blocks: int, epoch: int, seed: int) -> Generator[Block]:
    """Yield the rows of an epoch's blocks in another order, each row once.

    The rows of ``buffer_blocks`` blocks wait in a buffer. Each block that is yielded is drawn from
    all of them, uniformly and without replacement; then the next block takes the free places. As
    many blocks are yielded as are read, of the same sizes in the same order; an empty block is
    passed on at once.

    Parameters
    ----------
    blocks : generator of Block
        Closed when this generator is.
    buffer_blocks : int
        How many blocks the buffer holds, at least 1; with 1 each row stays in its block.
    epoch, seed : int
        Decide what is drawn, with the position of the block that is yielded.
    """
    buffer = Buffer()
    sizes: deque[int] = deque()
    positions = count()

    def drawn() -> Block:
        position = next(positions)
        rng = np.random.default_rng(derive(seed, "rows", epoch, position))
        return replace(buffer.draw(sizes.popleft(), rng), epoch=epoch, position=position)

    with closing(blocks):
        for block in blocks:
            if block.n_rows == 0:
                yield replace(block, position=next(positions))
                continue
            sizes.append(block.n_rows)
            buffer.add(block)
            del block  # else its memory could not be let go while the next one is read
            if len(sizes) == buffer_blocks:
                yield drawn()
        while sizes:
            yield drawn()


class Buffer:
    """Rows of several blocks, any of which can be drawn.

    Rows that are drawn are only marked until they are a tenth of what a block holds; then the
    others are copied and it is let go. So a row is copied ten times at most, however large the
    buffer is, and what is only marked takes a tenth of the memory at most.

    Examples
    --------
    >>> buffer = Buffer()
    >>> for number in (0, 1):
    ...     X = np.full((2, 1), number)
    ...     buffer.add(Block(X, None, None, Place(number, 2 * number, 2 * number + 2)))
    >>> block = buffer.draw(3, np.random.default_rng(0))
    >>> block.X.ravel(), block.rows
    (array([1, 0, 1]), array([3, 1, 2]))
    >>> print(block.place)
    a mix of blocks 0 and 1 (from rows 0 to 3)
    """

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []
        self._load_s = 0.0

    def add(self, block: Block) -> None:
        """Take the rows of a block, which is not changed."""
        self._pieces.append(_Piece(block))
        self._load_s += block.load_s

    def draw(self, n_rows: int, rng: np.random.Generator) -> Block:
        """Take so many rows out, in random order.

        Returns
        -------
        Block
            Its ``load_s`` is that of the blocks added since the last draw; it has ``rows`` where
            those of every block they came from are known.
        """
        stops = np.cumsum([len(piece.left) for piece in self._pieces])
        chosen = np.sort(rng.choice(stops[-1], n_rows, replace=False, shuffle=False))
        starts = (0, *stops[:-1])
        parts = np.split(chosen, np.searchsorted(chosen, starts[1:]))
        hit = [
            (piece, part - start)
            for piece, part, start in zip(self._pieces, parts, starts, strict=True)
            if len(part)
        ]
        block = _gathered(
            [piece.block for piece, _ in hit],
            [piece.left[part] for piece, part in hit],
            rng.permutation(n_rows),
        )
        for piece, part in hit:
            piece.remove(part)
        self._pieces = [piece for piece in self._pieces if len(piece.left)]
        load_s, self._load_s = self._load_s, 0.0
        return replace(block, load_s=load_s)


class _Piece:
    """A block, and which of its rows are left."""

    def __init__(self, block: Block) -> None:
        place = block.place
        if block.rows is None and block.n_rows == place.stop - place.start:
            block = replace(block, rows=np.arange(place.start, place.stop))
        self.block = block
        self.left = np.arange(block.n_rows)

    def remove(self, part: np.ndarray) -> None:
        """Take some of ``left`` out, by their index in it."""
        self.left = np.delete(self.left, part)
        if len(self.left) < LEAST_LEFT * self.block.n_rows:
            arrays = {name: _taken(getattr(self.block, name), self.left) for name in ARRAYS}
            self.block = replace(self.block, **arrays)
            self.left = np.arange(len(self.left))


def _gathered(blocks: Sequence[Block], rows: Sequence[np.ndarray], order: np.ndarray) -> Block:
    """Make one block of some rows of each of several."""
    places = [block.place for block in blocks]
    place = Place(
        number=places[-1].number,
        start=min(place.start for place in places),
        stop=max(place.stop for place in places),
        mixed=tuple(sorted(place.number for place in places)),
    )
    arrays = {
        name: _joined([getattr(block, name) for block in blocks], rows, order) for name in ARRAYS
    }
    return Block(**arrays, place=place)


def _taken(array: Any, rows: np.ndarray) -> Any:
    if array is None:
        return None
    if isinstance(array, np.ndarray):
        return array.take(rows, axis=0)  # several times faster than array[rows]
    return array.iloc[rows] if hasattr(array, "iloc") else array[rows]


def _joined(arrays: Sequence[Any], rows: Sequence[np.ndarray], order: np.ndarray) -> Any:
    """Put some rows of each array into the given places of a new one of the same kind."""
    first = arrays[0]
    if any(array is None for array in arrays):
        return None
    if isinstance(first, np.ndarray):
        dtypes = dict.fromkeys(array.dtype for array in arrays)
        joined = np.empty((len(order), *first.shape[1:]), np.result_type(*dtypes))
        places = np.split(order, np.cumsum([len(part) for part in rows])[:-1])
        for array, part, where in zip(arrays, rows, places, strict=True):
            joined[where] = _taken(array, part)
        return joined
    taken = [_taken(array, part) for array, part in zip(arrays, rows, strict=True)]
    if hasattr(first, "iloc"):
        import pandas as pd

        return pd.concat(taken, ignore_index=True).iloc[np.argsort(order)]
    from scipy import sparse

    return sparse.vstack(taken, format="csr")[np.argsort(order)]
