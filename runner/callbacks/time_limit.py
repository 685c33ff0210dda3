"""Stop a fit that has taken long enough."""

from collections.abc import Callable
from time import monotonic
from typing import Annotated, Any

from runner.base import Block, Callback, Progress
from runner.rules import check, null, positive


class TimeLimit(Callback):
    """Ask the fit to stop at the first block that ends after the limit.

    Parameters
    ----------
    minutes : float
        How long learning may take, more than 0. What was learned is evaluated and logged.
    clock : callable, optional
        Returns seconds; for tests, not for the file.
    """

    def __init__(
        self,
        minutes: Annotated[float, positive()],
        clock: Annotated[Callable[[], float] | None, null()] = None,
    ) -> None:
        self.minutes = minutes
        check("callbacks.time_limit", self)
        self._clock = clock or monotonic
        self._started = 0.0

    def on_fit_begin(self, progress: Progress, estimator: Any) -> None:
        """Start the clock."""
        self._started = self._clock()

    def state(self) -> Any:
        """Return how long learning has taken, in seconds."""
        return self._clock() - self._started

    def restore(self, state: Any) -> None:
        """Let the clock go on from there."""
        self._started = self._clock() - state

    def on_block_end(self, progress: Progress, block: Block) -> None:
        """Ask to stop when the time is up."""
        if self._clock() - self._started > 60 * self.minutes:
            progress.stop(f"the time limit of {self.minutes:g} minutes was reached")
