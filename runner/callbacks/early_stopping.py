"""Stop a fit that gets no better."""

from typing import Annotated, Any

from runner.base import Block, Progress
from runner.callbacks.watcher import BY, HELD_OUT, MONITOR, PROGRESSIVE, Watcher
from runner.rules import check, integer, number


class EarlyStopping(Watcher):
    """Ask the fit to stop when a score has not become better for some time.

    Parameters
    ----------
    monitor : str, optional
        The scorer; the first of the evaluation when not given.
    by : {"held_out", "progressive"}
        ``held_out`` is scored on the schedule of ``evaluation.every``; ``progressive`` at each
        block, and from the second epoch on it is of rows that were learned before.
    patience : int
        How many scores in a row may be no better than the best, at least 1; NaN is passed over.
    min_delta : float
        By how much a score must be greater than the best to count as better.

    Examples
    --------
    >>> stopping, progress = EarlyStopping(patience=2), Progress()
    >>> for accuracy in (0.8, 0.9, 0.85, 0.9):
    ...     progress.held_out = {"accuracy": accuracy}
    ...     stopping.on_held_out(progress)
    >>> progress.stop_reason
    'held-out accuracy was no better than 0.9000 for 2 scores in a row'
    """

    def __init__(
        self,
        monitor: Annotated[str | None, MONITOR] = None,
        by: Annotated[str, BY] = HELD_OUT,
        patience: Annotated[int, integer(1)] = 5,
        min_delta: Annotated[float, number(0)] = 0.0,
    ) -> None:
        super().__init__("callbacks.early_stopping", monitor, by, min_delta)
        self.patience = patience
        check(self.section, self)
        self._waited = 0

    def on_block_end(self, progress: Progress, block: Block) -> None:
        """Judge the progressive score."""
        if self.by == PROGRESSIVE:
            self._judge(progress)

    def on_held_out(self, progress: Progress) -> None:
        """Judge the held-out score."""
        if self.by == HELD_OUT:
            self._judge(progress)

    def state(self) -> Any:
        """Return the best score so far, and for how long none was better."""
        return self.best, self._waited

    def restore(self, state: Any) -> None:
        """Go on waiting."""
        self.best, self._waited = state

    def _judge(self, progress: Progress) -> None:
        better = self.is_better(progress)
        if better is None:
            return
        self._waited = 0 if better else self._waited + 1
        if self._waited >= self.patience:
            name = self.monitor or next(iter(self.scores_of(progress)))
            kind = "held-out" if self.by == HELD_OUT else "progressive"
            progress.stop(
                f"{kind} {name} was no better than {self.best:.4f} for {self.patience} "
                f"score{'s in a row' if self.patience > 1 else ''}"
            )
