"""A shuffle of row numbers that costs no memory and can be asked about any row."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from runner.seeds import derive

Order: TypeAlias = Callable[[np.ndarray], np.ndarray]

ROUNDS = 4
HALF = np.uint64(32)


@dataclass(frozen=True)
class Permutation:
    """A seeded bijection of the numbers below ``n``, computed number by number.

    A Feistel network whose two halves are the row and the column of a number in a table of nearly
    ``n`` cells. Cells beyond ``n`` are passed through it again, until the result is below ``n``:
    methods 2 and 3 of Black and Rogaway, *Ciphers with arbitrary finite domains*, CT-RSA 2002.
    The round function is the mixer of Steele, Lea and Flood, *Fast splittable pseudorandom number
    generators*, OOPSLA 2014. Made for mixing rows, not for keeping secrets.

    Parameters
    ----------
    n : int
        How many numbers are permuted.
    keys : tuple of int
        Two per round, 64 bits each.

    Examples
    --------
    >>> order = permutation(np.random.SeedSequence(0), 10)
    >>> order(np.arange(10))
    array([0, 1, 9, 3, 4, 7, 5, 2, 6, 8])
    """

    n: int
    keys: tuple[int, ...]

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Return where each number goes.

        Parameters
        ----------
        numbers : ndarray of int, shape (n_numbers,)
            Each at least 0 and below ``n``.

        Returns
        -------
        ndarray of int64, shape (n_numbers,)
        """
        moved = self._pass(numbers.astype(np.uint64))
        while (beyond := moved >= self.n).any():
            moved[beyond] = self._pass(moved[beyond])
        return moved.astype(np.int64)

    def _pass(self, numbers: np.ndarray) -> np.ndarray:
        height = np.uint64(math.isqrt(self.n - 1) + 1)
        width = np.uint64(-(-self.n // int(height)))
        row, column = np.divmod(numbers, width)
        for row_key, column_key in zip(self.keys[::2], self.keys[1::2], strict=True):
            row = _rotated(row, column, row_key, height)
            column = _rotated(column, row, column_key, width)
        return row * width + column


def permutation(sequence: np.random.SeedSequence, n: int) -> Permutation:
    """Draw a permutation of the numbers below ``n``."""
    return Permutation(n, tuple(sequence.generate_state(2 * ROUNDS, np.uint64).tolist()))


def unshuffled(numbers: np.ndarray) -> np.ndarray:
    """Return the numbers as they are: the order of rows that are not shuffled."""
    return numbers


def row_order(n_rows: int, shuffle: bool, random_state: int) -> Order:
    """Return what tells which row of the source each row of the dataset is.

    Parameters
    ----------
    n_rows : int
        Rows in all.
    shuffle : bool
        False keeps the rows of the source in order.
    random_state : int
        The seed of the shuffle.

    Returns
    -------
    callable
        Takes and returns row numbers of shape (n_numbers,); picklable.

    Examples
    --------
    >>> row_order(5, shuffle=True, random_state=0)(np.arange(5))
    array([3, 1, 0, 2, 4])
    >>> row_order(5, shuffle=False, random_state=0)(np.arange(5))
    array([0, 1, 2, 3, 4])
    """
    return permutation(derive(random_state, "rows"), n_rows) if shuffle else unshuffled


def _rotated(half: np.ndarray, other: np.ndarray, key: int, size: np.uint64) -> np.ndarray:
    """Add to one half, modulo its size, what the mixer makes of the other half."""
    bits = other + np.uint64(key)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    added = half + ((bits >> HALF) * size >> HALF)
    # Unsigned, so where the sum is below the size the difference wraps around and is the larger.
    rotated: np.ndarray = np.minimum(added, added - size)
    return rotated
