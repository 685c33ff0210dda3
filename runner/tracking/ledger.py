"""The order in which the blocks were learned, and how long each took."""

from collections.abc import Callable
from io import BytesIO
from math import nan
from typing import TYPE_CHECKING, Any

from runner.base import Block, Callback, Progress

if TYPE_CHECKING:
    import pyarrow as pa

_INTEGERS = ("epoch", "position", "block", "first_row", "last_row", "rows")
_TIMES = ("load_ms", "fit_ms")


class Ledger(Callback):
    """Keep one row per learned block, and hand them over when the fit ends, however it ends.

    Parameters
    ----------
    keep : callable
        Takes the table. Its columns are epoch, position in the epoch, block, first and last row
        of the block in the dataset, rows learned, milliseconds of loading and of fitting, the
        blocks that a buffer mixed the rows from, if any, and the progressive scores so far, NaN
        where there was none. Of a mix, block is the latest read, and all its rows lie between
        first and last row.
    """

    def __init__(self, keep: "Callable[[pa.Table], object]") -> None:
        self._keep = keep
        self._columns: dict[str, list[Any]] = {name: [] for name in (*_INTEGERS, *_TIMES)}
        self._mixed: list[tuple[int, ...]] = []
        self._scores: dict[str, list[float]] = {}
        self._fit_s = 0.0

    def on_fit_begin(self, progress: Progress, estimator: Any) -> None:
        """Start the clock."""
        self._fit_s = progress.fit_s

    def on_block_end(self, progress: Progress, block: Block) -> None:
        """Keep the row of the block."""
        place = block.place
        fit_ms = (progress.fit_s - self._fit_s) * 1000
        self._fit_s = progress.fit_s
        row = (
            *(block.epoch, block.position, place.number, place.start, place.stop - 1),
            *(block.n_rows, block.load_s * 1000, fit_ms),
        )
        known = len(self._columns["block"])
        for column, value in zip(self._columns.values(), row, strict=True):
            column.append(value)
        self._mixed.append(place.mixed)
        for name, score in progress.scores.items():
            scores = self._scores.setdefault(name, [])
            scores += [nan] * (known - len(scores)) + [score]

    def on_fit_end(self, progress: Progress) -> None:
        """Hand the table over."""
        self._keep(self.table())

    def table(self) -> "pa.Table":
        """Return the rows so far, in the order in which the blocks were learned."""
        import pyarrow as pa

        n_blocks = len(self._columns["block"])
        columns = {name: pa.array(self._columns[name], pa.int64()) for name in _INTEGERS}
        columns |= {name: pa.array(self._columns[name], pa.float64()) for name in _TIMES}
        columns["mixed"] = pa.array(self._mixed, pa.list_(pa.int64()))
        for name, scores in self._scores.items():
            padded = scores + [nan] * (n_blocks - len(scores))
            columns[f"progressive_{name}"] = pa.array(padded, pa.float64())
        return pa.table(columns)


def parquet(table: "pa.Table") -> bytes:
    """Write a table as the bytes of a Parquet file."""
    from pyarrow.parquet import write_table

    stream = BytesIO()
    write_table(table, stream)
    return stream.getvalue()
