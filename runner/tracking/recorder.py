"""The curves of a fit, thinned to what a chart can show."""

import time
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from runner.base import Block, Callback, Progress
from runner.tracking.spool import Point

POINTS = 1000
Curves: TypeAlias = dict[str, list[tuple[int, float]]]


class Log(Protocol):
    """What takes metrics."""

    def __call__(self, values: Mapping[str, float], step: int) -> list[Point]:
        """Log metrics at a step; return them as they were logged."""


class Recorder(Callback):
    """Log how a fit goes: the scores on the way, the speed and the blocks, over the rows seen.

    A curve has about 1,000 points, evenly spaced, however many blocks there are; while the rows
    to learn are unknown, a point is due after half a percent more rows. The last block always
    has one. The first block has no progressive score, because nothing was learned before it.

    Parameters
    ----------
    log : callable
        Takes the metrics and their step.

    Attributes
    ----------
    progress : Progress or None
        Of the fit that is or was recorded.
    curves : dict of str to list of (int, float)
        What was logged of each progressive score: rows seen, and the score then.
    validation : dict of str to list of (int, float)
        The same of the scores on rows that are not learned from.
    latest : list of Point
        The last point of each curve.
    """

    def __init__(self, log: Log) -> None:
        self.progress: Progress | None = None
        self.curves: Curves = {}
        self.validation: Curves = {}
        self.latest: list[Point] = []
        self._log = log
        self._due = 0.0
        self._logged = 0
        self._since = (0, 0.0)

    def on_fit_begin(self, progress: Progress, estimator: Any) -> None:
        """Start the clock."""
        self.progress = progress
        self._logged = progress.rows
        self._since = (progress.rows, time.perf_counter())

    def state(self) -> Any:
        """Return where the next point is due, and the curves so far."""
        curves = [
            {name: list(points) for name, points in curves.items()}
            for curves in (self.curves, self.validation)
        ]
        return self._due, self._logged, curves, list(self.latest)

    def restore(self, state: Any) -> None:
        """Go on with the curves; the speed is measured anew."""
        self._due, self._logged, (self.curves, self.validation), self.latest = state

    def on_block_end(self, progress: Progress, block: Block) -> None:
        """Log a point when one is due."""
        if progress.rows >= self._due:
            self._record(progress)
            self._due = progress.rows + spacing(progress)

    def on_held_out(self, progress: Progress) -> None:
        """Log the scores on rows that are not learned from."""
        for name, score in progress.held_out.items():
            self.validation.setdefault(name, []).append((progress.rows, score))
        values = {f"validation/{name}": score for name, score in progress.held_out.items()}
        self._log(values, progress.rows)

    def on_fit_end(self, progress: Progress) -> None:
        """Log the last point, how much was learned, and where the time went."""
        if progress.is_over and progress.rows > self._logged:
            self._record(progress)
        totals = {"time/fit_s": progress.fit_s, "time/load_s": progress.load_s}
        totals["progress/rows"] = progress.rows
        if progress.empty_blocks:
            totals["progress/empty_blocks"] = progress.empty_blocks
        if progress.best_rows is not None:
            totals["progress/best_rows"] = progress.best_rows
        self._log(totals, 0)

    def _record(self, progress: Progress) -> None:
        now = time.perf_counter()
        rows, began = self._since
        speed = (progress.rows - rows) / max(now - began, 1e-9)
        self._logged, self._since = progress.rows, (progress.rows, now)
        values = {"progress/rows_per_second": speed, "progress/blocks": progress.blocks}
        for name, score in progress.scores.items():
            values[f"train/progressive_{name}"] = score
            self.curves.setdefault(name, []).append((progress.rows, score))
        self.latest = self._log(values, progress.rows)


def spacing(progress: Progress) -> float:
    """Return how many rows lie between two points of a curve.

    Examples
    --------
    >>> spacing(Progress(total_rows=2_000_000))
    2000.0
    >>> spacing(Progress(total_rows=None, rows=6000))
    30.0
    """
    if progress.total_rows is None:
        return progress.rows / 200
    return max(progress.total_rows, progress.rows) / POINTS
