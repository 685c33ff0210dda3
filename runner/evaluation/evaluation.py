"""Score an estimator on a stream of blocks as if it had been one array."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast

from runner.base import Block, Scores
from runner.errors import ConfigError
from runner.evaluation.kept import Kept
from runner.evaluation.measurement import Measurement
from runner.evaluation.replay import ask
from runner.evaluation.sample import Sampling
from runner.evaluation.scorers import NAMES, Scorer, defaults, scorer
from runner.evaluation.shortcuts import shortcut
from runner.evaluation.suitability import check_defined, check_signs, check_suitable
from runner.records import Evaluated
from runner.rules import check, integer, list_of, null, number, one_of

SCORER = one_of(*NAMES)
SCORING = list_of(SCORER, least=0) | SCORER | null()


@dataclass(kw_only=True)
class Evaluation:
    """Which scores are computed, on the way and in the end.

    Parameters
    ----------
    scoring : list of str, str or None
        scikit-learn's names of scorers, ``neg_*`` with their sign, and four of ours that need no
        y: ``neg_inertia``, minus the sum of the squared distances of rows to their cluster's
        centre; ``neg_reconstruction_error``, minus the mean squared difference between rows and
        what ``inverse_transform`` makes of their ``transform``; ``neg_perplexity`` of a topic
        model; ``mean_log_likelihood``, the mean of ``score_samples``. None is what suits the
        estimator: ``accuracy`` for a classifier; ``r2`` and ``neg_root_mean_squared_error`` for a
        regressor; ``adjusted_rand_score`` and ``v_measure_score`` for a clusterer where there is
        a y, else ``neg_inertia``; for a decomposition the first of the last three that it can
        answer; nothing for another transformer or an outlier detector.
    every : int, "epoch" or None
        Score held-out rows on the way, too: whenever so many rows were learned, or after each
        epoch. They are those of ``dataset.validation``, or else of the final scores.
    growth : float
        How many times as many rows there are to each next score on the way, at least 1.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> Evaluation().names(SGDClassifier(), has_target=True)
    ['accuracy']
    """

    scoring: Annotated[Sequence[str] | str | None, SCORING] = None
    every: Annotated[int | str | None, integer(1) | one_of("epoch") | null()] = None
    growth: Annotated[float, number(1)] = 1.0

    def __post_init__(self) -> None:
        """Refuse what are not names, and no schedule."""
        self.scoring = list(self.scoring) if isinstance(self.scoring, tuple) else self.scoring
        self._check_names()
        check("evaluation", self)
        if self.growth > 1 and not isinstance(self.every, int):
            raise ConfigError(
                "evaluation.growth",
                "be 1 where evaluation.every is no number of rows",
                got=f"{self.growth} with evaluation.every={self.every or 'null'}",
                remedy="Set evaluation.every to the rows before the first score.",
            )

    def _check_names(self) -> None:
        names: Any = self.scoring or []
        if not isinstance(names, str | list) or not all(isinstance(n, str) for n in names):
            raise ConfigError(
                "evaluation.scoring",
                "be a list of scorers' names",
                got=repr(self.scoring),
                remedy="Write evaluation.scoring=[accuracy,roc_auc].",
            )
        for name in [names] if isinstance(names, str) else names:
            scorer(name)

    def names(self, estimator: Any, has_target: bool) -> list[str]:
        """Return the names of the scorers for this estimator, each once, in the order asked."""
        if self.scoring is None:
            return defaults(estimator, has_target)
        return (
            [self.scoring] if isinstance(self.scoring, str) else list(dict.fromkeys(self.scoring))
        )

    def check(self, estimator: Any, has_target: bool, classes: Any = None) -> None:
        """Refuse, before the first block, what cannot be scored.

        Parameters
        ----------
        estimator : object
            Fitted or not.
        has_target : bool
            Whether the dataset has a y.
        classes : array of shape (n_classes,), optional
            The labels of a y of one column, where they are known.

        Raises
        ------
        ConfigError
            If a scorer does not exist, needs a y where there is none, belongs to another kind of
            estimator, needs a method that the estimator lacks as it is set, or is not defined
            for these labels.
        """
        for name in self.names(estimator, has_target):
            check_suitable(scorer(name), estimator, has_target)
            if classes is not None:
                check_defined(scorer(name), estimator, classes)

    def over(self, estimator: Any, blocks: Iterator[Block]) -> Evaluated:
        """Score a fitted estimator on all rows of some blocks.

        The scores are those that scikit-learn's scorers give for the whole arrays, bit for bit
        where the estimator answers for a row alike in any block. One block is in memory at a
        time; what is kept of it is told in ``Kept``.

        Parameters
        ----------
        estimator : fitted estimator
            What predicts.
        blocks : iterator of Block
            Read to the end, and closed if it can be. Without a scorer it is not read past its
            first block.

        Returns
        -------
        Evaluated
            Without scores where there were no rows.

        Raises
        ------
        ConfigError
            As ``check``; or if the labels of an outlier detector are not 1 and -1 and a scorer
            compares them with what is predicted.
        FitError
            If the estimator cannot predict some block, or a target or weight in it is not a
            finite number; it names the block and the cause.

        Warns
        -----
        RunnerWarning
            Once for each scorer that scikit-learn calls ill-defined on these rows, or refuses to
            compute, in which case it is NaN; and once if there are labels that the estimator
            never learned, which count as errors; and once if no row holds some label that a
            classifier of one target knows, of which the scores say nothing.
        """
        measurement = self.measure(estimator)
        try:
            for block in blocks:
                measurement.add(block)
                del block
                if not measurement.wants_more:
                    break
        finally:
            close = getattr(blocks, "close", None)
            if close is not None:
                close()
        return measurement.evaluated()

    def measure(self, estimator: Any, *, pictures_of: int = 0) -> Measurement:
        """Begin to score an estimator on blocks that are added one by one, as ``over`` does.

        Parameters
        ----------
        estimator : fitted estimator
            What predicts.
        pictures_of : int
            Keep, for pictures, what it answers to some of the rows, of which so many will come;
            0 keeps nothing. The scores are the same bits.
        """
        sampling = Sampling(estimator, pictures_of) if pictures_of else None
        return Measurement(estimator, self._begin, sampling)

    def score_block(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> Scores:
        """Score a fitted estimator on one block.

        A score that is not defined on so few rows, such as ``roc_auc`` with one class, is NaN and
        nothing is said. What the estimator itself raises is passed on. While a scorer without a
        shortcut is computed, warnings of other threads are not shown either.

        Returns
        -------
        dict of str to float
        """
        scorers = self._scorers(estimator, y)
        check_signs(scorers, estimator, y)
        if not X.shape[0]:
            return dict.fromkeys((s.name for s in scorers), float("nan"))
        methods = dict.fromkeys(s.method(estimator) for s in scorers)
        answers = ask(estimator, methods, X, sample_weight)
        predicted = answers.get("predict")
        scores = {s.name: shortcut(s.name, y, predicted, sample_weight) for s in scorers}
        rest = [s for s in scorers if scores[s.name] is None]
        if rest:
            kept = Kept(estimator, rest, y, sample_weight)
            kept.add(answers, y, sample_weight)
            scores.update(kept.scores()[0])
        return cast("Scores", scores)

    def _begin(self, estimator: Any, block: Block) -> Kept:
        self.check(estimator, block.y is not None)
        scorers = self._scorers(estimator, block.y)
        return Kept(estimator, scorers, block.y, block.sample_weight, pictures=bool(scorers))

    def _scorers(self, estimator: Any, y: Any) -> list[Scorer]:
        return [scorer(name) for name in self.names(estimator, y is not None)]
