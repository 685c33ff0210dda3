"""One estimator's answers on a stream of blocks, gathered until the scores are asked for."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from runner.base import Block, Place
from runner.errors import FitError, RunnerWarning, cause
from runner.evaluation.kept import Found, Kept
from runner.evaluation.replay import Answers, ask
from runner.evaluation.sample import SampledRows, Sampling
from runner.evaluation.suitability import check_signs
from runner.finite import not_finite
from runner.records import Evaluated
from runner.remedies import remedy_of

FEW = 3  # labels are named


class Answered(NamedTuple):
    """What came of asking about a block, summed up as far as it can be: no row of X.

    ``error`` is why there is no answer; without a scorer there is neither.
    """

    found: Found | None = None
    sampled: SampledRows | None = None
    error: Exception | SystemExit | None = None


@dataclass(frozen=True)
class Question:
    """What asks an estimator about blocks, one by one, in any process; it keeps nothing.

    Attributes
    ----------
    estimator, begin, sampling
        As ``Measurement`` has them.
    """

    estimator: Any
    begin: Callable[[Any, Block], Kept]
    sampling: Sampling | None = None

    def __call__(self, block: Block) -> Answered:
        """Return what ``Measurement.add`` needs of a block that has rows."""
        try:
            kept = self.begin(self.estimator, block)
            if not kept.methods:
                return Answered()
            answers, _ = _ask(kept, self.estimator, block)
            sampled = None if self.sampling is None else self.sampling.part(block, answers)
            return Answered(kept.found(), sampled)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (it is raised where it is added)
            return Answered(error=error)


class Measurement:
    """What is gathered of one fitted estimator while blocks go by; nothing of X is kept.

    Several estimators can be measured on the same blocks, each by a measurement of its own.

    Parameters
    ----------
    estimator : fitted estimator
        What predicts.
    begin : callable
        ``begin(estimator, block)`` returns what keeps the answers, given the first block that has
        rows.
    sampling : Sampling, optional
        Keeps what pictures need of some rows.

    Attributes
    ----------
    n_rows : int
        How many rows were added.
    """

    def __init__(
        self,
        estimator: Any,
        begin: Callable[[Any, Block], Kept],
        sampling: Sampling | None = None,
    ) -> None:
        self.n_rows = 0
        self._sampling = sampling
        self._estimator = estimator
        self._begin = begin
        self._kept: Kept | None = None
        self._unseen: dict[Any, Place] = {}

    @property
    def wants_more(self) -> bool:
        """Whether further blocks can change the scores; not where there is no scorer."""
        return self._kept is None or bool(self._kept.methods)

    @property
    def question(self) -> Question:
        """What asks about blocks in other processes."""
        return Question(self._estimator, self._begin, self._sampling)

    def add(self, block: Block) -> None:
        """Ask the estimator about one more block, or take the answers that the block has already.

        Raises
        ------
        ConfigError
            If a scorer does not suit the estimator or its labels.
        FitError
            If the estimator cannot predict the block, or a target or weight in it is not a finite
            number; it names the block and the cause.
        """
        if not block.n_rows:
            return
        answered: Answered | None = block.answers
        if answered is not None and answered.error is not None:
            raise answered.error
        kept = self._kept = self._kept or self._begin(self._estimator, block)
        if kept.methods:
            unseen = self._asked(kept, block) if answered is None else self._told(kept, block)
            self._unseen.update(dict.fromkeys(unseen, block.place))
            self.n_rows += block.n_rows

    def evaluated(self, *, warn: bool = True) -> Evaluated:
        """Return the scores of all that was added.

        Warns
        -----
        RunnerWarning
            Unless it is not wished for, of scores that are ill-defined on these rows, of labels
            that the estimator never learned, and of labels that it knows and no row holds.
        """
        kept = self._kept
        if kept is None:
            return Evaluated({}, self.n_rows)
        scores, remarks = kept.scores()
        if warn:
            _warn(remarks, self._unseen, kept.unmet())
        sample = None if self._sampling is None else self._sampling.sample()
        return Evaluated(scores, self.n_rows, kept.confusion(), kept.predictions(), sample)

    def _asked(self, kept: Kept, block: Block) -> list[Any]:
        answers, unseen = _ask(kept, self._estimator, block)
        if self._sampling is not None:
            self._sampling.add(block, answers)
        return unseen

    def _told(self, kept: Kept, block: Block) -> list[Any]:
        found, sampled, _ = block.answers
        if self._sampling is not None:
            self._sampling.join(block.n_rows, sampled)
        return kept.join(found)


def _ask(kept: Kept, estimator: Any, block: Block) -> tuple[Answers, list[Any]]:
    check_signs(kept.scorers, estimator, block.y)
    missing = not_finite(block, "y", "sample_weight")
    if missing is not None:
        raise missing
    try:
        answers = ask(estimator, kept.methods, block.X, block.sample_weight)
        return answers, kept.add(answers, block.y, block.sample_weight)
    except Exception as error:
        raise not_finite(block, "X") or FitError(
            block.place.subject,
            f"be rows that {type(estimator).__name__} can predict",
            got=cause(error),
            remedy=remedy_of(error, estimator, "Mend or remove these rows at the source."),
        ) from error


def _warn(remarks: dict[str, str], unseen: dict[Any, Place], unmet: list[Any]) -> None:
    for name, remark in remarks.items():
        text = f"{name} over all evaluated rows: {remark}"
        warnings.warn(text, RunnerWarning, stacklevel=4)
    if unseen:
        label, place = next(iter(unseen.items()))
        warnings.warn(
            f"The estimator never learned {len(unseen)} of the labels, first {label!r} in "
            f"{place}: their rows count as errors.",
            RunnerWarning,
            stacklevel=4,
        )
    if unmet:
        more = f" and {len(unmet) - FEW} more" if len(unmet) > FEW else ""
        named = ", ".join(map(repr, unmet[:FEW]))
        plural, them = ("s", "them") if len(unmet) > 1 else ("", "it")
        warnings.warn(
            f"No evaluated row holds the label{plural} {named}{more}: the scores say nothing of "
            f"{them}. Set dataset.holdout_by=rows to hold out rows of every block, or score more "
            "rows.",
            RunnerWarning,
            stacklevel=4,
        )
