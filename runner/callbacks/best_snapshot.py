"""Keep the estimator as it was when it was best."""

from copy import deepcopy
from typing import Annotated, Any

from runner.base import Progress
from runner.callbacks.watcher import HELD_OUT, MONITOR, Watcher
from runner.errors import FitError, cause
from runner.rules import number
from runner.states import parts_of, set_state, state_of


class BestSnapshot(Watcher):
    """Set the estimator back, at the end of the fit, to where its held-out score was best.

    It is then what is evaluated and logged. One copy of the estimator is kept in memory. The
    progressive score cannot choose: it is of another block each time, and of the estimator before
    it learned that block.

    Parameters
    ----------
    monitor : str, optional
        The scorer; the first of the evaluation when not given.
    min_delta : float
        By how much a score must be greater than the best to count as better.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> estimator, progress = SGDClassifier(), Progress()
    >>> snapshot = BestSnapshot()
    >>> snapshot.on_fit_begin(progress, estimator)
    >>> for rows, accuracy in [(100, 0.8), (200, 0.9), (300, 0.7)]:
    ...     estimator.learned_, progress.rows = rows, rows
    ...     progress.held_out = {"accuracy": accuracy}
    ...     snapshot.on_held_out(progress)
    >>> snapshot.on_fit_end(progress)
    >>> estimator.learned_, progress.best_rows
    (200, 200)
    """

    def __init__(
        self,
        monitor: Annotated[str | None, MONITOR] = None,
        min_delta: Annotated[float, number(0)] = 0.0,
    ) -> None:
        super().__init__("callbacks.best_snapshot", monitor, HELD_OUT, min_delta)
        self._estimator: Any = None
        self._kept: tuple[list[dict[str, Any]], int] | None = None

    def on_fit_begin(self, progress: Progress, estimator: Any) -> None:
        """Know what will learn."""
        super().on_fit_begin(progress, estimator)
        self._estimator = estimator

    def on_held_out(self, progress: Progress) -> None:
        """Keep a copy of the best.

        Raises
        ------
        FitError
            If the estimator cannot be copied.
        """
        if not self.is_better(progress):
            return
        parts = parts_of(self._estimator)
        themselves = {id(part): part for part in parts}  # what they hold is copied, not they
        try:
            self._kept = deepcopy(state_of(self._estimator), themselves), progress.rows
        except Exception as error:
            raise FitError(
                self.section,
                f"be left out where {type(self._estimator).__name__} cannot be copied",
                got=cause(error),
                remedy="Remove it from callbacks.",
            ) from error

    def state(self) -> Any:
        """Return the best score and the estimator as it was then."""
        return self.best, self._kept

    def restore(self, state: Any) -> None:
        """Go on with them."""
        self.best, self._kept = state

    def on_fit_end(self, progress: Progress) -> None:
        """Set the estimator back, in place."""
        if self._kept is not None:
            state, progress.best_rows = self._kept
            set_state(self._estimator, state)
        self._estimator = self._kept = None
