"""The order in which the blocks were learned, and how long each took."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from io import BytesIO
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.base import Block, Callback, Place, Progress
from runner.elsewhere import label_counts
from runner.errors import RunnerError
from runner.redaction import redacted
from runner.tracking.column import Column

if TYPE_CHECKING:
    import pyarrow as pa

_INTEGERS = ("epoch", "position", "block", "first_row", "last_row", "rows")
_TIMES = ("load_ms", "wait_ms", "fit_ms")
_SETTINGS = ("_keep", "_counts_labels")
_TABLES = ("_columns", "_scores")
_COLUMNS = ("_mixed", "_mixed_stops", "_labels", "_label_rows", "_label_stops", "_contents")
LEARNED, BAD = "learned", "bad"
GROUP_ROWS = 1024  # the writer holds the columns of a group several times over


class Ledger(Callback):
    """Keep one row per learned block, and hand them over when the fit ends, however it ends.

    Parameters
    ----------
    keep : callable
        Takes the table; ``table`` tells its columns.
    counts_labels : bool
        Count how many rows of each block hold each label.
    """

    def __init__(
        self, keep: "Callable[[pa.Table], object]", *, counts_labels: bool = False
    ) -> None:
        self._keep = keep
        self._counts_labels = counts_labels
        self._columns = {name: Column("q") for name in _INTEGERS}
        self._columns |= {name: Column("d") for name in _TIMES}
        self._scores: dict[str, Column] = {}
        self._mixed, self._mixed_stops = Column("q"), Column("i")
        self._label_names: dict[str, int] = {}
        self._labels, self._label_rows = Column("i"), Column("q")
        self._label_stops, self._has_labels = Column("i"), bytearray()
        self._contents, self._has_content = Column("Q"), bytearray()
        self._errors: dict[int, str] = {}
        self._fit_s = 0.0

    def __len__(self) -> int:
        """Return how many blocks are kept."""
        return len(self._columns["block"])

    def on_fit_begin(self, progress: Progress, estimator: Any) -> None:
        """Start the clock."""
        self._fit_s = progress.fit_s

    def on_block_end(self, progress: Progress, block: Block) -> None:
        """Keep the row of the block."""
        known, content = len(self), block.content
        counts = label_counts(block) if self._counts_labels else None
        step, read_s = (block.epoch, block.position, block.n_rows), (block.load_s, block.wait_s)
        self._append(progress, block.place, step, read_s=read_s, counts=counts, content=content)
        for name, score in progress.scores.items():
            scores = self._scores.setdefault(name, Column("d"))
            scores.extend([nan] * (known - len(scores)) + [score])

    def on_bad_block(
        self, progress: Progress, place: Place, epoch: int, position: int, error: RunnerError
    ) -> None:
        """Keep the row of a block that was passed over, and why."""
        self._errors[len(self)] = redacted(str(error))
        self._append(progress, place, (epoch, position, 0), read_s=(nan, nan))

    def on_fit_end(self, progress: Progress) -> None:
        """Hand the table over."""
        self._keep(self.table())

    def state(self) -> dict[str, Any]:
        """Return all rows so far: the very columns, to be pickled before the next block."""
        return {name: _plain(kept) for name, kept in vars(self).items() if name not in _SETTINGS}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on after these rows, in the very columns of the state."""
        for name, kept in state.items():
            if name in _TABLES:
                vars(self)[name] = {each: Column.of(column) for each, column in kept.items()}
            else:
                vars(self)[name] = Column.of(kept) if name in _COLUMNS else kept
        names = (*_INTEGERS, *_TIMES)
        for name in set(names) - set(self._columns):  # not kept yet by what wrote the state
            self._columns[name] = Column("d")
            self._columns[name].extend([nan] * len(self))
        self._columns = {name: self._columns[name] for name in names}

    def order_hash(self) -> str:
        """Return 32 hexadecimal digits for the epochs, numbers and rows of the learned blocks."""
        is_learned = np.ones(len(self), bool)
        is_learned[list(self._errors)] = False
        columns = [self._columns[name].values() for name in ("epoch", "block", "rows")]
        steps = np.column_stack(columns)[is_learned].astype("<i8")
        return sha256(steps.tobytes()).hexdigest()[:32]

    def table(self) -> "pa.Table":
        """Return the rows so far, in the order in which the blocks were learned.

        Returns
        -------
        pyarrow.Table
            The columns are epoch, position in the epoch, block, first and last row of the block
            in the dataset, rows learned, milliseconds of loading, of waiting for that and of
            fitting; ``mixed``, the blocks that a buffer mixed the rows from, if any; ``labels``,
            how many rows hold each label; ``content``, the hash of what was read, in 16
            hexadecimal digits; ``status``, which is "learned" or "bad", and the ``error`` of a bad
            block; and the progressive scores so far, NaN where there was none. Of a mix, block is
            the latest read, all its rows lie between first and last row, and content is that of
            the blocks read since the mix before. What is not known of a block is null, or NaN.
        """
        import pyarrow as pa

        columns = {name: pa.array(column.values()) for name, column in self._columns.items()}
        columns["mixed"] = pa.ListArray.from_arrays(
            _offsets(self._mixed_stops), pa.array(self._mixed.values())
        )
        columns["labels"] = self._labels_column()
        columns["content"] = self._content_column()
        errors = [self._errors.get(row) for row in range(len(self))]
        columns["status"] = pa.array([BAD if error else LEARNED for error in errors], pa.string())
        columns["error"] = pa.array(errors, pa.string())
        for name, scores in self._scores.items():
            padded = np.full(len(self), nan)
            padded[: len(scores)] = scores.values()
            columns[f"progressive_{name}"] = pa.array(padded)
        return pa.table(columns)

    def _content_column(self) -> "pa.Array":
        import pyarrow as pa

        digits = self._contents.values().astype(">u8").tobytes().hex().encode()
        is_unknown = np.array(self._has_content, np.uint8) == 0
        return pa.array(np.frombuffer(digits, "S16"), pa.string(), mask=is_unknown)

    def _labels_column(self) -> "pa.MapArray":
        import pyarrow as pa

        names = pa.array(list(self._label_names), pa.string())
        return pa.MapArray.from_arrays(
            _offsets(self._label_stops, self._has_labels),
            names.take(pa.array(self._labels.values())),
            pa.array(self._label_rows.values()),
        )

    def _append(
        self,
        progress: Progress,
        place: Place,
        step: tuple[int, int, int],
        *,
        read_s: tuple[float, float],
        counts: Mapping[str, int] | None = None,
        content: int | None = None,
    ) -> None:
        epoch, position, n_rows = step
        fit_ms = (progress.fit_s - self._fit_s) * 1000
        self._fit_s = progress.fit_s
        integers = (epoch, position, place.number, place.start, place.stop - 1, n_rows)
        row = (*integers, *(seconds * 1000 for seconds in read_s), fit_ms)
        for column, value in zip(self._columns.values(), row, strict=True):
            column.append(value)
        self._mixed.extend(place.mixed)
        self._mixed_stops.append(len(self._mixed))
        names = self._label_names
        for label, rows in (counts or {}).items():
            self._labels.append(names.setdefault(label, len(names)))
            self._label_rows.append(rows)
        self._label_stops.append(len(self._labels))
        self._has_labels.append(counts is not None)
        self._contents.append(content or 0)
        self._has_content.append(content is not None)


def parquet(table: "pa.Table") -> bytes:
    """Write a table as the bytes of a Parquet file."""
    from pyarrow.parquet import write_table

    stream = BytesIO()
    write_table(table, stream, row_group_size=GROUP_ROWS)
    return stream.getvalue()


def _plain(kept: Any) -> Any:
    """Return what a state holds of something: of a column, what it is made of."""
    if isinstance(kept, Column):
        return kept.state()
    if isinstance(kept, dict):
        return {name: _plain(each) for name, each in kept.items()}
    return kept


def _offsets(stops: Column, is_there: bytearray | None = None) -> "pa.Array":
    """Return where the lists of a column begin, and null where there is none."""
    import pyarrow as pa

    offsets = np.zeros(len(stops) + 1, np.int32)
    offsets[1:] = stops.values()
    mask = None if is_there is None else np.append(np.array(is_there, np.uint8) == 0, False)
    return pa.array(offsets, mask=mask)
