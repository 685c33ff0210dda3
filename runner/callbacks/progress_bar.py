"""Show a person how a fit goes."""

from typing import Annotated, Any, TextIO

from runner.base import Block, Callback, Progress
from runner.callbacks.bars import Bars
from runner.rules import check, null, number
from runner.steps import Step, Steps, listener


class ProgressBar(Callback):
    """A live bar on a terminal; elsewhere a line every few seconds.

    Both show the share of the rows learned, rows per second, the latest progressive score and
    the time left. Where the process is quiet, as ``runner run --quiet`` is, it is so too.

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
        self._steps: Steps | None = None
        self._step: Step | None = None

    def on_fit_begin(self, progress: Progress, estimator: Any) -> None:
        """Start the clock, and the bar on a terminal."""
        shared = listener() if self._file is None else None
        self._steps = shared or Bars(self._file)
        self._step = self._steps.begin("fit", progress, every_s=self.every_s, is_summed_up=True)

    def on_block_end(self, progress: Progress, block: Block) -> None:
        """Move the bar, or write a line when one is due."""
        if self._step is not None:
            self._step.move(progress)

    def on_fit_end(self, progress: Progress) -> None:
        """Leave the last state on the screen."""
        if self._steps is not None and self._step is not None:
            self._steps.end(self._step, progress)
        self._steps = self._step = None
