"""Where the blocks of a part are, without an object for each."""

from collections.abc import Sequence
from typing import overload

import numpy as np

from runner.base import Place


class Places(Sequence[Place]):
    """The places of some blocks of a dataset, each made when it is asked for.

    It is like the tuple of them, and equal to it.

    Parameters
    ----------
    edges : ndarray of int64, shape (n_blocks_of_the_dataset + 1,)
        The first row of each block, and the number of rows.
    numbers : ndarray of int64, optional
        Which blocks; all, if not given.

    Examples
    --------
    >>> places = Places(np.array([0, 25, 50, 60]), np.array([0, 2]))
    >>> len(places), places[-1]
    (2, Place(number=2, start=50, stop=60, mixed=()))
    >>> places == (Place(0, 0, 25), Place(2, 50, 60))
    True
    """

    def __init__(self, edges: np.ndarray, numbers: np.ndarray | None = None) -> None:
        self._edges = edges
        self._numbers = np.arange(len(edges) - 1) if numbers is None else numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Place: ...

    @overload
    def __getitem__(self, index: slice) -> "Places": ...

    def __getitem__(self, index: int | slice) -> "Place | Places":
        if isinstance(index, slice):
            return Places(self._edges, self._numbers[index])
        number = int(self._numbers[index])
        return Place(number, int(self._edges[number]), int(self._edges[number + 1]))

    def some(self, numbers: np.ndarray) -> "Places":
        """Return the places of the blocks with these numbers in the dataset."""
        return Places(self._edges, numbers)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, tuple | Places):
            return NotImplemented
        return len(self) == len(other) and all(map(Place.__eq__, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))
