"""A column of numbers that grows by one at a time, and stays small."""

import zlib
from array import array
from collections.abc import Iterable
from typing import Any, Self

import numpy as np

PIECE = 4096
LEVEL = 1  # the fastest


class Column:
    """Numbers of one type: the latest as they are, those before compressed in pieces.

    Parameters
    ----------
    typecode : str
        As of the standard library's ``array``.

    Examples
    --------
    >>> column = Column("q")
    >>> column.extend(range(10_000))
    >>> len(column), column.values()[-2:].tolist()
    (10000, [9998, 9999])
    """

    def __init__(self, typecode: str) -> None:
        self._pieces: list[bytes] = []
        self._latest: array[Any] = array(typecode)

    @classmethod
    def of(cls, state: Any) -> Self:
        """Return a column from its state, or of the numbers of an ``array``."""
        pieces, latest = state if isinstance(state, tuple) else ([], state)
        column = cls(latest.typecode)
        column._pieces, column._latest = pieces, latest
        return column

    def state(self) -> tuple[list[bytes], "array[Any]"]:
        """Return what ``of`` takes, which is what the column holds, not a copy."""
        return self._pieces, self._latest

    def __len__(self) -> int:
        return PIECE * len(self._pieces) + len(self._latest)

    def append(self, number: float) -> None:
        """Add a number."""
        self._latest.append(number)
        if len(self._latest) >= PIECE:
            self._compress()

    def extend(self, numbers: Iterable[float]) -> None:
        """Add numbers."""
        for number in numbers:
            self.append(number)

    def values(self) -> np.ndarray:
        """Return all numbers, of shape (n_numbers,)."""
        latest = np.array(self._latest)
        before = [np.frombuffer(zlib.decompress(piece), latest.dtype) for piece in self._pieces]
        return np.concatenate([*before, latest])

    def _compress(self) -> None:
        pieces, latest = self._pieces, self._latest
        while len(latest) >= PIECE:
            pieces.append(zlib.compress(latest[:PIECE].tobytes(), LEVEL))
            del latest[:PIECE]
