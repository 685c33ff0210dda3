"""The order in which the blocks were learned, and how long each took."""

from array import array
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.base import Block, Callback, Place, Progress
from runner.errors import RunnerError
from runner.redaction import redacted

if TYPE_CHECKING:
    import pyarrow as pa

_INTEGERS = ("epoch", "position", "block", "first_row", "last_row", "rows")
_TIMES = ("load_ms", "wait_ms", "fit_ms")
_SETTINGS = ("_keep", "_counts_labels")
LEARNED, BAD = "learned", "bad"
MOST_LABELS = 100


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
        self._columns: dict[str, array[Any]] = {name: array("q") for name in _INTEGERS}
        self._columns |= {name: array("d") for name in _TIMES}
        self._scores: dict[str, array[float]] = {}
        self._mixed, self._mixed_stops = array("q"), array("i")
        self._label_names: dict[str, int] = {}
        self._labels, self._label_rows = array("i"), array("q")
        self._label_stops, self._has_labels = array("i"), bytearray()
        self._contents, self._has_content = array("Q"), bytearray()
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
        counts = label_counts(block.y) if self._counts_labels else None
        step, read_s = (block.epoch, block.position, block.n_rows), (block.load_s, block.wait_s)
        self._append(progress, block.place, step, read_s=read_s, counts=counts, content=content)
        for name, score in progress.scores.items():
            scores = self._scores.setdefault(name, array("d"))
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
        return {name: kept for name, kept in vars(self).items() if name not in _SETTINGS}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on after these rows, in the very columns of the state."""
        vars(self).update(state)
        names = (*_INTEGERS, *_TIMES)
        for name in set(names) - set(self._columns):  # not kept yet by what wrote the state
            self._columns[name] = array("d", [nan]) * len(self)
        self._columns = {name: self._columns[name] for name in names}

    def order_hash(self) -> str:
        """Return 32 hexadecimal digits for the epochs, numbers and rows of the learned blocks."""
        is_learned = np.ones(len(self), bool)
        is_learned[list(self._errors)] = False
        columns = [np.array(self._columns[name]) for name in ("epoch", "block", "rows")]
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

        columns = {name: pa.array(np.array(column)) for name, column in self._columns.items()}
        columns["mixed"] = pa.ListArray.from_arrays(
            _offsets(self._mixed_stops), pa.array(np.array(self._mixed))
        )
        columns["labels"] = self._labels_column()
        contents = zip(self._contents, self._has_content, strict=True)
        digits = [f"{content:016x}" if is_known else None for content, is_known in contents]
        errors = [self._errors.get(row) for row in range(len(self))]
        columns["content"] = pa.array(digits, pa.string())
        columns["status"] = pa.array([BAD if error else LEARNED for error in errors], pa.string())
        columns["error"] = pa.array(errors, pa.string())
        for name, scores in self._scores.items():
            padded = np.full(len(self), nan)
            padded[: len(scores)] = scores
            columns[f"progressive_{name}"] = pa.array(padded)
        return pa.table(columns)

    def _labels_column(self) -> "pa.MapArray":
        import pyarrow as pa

        names = pa.array(list(self._label_names), pa.string())
        return pa.MapArray.from_arrays(
            _offsets(self._label_stops, self._has_labels),
            names.take(pa.array(np.array(self._labels))),
            pa.array(np.array(self._label_rows)),
        )

    def _append(
        self,
        progress: Progress,
        place: Place,
        step: tuple[int, int, int],
        *,
        read_s: tuple[float, float],
        counts: dict[str, int] | None = None,
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


def label_counts(y: Any) -> dict[str, int] | None:
    """Count the rows of each label, where they are integers, booleans or text.

    Parameters
    ----------
    y : ndarray of shape (n_rows,), or anything else

    Returns
    -------
    dict of str to int, or None
        None for other targets, for several outputs, and for more than 100 labels.

    Examples
    --------
    >>> label_counts(np.array(["b", "a", "b"])), label_counts(np.array([1, 0, 1]))
    ({'a': 1, 'b': 2}, {'0': 1, '1': 2})
    """
    if getattr(y, "ndim", 0) != 1 or y.dtype.kind not in "biuUO":
        return None
    if y.dtype.kind in "UO":
        counted = _counted(y)  # several times faster than to sort text
    else:
        labels, rows = np.unique(y, return_counts=True)
        counted = dict(zip(labels.tolist(), rows.tolist(), strict=True))
    if not 0 < len(counted) <= MOST_LABELS:
        return None
    if not all(isinstance(label, str | int) for label in counted):
        return None
    counts: Counter[str] = Counter()
    for label, n_rows in counted.items():
        counts[str(label)] += n_rows
    return dict(sorted(counts.items()))


def _counted(labels: np.ndarray) -> dict[Any, int]:
    try:
        return Counter(labels.tolist())
    except TypeError:  # they cannot be hashed
        return {}


def parquet(table: "pa.Table") -> bytes:
    """Write a table as the bytes of a Parquet file."""
    from pyarrow.parquet import write_table

    stream = BytesIO()
    write_table(table, stream)
    return stream.getvalue()


def _offsets(stops: "array[int]", is_there: bytearray | None = None) -> "pa.Array":
    """Return where the lists of a column begin, and null where there is none."""
    import pyarrow as pa

    offsets = np.array([0, *stops], np.int32)
    mask = None if is_there is None else np.array([not there for there in (*is_there, 1)])
    return pa.array(offsets, mask=mask)
