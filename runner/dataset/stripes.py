"""An order of rows in which every stretch looks like the whole."""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from runner.dataset.spans import edges_of, spans


@dataclass(frozen=True, eq=False)
class Stripes:
    """The rows of several sources, cut in stripes that hold the same share of each source.

    Within a stripe the sources follow each other. One stripe is simply source after source.

    Parameters
    ----------
    sizes : ndarray of shape (n_sources,)
        The rows of each source.
    n_stripes : int
        How many stripes to cut, at least 1.
    """

    sizes: np.ndarray
    n_stripes: int

    def runs(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Say which source, and from which to which of its rows, the rows [start, stop) are.

        Examples
        --------
        >>> stripes = Stripes(np.array([4, 2]), n_stripes=2)
        >>> list(stripes.runs(0, 6))
        [(0, 0, 2), (1, 0, 1), (0, 2, 4), (1, 1, 2)]
        >>> list(stripes.runs(1, 4))
        [(0, 1, 2), (1, 0, 1), (0, 2, 3)]
        """
        stripe = bisect.bisect_right(range(self.n_stripes), start, key=self._first_row) - 1
        while start < stop:
            taken, until = self._taken(stripe), self._taken(stripe + 1)
            edges = edges_of(until - taken) + int(taken.sum())
            for source, begin, end in spans(edges, start, min(stop, int(edges[-1]))):
                yield source, int(taken[source]) + begin, int(taken[source]) + end
            start = max(start, int(edges[-1]))
            stripe += 1

    def _taken(self, stripe: int) -> np.ndarray:
        return self.sizes * stripe // self.n_stripes

    def _first_row(self, stripe: int) -> int:
        return int(self._taken(stripe).sum())
