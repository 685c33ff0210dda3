"""How far the steps of a run have come: live bars on a terminal, lines elsewhere."""

import sys
from time import monotonic
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as RichProgress
from rich.table import Column

from runner.base import Progress
from runner.steps import Step, Steps


class Bars(Steps):
    """A live bar for each step on a terminal; elsewhere a line every few seconds.

    Parameters
    ----------
    file : text stream, optional
        Where to write; standard error when not given, so that standard output stays the result.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        super().__init__()
        self._file = file
        self._live: RichProgress | None = None
        self._open: set[Step] = set()

    def begin(
        self, name: str, progress: Progress, *, every_s: float = 5.0, is_summed_up: bool = False
    ) -> Step:
        """Draw the bar of a step, or start the clock of its lines."""
        console = Console(file=self._file or sys.stderr)
        if self._live is None and (not console.is_terminal or console.is_dumb_terminal):
            return _Lines(name, progress, self._file or sys.stderr, every_s, is_summed_up)
        if self._live is None:
            self._live = _live(console)
            self._live.start()
        step = _Bar(name, progress, self._live)
        self._open.add(step)
        return step

    def end(self, step: Step, progress: Progress) -> None:
        """Leave the last state of the last bar on the screen, and none of the others."""
        super().end(step, progress)
        self._open.discard(step)
        if self._live is None or not isinstance(step, _Bar):
            return
        if self._open:
            step.remove()
        else:
            self._live.stop()
            self._live = None


def _live(console: Console) -> RichProgress:
    return RichProgress(
        TextColumn("{task.fields[step]}", table_column=Column(no_wrap=True, min_width=3)),
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        console=console,
        expand=True,
    )


class _Bar(Step):
    def __init__(self, name: str, progress: Progress, live: RichProgress) -> None:
        super().__init__(name, progress)
        self._live = live
        self._task: TaskID = live.add_task("", total=progress.total_rows, step=name)

    def move(self, progress: Progress) -> None:
        """Move the bar."""
        elapsed_s = monotonic() - self.started
        line = describe(progress, elapsed_s, short=True, before=self.before)
        self._live.update(
            self._task, completed=progress.rows, total=progress.total_rows, description=line
        )

    def remove(self) -> None:
        """Take it from the screen."""
        self._live.remove_task(self._task)


class _Lines(Step):
    def __init__(
        self, name: str, progress: Progress, file: TextIO, every_s: float, is_summed_up: bool
    ) -> None:
        super().__init__(name, progress)
        self._file = file
        self._every_s = every_s
        self._is_summed_up = is_summed_up
        self._spoken = self.started

    def move(self, progress: Progress) -> None:
        """Write a line if one is due."""
        now = monotonic()
        if now - self._spoken >= self._every_s:
            self._spoken = now
            self._is_summed_up = True  # what was begun to be told is told to its end
            self._write(progress, now)

    def end(self, progress: Progress) -> None:
        """Write how far it came."""
        if self._is_summed_up and progress.blocks:
            self._write(progress, monotonic())

    def _write(self, progress: Progress, now: float) -> None:
        line = describe(progress, now - self.started, before=self.before)
        self._file.write(f"{self.name} {line}\n")
        self._file.flush()


def describe(progress: Progress, elapsed_s: float, *, short: bool = False, before: int = 0) -> str:
    """Put the state of a step in one line; a short one fits beside a bar.

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
