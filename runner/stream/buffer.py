"""Rows of several blocks, from which others are drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from runner.base import Block, Place
from runner.errors import DatasetError

ARRAYS = ("X", "y", "sample_weight", "rows")
LEAST_LEFT = 0.9  # when a smaller share of what a block holds is left, only that is kept


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
        self._n_new = 0
        self._load_s = self._wait_s = 0.0
        self._content: int | None = None

    def add(self, block: Block) -> None:
        """Take the rows of a block, which is not changed."""
        self._pieces.append(_Piece(block))
        self._n_new += 1
        self._count(block, is_new=True)

    def draw(self, n_rows: int, rng: np.random.Generator) -> Block:
        """Take so many rows out, in random order.

        Returns
        -------
        Block
            Its ``load_s``, ``wait_s`` and ``content`` are those of the blocks added since the last
            draw; it has ``rows`` where those of every block they came from are known.
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
        load_s, wait_s = self._load_s, self._wait_s
        drawn = replace(block, load_s=load_s, wait_s=wait_s, content=self._content)
        self._n_new, self._load_s, self._wait_s = 0, 0.0, 0.0
        self._content = None if self._content is None else 0
        return drawn

    @property
    def missing(self) -> list[int]:
        """The numbers of the blocks that were added without data and have rows left."""
        return [piece.block.place.number for piece in self._pieces]

    def fill(self, blocks: Iterator[Block]) -> None:
        """Put data in the place of all that was added without.

        Raises
        ------
        DatasetError
            If a block does not have the rows that it had before.
        """
        first_new = len(self._pieces) - self._n_new
        for i, piece in enumerate(self._pieces):
            piece.fill(next(blocks))
            self._count(piece.block, is_new=i >= first_new)

    def _count(self, block: Block, *, is_new: bool) -> None:
        self._load_s += block.load_s
        self._wait_s += block.wait_s
        if block.content is not None:
            content = block.content if is_new else 0
            self._content = ((self._content or 0) + content) % 2**64


class _Piece:
    """A block, and which of its rows are left."""

    def __init__(self, block: Block) -> None:
        self.block = _numbered(block)
        self.left = np.arange(block.n_rows)

    def remove(self, part: np.ndarray) -> None:
        """Take some of ``left`` out, by their index in it."""
        self.left = np.delete(self.left, part)
        if len(self.left) < LEAST_LEFT * self.block.n_rows:
            self._keep(self.left)
            self.left = np.arange(len(self.left))

    def fill(self, block: Block) -> None:
        """Put the data of a block in the place of its row numbers."""
        rows, n_rows = self.block.rows, self.block.place.stop
        if block.error is not None:
            raise block.error
        if rows is None or block.n_rows != n_rows:
            raise DatasetError(
                block.place.subject,
                "have the rows it had before",
                got=f"{block.n_rows} of {n_rows}",
                remedy="Bring the data back as they were, or begin anew.",
            )
        self.block = _numbered(block)
        if len(rows) < n_rows:
            self._keep(rows)

    def _keep(self, rows: np.ndarray) -> None:
        arrays = {name: _taken(getattr(self.block, name), rows) for name in ARRAYS}
        self.block = replace(self.block, **arrays)


def _numbered(block: Block) -> Block:
    """Give a block the numbers of its rows, where they follow each other."""
    place = block.place
    if block.rows is not None or block.n_rows != place.stop - place.start:
        return block
    return replace(block, rows=np.arange(place.start, place.stop))


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
