"""Scores on the way, of rows that are not learned from."""

from collections.abc import Callable, Generator
from copy import deepcopy
from math import inf
from typing import Any, Protocol

from runner.base import Block
from runner.elsewhere import Then
from runner.fit.asking import Question
from runner.records import Evaluated

EPOCH = "epoch"


class Measurement(Protocol):
    """What gathers an estimator's answers on blocks, one after the other."""

    @property
    def wants_more(self) -> bool:
        """Whether further blocks can change the scores."""

    @property
    def question(self) -> Question:
        """What asks about a block in another process, whose answer is the block's ``answers``."""

    def add(self, block: Block) -> None:
        """Ask the estimator about one more block, or take the answers that the block has."""

    def evaluated(self, *, warn: bool = True) -> Evaluated:
        """Return the scores of all that was added."""


Measure = Callable[[Any], Measurement]


class ReadBlocks(Protocol):
    """What yields blocks, in a closable generator."""

    def __call__(self, then: Then | None = None) -> Generator[Block]:
        """Read them; where other processes do, these send what ``then`` makes of each."""


class HeldOut:
    """Held-out rows, and a schedule for their scores that counts the rows learned.

    Parameters
    ----------
    measure : callable
        ``measure(estimator)`` begins to score an estimator.
    read : callable
        ``read(then)`` yields the blocks of held-out rows, in a closable generator.
    every : int or "epoch"
        The rows between two scores, or the end of each epoch. The end of the last epoch always
        has one.
    growth : float
        How many times as many rows there are to each next score, ``every`` more at least: 2.0
        scores after ``every`` rows, then after two, four and eight times as many, so that a long
        fit is not scored too often.

    Examples
    --------
    >>> held_out = HeldOut(measure=print, read=iter, every=100, growth=2.0)
    >>> [rows for rows in range(0, 1000, 50) if rows and held_out.is_due(rows)]
    [100, 200, 400, 800]
    """

    def __init__(
        self,
        measure: Measure,
        read: ReadBlocks,
        every: int | str = EPOCH,
        growth: float = 1.0,
    ) -> None:
        self.read = read
        self._measure = measure
        self._growth = growth
        self._is_each_epoch = every == EPOCH
        self._step = self._due = inf if isinstance(every, str) else float(every)
        self._scored_at = 0

    def state(self) -> tuple[float, int]:
        """Return what was scored already, for ``restore``."""
        return self._due, self._scored_at

    def restore(self, state: tuple[float, int]) -> None:
        """Go on with the schedule."""
        self._due, self._scored_at = state

    def owes(self, rows: int) -> bool:
        """Say whether so many learned rows ask for a score."""
        return rows >= self._due

    def is_due(self, rows: int) -> bool:
        """Say, once for each time, whether so many learned rows ask for a score."""
        if not self.owes(rows):
            return False
        while self._due <= rows:
            self._due = max(self._due * self._growth, self._due + self._step)
        return True

    def is_due_at_epoch_end(self, rows: int, is_last: bool) -> bool:
        """Say whether the end of an epoch asks for a score that there is not yet."""
        return rows > self._scored_at and (is_last or self._is_each_epoch)

    def begin(self, estimator: Any, rows: int) -> Measurement:
        """Begin to score the estimator, which has learned so many rows and is left as it is."""
        self._scored_at = rows
        return self._measure(_copy(estimator))


def _copy(estimator: Any) -> Any:
    """Return a copy, because some estimators change when they are asked; itself if none can be."""
    try:
        return deepcopy(estimator)
    except Exception:  # noqa: BLE001  (anybody's estimator; Birch cannot be copied when it is large)
        return estimator
