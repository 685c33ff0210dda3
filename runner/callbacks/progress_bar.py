"""Show a person how a fit goes."""

import sys
from time import monotonic
from typing import Annotated, Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as RichProgress
from rich.table import Column

from runner.base import Block, Callback, Progress
from runner.rules import check, null, number


class ProgressBar(Callback):
    """A live bar on a terminal; elsewhere a line every few seconds.

    Both show the share of the rows learned, rows per second, the latest progressive score and
    the time left.

    Parameters
    ----------
    every_s : float
        Seconds between two lines where the output is no terminal.
    file : text stream, optional
        Where to write; standard error when not given, so that standard output stays the result.
    """

    def __init__(
        self,
        every_s: Annotated[float, number(0)] = 5.0,
        file: Annotated[TextIO | None, null()] = None,
    ) -> None:
        self.every_s = every_s
        check("callbacks.progress_bar", self)
        self._file = file
        self._bar: RichProgress | None = None
        self._task = TaskID(0)
        self._started = self._spoken = 0.0
        self._rows = 0

    def on_fit_begin(self, progress: Progress, estimator: Any) -> None:
        """Start the clock, and the bar on a terminal."""
        self._started = self._spoken = monotonic()
        self._rows = progress.rows
        console = Console(file=self._file or sys.stderr)
        if console.is_terminal:
            self._bar = RichProgress(
                TextColumn("fit", table_column=Column(no_wrap=True, min_width=3)),
                BarColumn(bar_width=None, table_column=Column(ratio=1)),
                TextColumn("{task.description}", table_column=Column(no_wrap=True)),
                console=console,
                expand=True,
            )
            self._task = self._bar.add_task("", total=progress.total_rows)
            self._bar.start()

    def on_block_end(self, progress: Progress, block: Block) -> None:
        """Move the bar, or write a line when one is due."""
        now = monotonic()
        if self._bar is not None:
            self._bar.update(
                self._task,
                completed=progress.rows,
                description=self._line(progress, now, short=True),
            )
        elif now - self._spoken >= self.every_s:
            self._spoken = now
            self._write(self._line(progress, now))

    def on_fit_end(self, progress: Progress) -> None:
        """Leave the last state on the screen."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        elif progress.blocks:
            self._write(self._line(progress, monotonic()))

    def _line(self, progress: Progress, now: float, *, short: bool = False) -> str:
        return describe(progress, now - self._started, short=short, before=self._rows)

    def _write(self, line: str) -> None:
        file = self._file or sys.stderr
        file.write(f"fit {line}\n")
        file.flush()


def describe(progress: Progress, elapsed_s: float, *, short: bool = False, before: int = 0) -> str:
    """Put the state of a fit in one line; a short one fits beside a bar.

    ``before`` are the rows that were learned before the time began.

    Examples
    --------
    >>> state = Progress(total_rows=4000, rows=1000, blocks=10, scores={"accuracy": 0.91})
    >>> describe(state, elapsed_s=2.0)
    '25% · 1,000 rows in 10 blocks · 500 rows/s · accuracy 0.9100 · 0:00:06 left'
    >>> state.held_out = {"accuracy": 0.9}
    >>> describe(state, elapsed_s=2.0, short=True)
    '25% · 500 rows/s · accuracy 0.9100 · held out 0.9000 · 0:00:06 left'
    """
    parts = []
    if progress.total_rows:
        parts.append(f"{progress.rows / progress.total_rows:.0%}")
    if not short or not parts:
        plural = "" if progress.blocks == 1 else "s"
        parts.append(f"{progress.rows:,} rows in {progress.blocks:,} block{plural}")
    speed = (progress.rows - before) / elapsed_s if elapsed_s > 0 else 0.0
    parts.append(f"{speed:,.0f} rows/s")
    parts += [f"{name} {score:.4f}" for name, score in list(progress.scores.items())[:1]]
    parts += [f"held out {score:.4f}" for score in list(progress.held_out.values())[:1]]
    if progress.total_rows and speed:
        parts.append(f"{_clock_face((progress.total_rows - progress.rows) / speed)} left")
    return " · ".join(parts)


def _clock_face(seconds: float) -> str:
    minutes, seconds_left = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds_left:02}"
