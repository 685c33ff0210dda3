"""What callbacks share that decide by a score."""

from math import inf, isnan, nan
from typing import Annotated, Any

from runner.base import Callback, Progress, Scores
from runner.errors import ConfigError, nearest
from runner.rules import check, null, number, one_of, text

HELD_OUT, PROGRESSIVE = "held_out", "progressive"
BY = one_of(HELD_OUT, PROGRESSIVE)
MONITOR = text() | null()


class Watcher(Callback):
    """Follows one score and knows its best value so far.

    Parameters
    ----------
    section : str
        Where its settings stand in the file, such as ``callbacks.early_stopping``.
    monitor : str or None
        The scorer; None is the first of the evaluation. Every scorer of scikit-learn is greater
        where the estimator is better.
    by : {"held_out", "progressive"}
        Which score: of rows that are not learned from, or of each block before it is learned.
    min_delta : float
        By how much a score must be greater than the best to count as better.
    """

    def __init__(
        self,
        section: Annotated[str, text()],
        monitor: Annotated[str | None, MONITOR],
        by: Annotated[str, BY],
        min_delta: Annotated[float, number(0)],
    ) -> None:
        self.section = section
        self.monitor = monitor
        self.by = by
        self.min_delta = min_delta
        check(section, self, Watcher)
        self.best = -inf

    def on_fit_begin(self, progress: Progress, estimator: Any) -> None:
        """Forget the scores of any fit before."""
        self.best = -inf

    def state(self) -> Any:
        """Return the best score so far."""
        return self.best

    def restore(self, state: Any) -> None:
        """Go on from it."""
        self.best = state

    def check_monitor(self, names: list[str]) -> None:
        """Refuse a score that is not computed.

        Raises
        ------
        ConfigError
            With the names of those that are.
        """
        if not names:
            raise ConfigError(
                self.section,
                "have a score to decide by",
                got="an evaluation without scorers",
                remedy="Name one in evaluation.scoring.",
            )
        if self.monitor is not None and self.monitor not in names:
            raise ConfigError(
                f"{self.section}.monitor",
                "be one of evaluation.scoring",
                got=repr(self.monitor),
                remedy=nearest(self.monitor, names),
            )

    def is_better(self, progress: Progress) -> bool | None:
        """Say whether the latest score is the best so far; None while there is none, or NaN."""
        scores = self.scores_of(progress)
        score = scores.get(self.monitor or next(iter(scores), ""), nan)
        if isnan(score):
            return None
        if score <= self.best + self.min_delta:
            return False
        self.best = score
        return True

    def scores_of(self, progress: Progress) -> Scores:
        """Return the latest scores of the kind that decides."""
        return progress.held_out if self.by == HELD_OUT else progress.scores
