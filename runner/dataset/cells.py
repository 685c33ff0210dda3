"""Made-up rows whose content does not depend on the blocks they are asked for in."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from runner.dataset.chunks import row_chunks
from runner.dataset.lazy import Arrays, from_reader
from runner.dataset.permutation import Order, unshuffled
from runner.seeds import derive

CELL_ROWS = 1024


class DrawRows(Protocol):
    """The law of a made-up dataset: what it takes to draw any of its rows."""

    def __call__(
        self, rng: np.random.Generator, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw X and y of the rows with these numbers."""


@dataclass(frozen=True)
class CellReader:
    """Reads any rows of a made-up dataset, drawing them cell by cell.

    Cells are fixed spans of rows, each with a random stream of its own, and are always drawn
    whole. So the bits of a row depend on the seed and the number of the row only. Safe to call
    from several threads at once.
    """

    draw: DrawRows
    n_rows: int
    metas: tuple[np.ndarray, np.ndarray]
    random_state: int

    def __call__(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Return X and y of the rows [start, stop)."""
        X, y = (np.empty((stop - start, *meta.shape[1:]), meta.dtype) for meta in self.metas)
        for first in range(start - start % CELL_ROWS, stop, CELL_ROWS):
            last = min(first + CELL_ROWS, self.n_rows)
            rng = np.random.default_rng(derive(self.random_state, "cell", first // CELL_ROWS))
            cell_X, cell_y = self.draw(rng, np.arange(first, last))
            wanted = slice(max(start, first), min(stop, last))
            target, source = _shifted(wanted, start), _shifted(wanted, first)
            X[target], y[target] = cell_X[source], cell_y[source]
        return X, y


def from_cells(
    draw: DrawRows,
    n_rows: int,
    metas: tuple[np.ndarray, np.ndarray],
    random_state: int,
    chunks: int | str,
) -> Arrays:
    """Make the lazy arrays of a made-up dataset.

    Parameters
    ----------
    draw : callable
        Draws X and y of some rows; picklable.
    n_rows : int
        Rows in all.
    metas : tuple of two ndarray
        Empty arrays that show the type and width of X and y, of shape (0, p) or (0,).
    random_state : int
        The seed.
    chunks : int or str
        Rows or bytes per block, or ``"auto"``.
    """
    row_nbytes = metas[0].itemsize * metas[0].shape[1]
    read = CellReader(draw, n_rows, metas, random_state)
    return from_reader(read, row_chunks(chunks, n_rows, row_nbytes), metas)


def structure(random_state: int, name: str) -> np.random.Generator:
    """Return the generator of one part of what all rows share, such as the centers of clusters."""
    return np.random.default_rng(derive(random_state, "structure", name))


@dataclass(frozen=True)
class Clusters:
    """Which cluster each row belongs to, with an exact number of rows in each.

    ``sizes`` are the rows of each cluster, shape (n_clusters,); they are sorted by cluster before
    ``order`` shuffles them.
    """

    sizes: np.ndarray
    order: Order = unshuffled

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the number of the cluster of each row, from 0.

        Examples
        --------
        >>> Clusters(np.array([2, 3]))(np.arange(5))
        array([0, 0, 1, 1, 1])
        """
        return np.searchsorted(np.cumsum(self.sizes), self.order(rows), side="right")


def _shifted(rows: slice, start: int) -> slice:
    return slice(rows.start - start, rows.stop - start)
