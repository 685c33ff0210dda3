"""The progressive score: test on each block before learning from it."""

from collections import deque
from collections.abc import Callable
from math import isnan
from typing import Any

from runner.base import Block, Scores

ScoreBlock = Callable[[Any, Any, Any, Any], Scores]


class Progressive:
    """The score of each block before it is learned, averaged over the last few blocks.

    Known as prequential or test-then-train evaluation with a sliding window (Gama, Sebastiao and
    Rodrigues, *On evaluating stream learning algorithms*, Machine Learning 90, 2013). The first
    block has no score, for there is no model yet. It starts anew with each epoch; from the second
    epoch on the rows have been seen before, so it is no longer an estimate of generalisation.

    Parameters
    ----------
    score : callable
        ``score(estimator, X, y, sample_weight)`` returns the scores of one block by scorer.
    window : int
        How many blocks are averaged, weighted by their rows. A score that is not defined on a
        block (NaN) is left out.
    """

    def __init__(self, score: ScoreBlock, window: int) -> None:
        self._score = score
        self._recent: deque[tuple[int, Scores]] = deque(maxlen=window)

    def update(self, estimator: Any, block: Block) -> Scores:
        """Score one block, not yet learned, and return the averages."""
        scores = self._score(estimator, block.X, block.y, block.sample_weight)
        self._recent.append((block.n_rows, scores))
        return {name: self._average(name) for name in scores}

    def state(self) -> list[tuple[int, Scores]]:
        """Return the window, for ``restore``."""
        return list(self._recent)

    def restore(self, state: list[tuple[int, Scores]]) -> None:
        """Go on with a window."""
        self._recent = deque(state, self._recent.maxlen)

    def restart(self) -> None:
        """Forget the window, at the start of an epoch."""
        self._recent.clear()

    def _average(self, name: str) -> float:
        total = weight = 0.0
        for n_rows, scores in self._recent:
            score = scores[name]
            if not isnan(score):
                total += n_rows * score
                weight += n_rows
        return total / weight if weight else float("nan")
