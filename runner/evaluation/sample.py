"""Some of the held-out rows, chosen by a hash of their numbers: their labels and answers."""

from contextlib import suppress
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

from runner.base import Block
from runner.evaluation.replay import Answers
from runner.kinds import classes_of, kind_of
from runner.records import Sample

MOST_ROWS = 20_000
MOST_NUMBERS = 1_000_000
_END = 2**64 - 1


class SampledRows(NamedTuple):
    """Some rows of a block: their hashes, what was answered, and the labels of a classifier."""

    hashes: np.ndarray
    answers: np.ndarray
    true: np.ndarray | None


class Sampling:
    """A bounded sample of the rows that go by, the same however they are cut into blocks.

    These are the rows with the smallest hashes: at most 20,000, and fewer where the answer to a
    row is more than 50 numbers. Of a block the estimator is asked about the rows that may be among
    them; y and the answers are kept, X is not. Where it cannot answer, or answers in a shape that
    is not understood, there is no sample, and no error.

    Parameters
    ----------
    estimator : fitted estimator
        What answers: a classifier of one target by ``predict_proba`` or else
        ``decision_function``, a clusterer by ``predict``.
    n_rows : int
        How many rows will come. If more do, the sample is as large; if fewer do, it is smaller.
    """

    def __init__(self, estimator: Any, n_rows: int) -> None:
        self._estimator = estimator
        self._respondent: Any = None
        self._kind = kind_of(estimator)
        self._method = _method(estimator, self._kind)
        self._has_labels = self._kind == "classifier"
        classes = classes_of(estimator) if self._has_labels else None
        self._classes = classes if isinstance(classes, np.ndarray) else None
        n_numbers = 1 if self._classes is None else max(len(self._classes), 1)
        self._most = max(min(MOST_ROWS, MOST_NUMBERS // n_numbers), 1)
        # Somewhat more than there shall be, so that chance leaves none out.
        share = (self._most + 5 * self._most**0.5) / max(n_rows, 1)
        self._below = _END if share >= 1 else int(share * _END)
        self._n_rows = 0
        self._parts: list[SampledRows] = []

    def add(self, block: Block, answers: Answers) -> None:
        """Keep some rows of a block; ``answers`` are known already, by method, of all its rows."""
        self.join(block.n_rows, self.part(block, answers))

    def part(self, block: Block, answers: Answers) -> SampledRows | None:
        """Return what ``join`` takes of a block; None where the estimator cannot answer."""
        try:
            return None if self._method is None else self._sampled(block, answers)
        except Exception:  # noqa: BLE001  (a picture is not worth a score)
            return None

    def join(self, n_rows: int, part: SampledRows | None) -> None:
        """Keep what was made of a block of so many rows; without an answer there is no sample."""
        self._n_rows += n_rows
        if self._method is None:
            return
        try:
            self._keep(part)
        except Exception:  # noqa: BLE001  (a picture is not worth a score)
            self._method = None
            self._parts.clear()

    def sample(self) -> Sample | None:
        """Return what is kept, in the order of the hashes; None where there is nothing."""
        if self._method is None or not self._parts:
            return None
        self._trim()
        _, answers, true = self._parts[0]
        is_number = answers.dtype.kind in "biuf"
        if self._has_labels and not (is_number and np.isfinite(answers).all()):
            return None
        return Sample(self._method, answers, self._n_rows, true, self._classes)

    def _keep(self, part: SampledRows | None) -> None:
        if part is None:
            msg = "This is no answer to draw."
            raise ValueError(msg)
        if not len(part.hashes):
            return
        self._parts.append(part)
        if sum(len(each.hashes) for each in self._parts) > 2 * self._most:
            self._trim()

    def _sampled(self, block: Block, answers: Answers) -> SampledRows:
        method = str(self._method)
        hashes = splitmix64(numbers_of(block))
        rows = np.flatnonzero(hashes <= np.uint64(self._below))
        if len(rows) > self._most:
            rows = rows[np.argpartition(hashes[rows], self._most - 1)[: self._most]]
        if not len(rows):
            return SampledRows(hashes[rows], np.empty(0), None)
        if method in answers:
            answer = np.array(answers[method][rows])
        else:
            answer = np.array(self._asked(block, rows))
        true = np.array(block.y[rows]) if self._has_labels else None
        self._check(answer, true, len(rows))
        return SampledRows(hashes[rows], answer, true)

    def _asked(self, block: Block, rows: np.ndarray) -> Any:
        X = block.X
        if len(rows) < block.n_rows:
            X = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
        if self._respondent is None:
            self._respondent = _untouched(self._estimator)
        with np.errstate(all="ignore"):
            return getattr(self._respondent, str(self._method))(X)

    def _check(self, answer: np.ndarray, true: np.ndarray | None, n_rows: int) -> None:
        columns = answer.shape[1:]
        is_one = columns == () or (self._classes is not None and columns == self._classes.shape)
        if len(answer) != n_rows or not is_one or (true is not None and true.ndim != 1):
            msg = "This is no answer to draw."
            raise ValueError(msg)

    def _trim(self) -> None:
        """Keep the rows with the smallest hashes, in their order."""
        columns = list(zip(*self._parts, strict=True))
        hashes = np.concatenate(columns[0])
        order = np.argsort(hashes)[: self._most]
        answers = np.concatenate(columns[1])[order]
        true = np.concatenate(columns[2])[order] if self._has_labels else None
        self._parts = [SampledRows(hashes[order], answers, true)]


def numbers_of(block: Block) -> np.ndarray:
    """Return the numbers, in the dataset, of the rows of a block."""
    if block.rows is not None:
        return block.rows
    return np.arange(block.place.start, block.place.start + block.n_rows)


def splitmix64(numbers: np.ndarray) -> np.ndarray:
    """Return a hash of each number, as the generator SplitMix64 makes it of its state.

    Different numbers have different hashes.

    Parameters
    ----------
    numbers : ndarray of int of shape (n,)

    Returns
    -------
    ndarray of uint64 of shape (n,)

    Examples
    --------
    >>> [f"{value:016x}" for value in splitmix64(np.array([0, 1])).tolist()]
    ['e220a8397b1dcdaf', '910a2dec89025cc1']
    """
    mixed: np.ndarray = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _method(estimator: Any, kind: str | None) -> str | None:
    asked = {"classifier": ("predict_proba", "decision_function"), "clusterer": ("predict",)}
    with suppress(Exception):  # anybody's property
        return next((name for name in asked.get(kind or "", ()) if hasattr(estimator, name)), None)
    return None


def _untouched(estimator: Any) -> Any:
    """Return what may be asked: a copy, if it may be one of those that change when asked."""
    if not hasattr(estimator, "get_params"):
        return deepcopy(estimator)
    within = [part for part in estimator.get_params().values() if hasattr(part, "get_params")]
    parts = [part for part in (estimator, *within) if not hasattr(part, "steps")]
    is_known = all(type(part).__module__.startswith("sklearn.") for part in parts)
    return estimator if is_known else deepcopy(estimator)
