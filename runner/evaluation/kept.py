"""What is remembered of blocks that are gone: nothing of X, and as little else as is exact."""

import warnings
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from runner.base import Scores
from runner.evaluation.pairs import Pairs
from runner.evaluation.replay import Answers, replay_of
from runner.evaluation.rows import Rows
from runner.evaluation.scorers import Scorer
from runner.kinds import kind_of
from runner.records import Confusion

_LISTENING = Lock()  # what Python does with warnings is one setting for all threads


class Found(NamedTuple):
    """What is remembered of some blocks, without the estimator."""

    rows: Rows
    pairs: Pairs | None


class Kept:
    """The targets and answers that some scorers need, gathered over blocks.

    Scorers that follow from the labels alone share one count of (true, predicted) pairs, which
    scikit-learn then sees as a few rows with weights: the same bits as from all the rows. Those
    that take no weights see the pairs repeated, for the moment of the call.

    All other scorers, and with sample weights all that take them, need every row: 8 bytes for each
    number of y, of the answers and of the weights. That is 16 bytes a row for a regressor, and 8
    bytes a row and class for probabilities; twice as much for a moment at the end.

    Parameters
    ----------
    estimator : fitted estimator
        What answers.
    scorers : list of Scorer
        What will be computed.
    y, sample_weight : array or None
        Those of the first block, for their shape.
    pictures : bool
        Keep also what ``confusion`` and ``predictions`` return.

    Attributes
    ----------
    methods : list of str
        Whose answers ``add`` wants.
    scorers : list of Scorer
        What will be computed.
    """

    def __init__(
        self,
        estimator: Any,
        scorers: list[Scorer],
        y: Any,
        sample_weight: Any = None,
        *,
        pictures: bool = False,
    ) -> None:
        kind = kind_of(estimator)
        has_labels = y is not None and kind != "regressor" and y.ndim == 1
        self._estimator = estimator
        self.scorers = scorers
        self._counted = [
            s
            for s in scorers
            if has_labels and s.counts_labels and not (s.weighted and sample_weight is not None)
        ]
        self._has_confusion = pictures and has_labels and kind == "classifier"
        self._has_predictions = pictures and y is not None and kind == "regressor"
        by_row = [s.method(estimator) for s in scorers if s not in self._counted]
        self._rows = Rows([*by_row, "predict"] if self._has_predictions else by_row)
        self.methods = self._rows.methods
        self._pairs = None
        if self._counted or self._has_confusion:
            self.methods = list(dict.fromkeys([*self.methods, "predict"]))
            self._pairs = Pairs(getattr(estimator, "classes_", None))

    def add(self, answers: Answers, y: Any, sample_weight: Any) -> list[Any]:
        """Remember one block, and return those of its labels that the estimator never learned."""
        self._rows.add(answers, y, sample_weight)
        if self._pairs is None:
            return []
        return self._pairs.add(y, answers["predict"])

    def found(self) -> Found:
        """Return what is remembered so far, which can be sent to another process."""
        return Found(self._rows, self._pairs)

    def join(self, found: Found) -> list[Any]:
        """Remember what another one found in later blocks, and return as ``add`` does."""
        self._rows.join(found.rows)
        if self._pairs is None or found.pairs is None:
            return []
        return self._pairs.join(found.pairs)

    def scores(self) -> tuple[Scores, dict[str, str]]:
        """Return the scores by scorer, and what scikit-learn had to say of some of them.

        A score that scikit-learn refuses to compute of these rows is NaN.
        """
        pairs = None if self._pairs is None else self._pairs.arrays()
        measured = {
            scorer.name: _measure(scorer, self._estimator, *self._evidence(scorer, pairs))
            for scorer in self.scorers
        }
        return (
            {name: score for name, (score, _) in measured.items()},
            {name: remark for name, (_, remark) in measured.items() if remark},
        )

    def confusion(self) -> Confusion | None:
        """Return how often each label was predicted for each true label, for a classifier."""
        if self._pairs is None or not self._has_confusion:
            return None
        return self._pairs.confusion()

    def unmet(self) -> list[Any]:
        """Return the labels that a classifier of one target knows and no row holds."""
        return self._pairs.unmet() if self._pairs is not None and self._has_confusion else []

    def predictions(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the true and the predicted values of all rows, for a regressor."""
        if not self._has_predictions:
            return None
        return self._rows.y(), self._rows.answers()["predict"]

    def _evidence(self, scorer: Scorer, pairs: Any) -> tuple[Any, Answers, Any]:
        if scorer not in self._counted:
            return self._rows.y(), self._rows.answers(), self._rows.sample_weight()
        true, predicted, counts = pairs
        if scorer.weighted:
            return true, {"predict": predicted}, counts
        return np.repeat(true, counts), {"predict": np.repeat(predicted, counts)}, None


def _measure(
    scorer: Scorer, estimator: Any, y: Any, answers: Answers, sample_weight: Any
) -> tuple[float, str]:
    has_weight = scorer.weighted and sample_weight is not None
    weighted = {"sample_weight": sample_weight} if has_weight else {}
    with _LISTENING, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            score = float(scorer.call(replay_of(estimator, answers), None, y, **weighted))
        except Exception as error:  # noqa: BLE001  (one scorer must not cost the others)
            return float("nan"), str(error) or type(error).__name__
    return score, " ".join(dict.fromkeys(str(warning.message) for warning in caught))
