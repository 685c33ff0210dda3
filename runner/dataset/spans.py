"""Which parts of parts laid end to end hold some rows."""

from collections.abc import Iterator, Sequence

import numpy as np


def edges_of(sizes: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the first row of each part, and the number of rows, as int64.

    Examples
    --------
    >>> edges_of([4, 0, 5])
    array([0, 4, 4, 9])
    """
    return np.cumsum([0, *sizes], dtype=np.int64)


def spans(edges: np.ndarray, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Say which part, and from which to which of its own rows, the rows [start, stop) are.

    Examples
    --------
    >>> list(spans(edges_of([4, 0, 5]), 3, 7))
    [(0, 3, 4), (2, 0, 3)]
    """
    first = int(np.searchsorted(edges, start, side="right")) - 1
    last = int(np.searchsorted(edges, stop, side="left"))
    for part in range(first, last):
        begin, size = int(edges[part]), int(edges[part + 1] - edges[part])
        first_row, end_row = max(start - begin, 0), min(stop - begin, size)
        if first_row < end_row:
            yield part, first_row, end_row
