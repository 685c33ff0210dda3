"""Whether the rows of a classifier come sorted by label."""

from collections import Counter
from typing import Any

import numpy as np

from runner.base import Remark
from runner.facts import Facts
from runner.fit.settings import classes_of, nested
from runner.kinds import kind_of

ORDER_FREE = {"BernoulliNB", "CategoricalNB", "ComplementNB", "GaussianNB", "MultinomialNB"}
SORTED = 0.5
LEAST_MINORITY = 10  # rows not of the commonest label; fewer may lie together by chance
BY_CHANCE = 1e-6


def depends_on_order(estimator: Any) -> bool:
    """Say whether a classifier becomes another one if rows come sorted by label.

    Examples
    --------
    >>> from sklearn.linear_model import Perceptron
    >>> from sklearn.naive_bayes import GaussianNB
    >>> depends_on_order(Perceptron()), depends_on_order(GaussianNB())
    (True, False)
    """
    *_, (_, learner) = nested("", estimator)
    return kind_of(estimator) == "classifier" and not classes_of(learner) & ORDER_FREE


class Mixing:
    """Whether the labels are mixed over the blocks, or the rows come sorted by label.

    The measure is Goodman and Kruskal's tau, corrected for chance: how much better a row's label
    is told by who knows the row's block. It is 0 for mixed rows, however rare some labels are and
    small the blocks, and 1 where each block has one label. (*Measures of association for cross
    classifications*, JASA 49, 1954; its distribution by chance: Light and Margolin, *An analysis
    of variance for categorical data*, JASA 66, 1971.) From 0.5 on rows count as sorted.

    The first 8 blocks are looked at, and more as long as they have all one and the same label.
    """

    def __init__(self, blocks: int = 8) -> None:
        self._most = blocks
        self._blocks = 0
        self._rows = 0
        self._counts: Counter[Any] = Counter()
        self._squares = 0.0

    @property
    def is_done(self) -> bool:
        """Whether enough blocks were looked at."""
        return self._blocks >= self._most and len(self._counts) > 1

    def add(self, y: np.ndarray, facts: Facts | None = None) -> None:
        """Look at the labels of one more block, of shape (n_rows,), which may be counted."""
        if self.is_done or not len(y):
            return
        counts = _counts(y, facts)
        self._blocks += 1
        self._rows += len(y)
        self._counts += counts
        self._squares += sum(count**2 for count in counts.values()) / len(y)

    def remark(self) -> Remark | None:
        """Say that rows come sorted by label, if they do."""
        share = self.tau()
        if share <= SORTED:
            return None
        return Remark(
            "sorted-by-label",
            f"The rows come sorted by label: in the first {self._blocks} blocks, {share:.0%} of a "
            "label is known from the block alone, so what is learned of one label is lost over "
            "the next. Set stream.buffer_blocks=5 or more and, as a block held out has few "
            "labels, dataset.holdout_by=rows; or shuffle the rows at the source.",
        )

    def tau(self) -> float:
        """Return the measure, 0 where it may well be by chance.

        Examples
        --------
        >>> mixing = Mixing()
        >>> for label in "abc":
        ...     mixing.add(np.full(20, label))
        >>> mixing.tau()
        1.0
        """
        from scipy.special import chdtrc

        n, blocks, labels = self._rows, self._blocks, len(self._counts)
        if n - max(self._counts.values(), default=0) < LEAST_MINORITY or n == blocks:
            return 0.0
        pooled = sum(count**2 for count in self._counts.values()) / n
        tau = (self._squares - pooled) / (n - pooled)
        freedom = (blocks - 1) * (labels - 1)
        if chdtrc(freedom, (n - 1) * (labels - 1) * tau) > BY_CHANCE:
            return 0.0
        by_chance = (blocks - 1) / (n - 1)
        return float((tau - by_chance) / (1 - by_chance))


def _counts(y: np.ndarray, facts: Facts | None) -> Counter[Any]:
    if facts is None or facts.labels is None or facts.n_rows is None:
        return Counter(np.asarray(y).tolist())
    return Counter(dict(zip(facts.labels.tolist(), facts.n_rows.tolist(), strict=True)))
