"""Pass over blocks that cannot be learned, and let none of them leave a trace."""

from collections.abc import Callable, Generator
from contextlib import closing
from copy import copy
from time import perf_counter
from typing import Any

from runner.base import Block, Progress
from runner.errors import ConfigError, FitError, RunnerError, cause
from runner.states import dumps, loads, set_state, state_of

TRIES = 2
ReadAgain = Callable[[int, int], Generator[Block]]
Train = Callable[[Block], None]


class BadBlocks:
    """The blocks that a fit passes over, and the way back from one that it half learned.

    An estimator that raised in the middle of ``partial_fit`` may be changed by half. It is set
    back to a copy that was taken some blocks before, and learns those blocks once more, which
    gives the very bits that it had. Copies are taken so seldom that they cost a hundredth of the
    time.

    Parameters
    ----------
    most : int
        How many blocks may be bad.
    read_again : callable
        ``read_again(epoch, position)`` yields the blocks of an epoch from a position on.
    n_fits : int
        How many fits learn from the same blocks, and spend of the same time.

    Attributes
    ----------
    numbers : set of int
        Which blocks of the dataset were bad.
    unread : set of (int, int)
        Those that could not even be read: the epoch, and which block of the dataset.
    """

    COST = 0.01
    LEAST_S = 0.1

    def __init__(self, most: int, read_again: ReadAgain, n_fits: int = 1) -> None:
        self.numbers: set[int] = set()
        self.unread: set[tuple[int, int]] = set()
        self._refused: dict[int, list[RunnerError]] = {}
        self._most = most
        self._read_again = read_again
        self._cost = self.COST / n_fits
        self._copy = b""
        self._at = (0, 0)
        self._passed_over: set[tuple[int, int]] = set()
        self._due = 0.0

    def keep(self, estimator: Any, progress: Progress) -> None:
        """Copy the estimator, if it is time to.

        Raises
        ------
        ConfigError
            If it cannot be copied.
        """
        started = perf_counter()
        if started < self._due:
            return
        try:
            self._copy = dumps(estimator, state_of(estimator))
        except Exception as error:
            raise ConfigError(
                "fit.on_bad_block",
                f"be error where {type(estimator).__name__} cannot be copied",
                got=f"skip, and {cause(error)}",
                remedy="Leave it out.",
            ) from error
        self._at = (progress.epoch, progress.position)
        self._passed_over.clear()
        ended = perf_counter()
        self._due = ended + max((ended - started) / self._cost, self.LEAST_S)

    def state(self) -> Any:
        """Return which blocks were bad, and why."""
        return self.numbers, self.unread, self._refused

    def restore(self, state: Any) -> None:
        """Know them from now on."""
        self.numbers, self.unread, self._refused = state

    def check(self, block: Block) -> None:
        """Raise what was found to be wrong with a block twice; it is not tried a third time."""
        errors = self._refused.get(block.place.number, [])
        if len(errors) >= TRIES and not block.place.mixed:
            raise copy(errors[-1])

    def go_back(self, estimator: Any, progress: Progress, train: Train) -> None:
        """Set the estimator, in place, to what it was before the block that comes next.

        Raises
        ------
        DatasetError
            If a block on the way, which was learned before, cannot be read again.
        """
        set_state(estimator, loads(estimator, self._copy, is_own=True))
        first, start = self._at
        for epoch in range(first, progress.epoch + 1):
            stop = progress.position if epoch == progress.epoch else None
            if stop is not None and stop <= start:
                break
            self._learn_again(epoch, start, stop, train)
            start = 0
        self._due = 0.0
        self.keep(estimator, progress)

    def _learn_again(self, epoch: int, start: int, stop: int | None, train: Train) -> None:
        with closing(self._read_again(epoch, start)) as blocks:
            for block in blocks:
                if (epoch, block.position) not in self._passed_over:
                    if block.error is not None:  # it was read and learned when its turn was
                        raise block.error
                    if block.n_rows:
                        train(block)
                if block.position + 1 == stop:
                    return

    def add(self, block: Block, error: RunnerError, *, is_training: bool = True) -> bool:
        """Count a block that is passed over; say whether it was not known to be bad.

        Raises
        ------
        FitError
            If there are too many.
        """
        self._passed_over.add((block.epoch, block.position))
        if block.error is None and is_training:
            errors = self._refused.setdefault(block.place.number, [])
            errors[:] = [*errors[: TRIES - 1], copy(error)]  # without what its trace holds
        is_new = block.place.number not in self.numbers
        self.numbers.add(block.place.number)
        if block.error is not None:
            self.unread.add((block.epoch, block.place.number))
        if len(self.numbers) > self._most:
            raise FitError(
                "The bad blocks",
                f"be {self._most} at most, as fit.max_bad_blocks has it",
                got=f"{len(self.numbers)}, the last because {_lower_first(str(error))}",
                remedy="Mend the data, or allow more.",
            ) from error
        return is_new


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
