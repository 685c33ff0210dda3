"""What is done to one block: it is checked, looked at, tested on, and learned."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from runner.base import Block, Scores
from runner.errors import RunnerError
from runner.fit.blame import blame, check_block
from runner.fit.calls import Calls, LearnBy, learn_here
from runner.fit.inspection import Inspection
from runner.fit.progressive import Progressive

FIRST_THAT_COPIES_ON_WRITE = 3  # the major version of pandas


class Learned(NamedTuple):
    """The scores of a block before it was learned, if it was tested on, and the seconds."""

    scores: Scores | None
    fit_s: float


@dataclass
class Step:
    """An estimator, and all that is needed to learn a block, here or in another process.

    Attributes
    ----------
    estimator : object with ``partial_fit``
        What learns, in place.
    calls : Calls
        How it is called.
    score : Progressive, optional
        Scores each block before it is learned.
    inspect : Inspection, optional
        Looks at each block, as the estimator gets it, before it is learned.
    learn_by : callable
        Calls ``partial_fit``.
    """

    estimator: Any
    calls: Calls
    score: Progressive | None = None
    inspect: Inspection | None = None
    learn_by: LearnBy = learn_here

    def __call__(self, block: Block, begin: Callable[[], object], *, is_tested: bool) -> Learned:
        """Let the estimator learn a block that is not empty.

        Parameters
        ----------
        block : Block
        begin : callable
            Called when the estimator is about to change.
        is_tested : bool
            Whether there is a model already, that can be scored.

        Raises
        ------
        DatasetError, FitError
            If the block cannot be learned; it names the block, its rows and the cause. The scores
            so far are as before.
        ConfigError
            What the inspection refuses.
        """
        if block.error is not None:
            raise block.error
        check_block(self.estimator, self.calls.classes, block)
        if self.inspect is not None:
            self.inspect(block)
        window = [] if self.score is None else self.score.state()
        try:
            return self._test_and_train(block, begin, is_tested)
        except Exception as error:
            if self.score is not None:
                self.score.restore(window)
            if isinstance(error, RunnerError):
                raise
            raise blame(self.estimator, block, error) from error

    def _test_and_train(
        self, block: Block, begin: Callable[[], object], is_tested: bool
    ) -> Learned:
        scores = None
        if self.score is not None and is_tested:
            scores = self.score.update(self.estimator, block)
        begin()
        started = perf_counter()
        self.calls(self.estimator, block, self.learn_by)
        return Learned(scores, perf_counter() - started)


def protected(block: Block) -> Block:
    """Return a block of the same rows, into which nothing can be written.

    The arrays are the same ones, and are protected in place. A DataFrame, and sparse rows, are
    another object, which is free to be given other columns or values. It shares the memory; a
    DataFrame until it is written to, or where pandas (before 3) does not see to that, never.

    Examples
    --------
    >>> from runner.base import Place
    >>> block = protected(Block(np.ones((2, 2)), None, None, Place(0, 0, 2)))
    >>> block.X *= 2
    Traceback (most recent call last):
    ValueError: output array is read-only
    """
    for array in (block.X, block.y, block.sample_weight):
        parts = [getattr(array, name, None) for name in ("data", "indices", "indptr")]
        for part in [array] if isinstance(array, np.ndarray) else parts:
            if isinstance(part, np.ndarray):
                part.flags.writeable = False
    if hasattr(block.X, "columns"):
        return replace(block, X=block.X.copy(deep=not _copies_on_write()))
    return replace(block, X=copy(block.X)) if hasattr(block.X, "indptr") else block


def _copies_on_write() -> bool:
    import pandas as pd

    return int(pd.__version__.partition(".")[0]) >= FIRST_THAT_COPIES_ON_WRITE
