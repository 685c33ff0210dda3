"""Scores on the way, of rows that are not learned from."""

from collections.abc import Callable
from copy import deepcopy
from math import inf
from typing import Any

from runner.base import Scores

EPOCH = "epoch"


class HeldOut:
    """Scores of held-out rows on a schedule that counts the rows learned.

    Parameters
    ----------
    score : callable
        ``score(estimator)`` returns the scores by scorer; it reads all held-out rows.
    every : int or "epoch"
        The rows between two scores, or the end of each epoch. The end of the last epoch always
        has one.
    growth : float
        How many times as many rows there are to each next score, ``every`` more at least: 2.0
        scores after ``every`` rows, then after two, four and eight times as many, so that a long
        fit is not scored too often.

    Examples
    --------
    >>> held_out = HeldOut(lambda estimator: {"accuracy": 0.5}, every=100, growth=2.0)
    >>> [rows for rows in range(0, 1000, 50) if rows and held_out.is_due(rows)]
    [100, 200, 400, 800]
    """

    def __init__(
        self, score: Callable[[Any], Scores], every: int | str = EPOCH, growth: float = 1.0
    ) -> None:
        self._score = score
        self._growth = growth
        self._is_each_epoch = every == EPOCH
        self._step = self._due = inf if isinstance(every, str) else float(every)
        self._scored_at = 0

    def is_due(self, rows: int) -> bool:
        """Say, once for each time, whether so many learned rows ask for a score."""
        if rows < self._due:
            return False
        while self._due <= rows:
            self._due = max(self._due * self._growth, self._due + self._step)
        return True

    def is_due_at_epoch_end(self, rows: int, is_last: bool) -> bool:
        """Say whether the end of an epoch asks for a score that there is not yet."""
        return rows > self._scored_at and (is_last or self._is_each_epoch)

    def update(self, estimator: Any, rows: int) -> Scores:
        """Score the estimator, which has learned so many rows and is left as it is."""
        self._scored_at = rows
        return self._score(_copy(estimator))


def _copy(estimator: Any) -> Any:
    """Return a copy, because some estimators change when they are asked; itself if none can be."""
    try:
        return deepcopy(estimator)
    except Exception:  # noqa: BLE001  (anybody's estimator; Birch cannot be copied when it is large)
        return estimator
