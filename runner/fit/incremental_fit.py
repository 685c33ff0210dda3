"""One estimator learning block by block."""

import warnings
from collections.abc import Generator, Mapping
from functools import partial
from typing import Any

from runner.base import Block, Callback, Estimator, Progress
from runner.elsewhere import Elsewhere, Then
from runner.errors import DatasetError, FitError, RunnerWarning
from runner.fit.bad_blocks import BadBlocks
from runner.fit.calls import Calls, LearnBy
from runner.fit.held_out import HeldOut, Measure, Measurement
from runner.fit.inspection import Inspection
from runner.fit.labels import LabelWeights
from runner.fit.listeners import Listeners
from runner.fit.progressive import Progressive
from runner.fit.sent import learn_there
from runner.fit.step import Step
from runner.protocols import Checkpoint
from runner.redaction import redacted
from runner.states import dumps, loads, set_state, state_of


class IncrementalFit:
    """An estimator, how it is called, and how far it has come.

    Parameters
    ----------
    estimator, partial_fit
        What learns, and the keyword arguments of every call, such as ``classes``.
    score : Progressive, optional
        Scores each block before it is learned.
    held_out : HeldOut, optional
        Scores rows that are not learned from, now and then.
    weights : LabelWeights, optional
        What each row weighs by its label.
    inspect : Inspection, optional
        Looks at each block, as the estimator gets it, before it is learned.
    bad_blocks : BadBlocks, optional
        Passes over what cannot be learned; without it the first such block ends the fit.
    checkpoint : Checkpoint, optional
        Keeps its state.
    callbacks : mapping of str to Callback, optional
        Told, in this order, how the fit goes.
    progress : Progress, optional
        The counts; its ``epochs`` say for how many passes the fit goes on.

    Attributes
    ----------
    error : BaseException or None
        What ended it, where it learns beside others that go on.
    is_whole : bool
        Whether estimator, counts and callbacks are all as some block left them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import SGDClassifier
    >>> from runner.base import Block, Place
    >>> fit = IncrementalFit(SGDClassifier(random_state=0), {"classes": [0, 1]})
    >>> X, y = np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> fit.step(Block(X, y, None, Place(number=0, start=0, stop=2)))
    >>> fit.progress.rows, fit.estimator.predict([[2.0]])
    (2, array([1]))
    """

    def __init__(
        self,
        estimator: Estimator,
        partial_fit: Mapping[str, Any] | None = None,
        *,
        score: Progressive | None = None,
        held_out: HeldOut | None = None,
        weights: LabelWeights | None = None,
        inspect: Inspection | None = None,
        bad_blocks: BadBlocks | None = None,
        checkpoint: Checkpoint | None = None,
        callbacks: Mapping[str, Callback] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.estimator = estimator
        self.progress = progress or Progress()
        self.error: BaseException | None = None
        self.measurement: Measurement
        self.is_whole = True
        self.bad_blocks = bad_blocks
        self._step = Step(estimator, Calls(partial_fit or {}, weights), score, inspect)
        self._held_out, self._checkpoint = held_out, checkpoint
        self._from: tuple[int, int] | None = None
        self._listeners = Listeners(callbacks or {}, self.progress)
        stateful: dict[str, Any] = {"score": score, "held_out": held_out, "bad_blocks": bad_blocks}
        self._stateful = {name: each for name, each in stateful.items() if each is not None}
        self._stateful |= {"calls": self._step.calls, "listeners": self._listeners}

    @property
    def learn_by(self) -> LearnBy:
        """What calls ``partial_fit``, here or in another process of this machine."""
        return self._step.learn_by

    @learn_by.setter
    def learn_by(self, by: LearnBy) -> None:
        self._step.learn_by = by

    @property
    def failed(self) -> bool:
        """Whether an error ended it."""
        return self.error is not None

    @property
    def goes_on(self) -> bool:
        """Whether it is to get further blocks: not stopped, not failed, and epochs left."""
        progress = self.progress
        over = progress.stop_reason is not None or progress.epoch >= progress.epochs
        return not (over or self.failed)

    def begin(self) -> None:
        """Tell the callbacks that the first block is coming."""
        self._listeners.begin(self.estimator)
        if self.bad_blocks is not None:
            self.bad_blocks.keep(self.estimator, self.progress)

    def state(self) -> bytes:
        """Return all that ``restore`` needs to go on from here."""
        state = {name: each.state() for name, each in self._stateful.items()}
        state |= {"learner": state_of(self.estimator), "progress": vars(self.progress)}
        return dumps(self.estimator, state)

    def restore(self, content: bytes) -> None:
        """Go on from a state, before ``begin``; blocks before it are not wanted again."""
        state = loads(self.estimator, content)
        set_state(self.estimator, state["learner"])
        vars(self.progress).update(state["progress"])
        for name, each in self._stateful.items():
            if name in state:
                each.restore(state[name])
        self._from = (self.progress.epoch, self.progress.position)

    @property
    def first_block(self) -> tuple[int, int]:
        """Where the first block is that it wants: the epoch, and the position in it."""
        return self._from or (0, 0)

    def wants(self, block: Block) -> bool:
        """Say whether a block is not one of those that it had before it was restored."""
        if self._from is not None and (block.epoch, block.position) >= self._from:
            self._from = None
        return self._from is None

    def step(self, block: Block) -> None:
        """Test on a block, learn from it, tell the callbacks; an empty block is only counted.

        Raises
        ------
        DatasetError, FitError
            If the block could not be read, a label is not among ``classes`` or the estimator
            refuses it; it names the block, its rows and the cause. Unless ``is_whole``, the
            estimator may be half changed. Where bad blocks are passed over: if they are too many.
        """
        progress = self.progress
        progress.load_s += block.load_s
        progress.wait_s += block.wait_s
        try:
            self._learn(block)
        except (DatasetError, FitError) as error:
            self._pass_over(block, error)
        else:
            if block.n_rows:
                progress.learned(block)
                self._listeners.learned(block)
        progress.position = block.position + 1
        if self.bad_blocks is not None:
            self.bad_blocks.keep(self.estimator, progress)
        self.is_whole = self._held_out is None or not self._held_out.owes(progress.rows)

    def is_due(self) -> bool:
        """Say, once for each time, whether held-out rows are to be scored between blocks."""
        return self._held_out is not None and self._held_out.is_due(self.progress.rows)

    def is_due_at_epoch_end(self) -> bool:
        """Say whether held-out rows are to be scored at the end of a pass."""
        progress = self.progress
        is_last = progress.epoch == progress.epochs
        return self._held_out is not None and self._held_out.is_due_at_epoch_end(
            progress.rows, is_last
        )

    def end_pass(self) -> None:
        """Count the epoch, which raises a FitError if there was no row to learn."""
        progress = self.progress
        self.is_whole = False
        progress.epoch += 1
        progress.position, self._from = 0, None
        if self._step.score is not None:
            self._step.score.restart()
        if progress.blocks == 0:
            raise FitError(
                "The training blocks",
                "hold at least one row",
                got=f"only empty ones, {progress.empty_blocks} of them",
                remedy="Check the source, or hold out less.",
            )

    def end_epoch(self) -> None:
        """Tell the callbacks that an epoch is over."""
        self._listeners.end_epoch()
        self.is_whole = True

    def measure(self, begin: Measure) -> None:
        """Begin a measurement of the estimator."""
        self.measurement = begin(self.estimator)

    def answer(self, block: Block) -> None:
        """Add a block to the measurement, unless it is a bad one that is passed over."""
        try:
            if block.error is not None:
                raise block.error
            self.measurement.add(block)
        except (DatasetError, FitError) as error:
            self._pass_over(block, error, is_training=False)

    def test(self, estimator: Any) -> Measurement:
        """Begin to score held-out rows on the way."""
        assert self._held_out is not None, "only such a fit is due"  # noqa: S101
        return self._held_out.begin(estimator, self.progress.rows)

    def read_held_out(self, then: Then | None = None) -> Generator[Block]:
        """Yield the blocks of held-out rows, as ``ReadBlocks`` does."""
        assert self._held_out is not None, "only such a fit is due"  # noqa: S101
        return self._held_out.read(then)

    def end_test(self) -> None:
        """Tell the callbacks what held-out rows scored."""
        self.progress.held_out = self.measurement.evaluated(warn=False).scores
        self._listeners.tested()
        self.is_whole = True

    def is_keep_due(self) -> bool:
        """Say whether it is time to keep the state."""
        return self._checkpoint is not None and self._checkpoint.is_due()

    def keep(self) -> None:
        """Keep the state, between two blocks."""
        if self._checkpoint is not None:
            self._checkpoint.keep(self.state)

    def interrupt(self, reason: str) -> None:
        """Ask to stop, and keep the state for another time."""
        if self._checkpoint is not None:
            self._checkpoint.keep_last(self.state)
        self.progress.is_paused = True
        self.progress.stop(reason)

    def end(self) -> None:
        """Tell every callback that no block will follow, however the fit ended."""
        if self._checkpoint is not None and not self.progress.is_paused:
            if self.failed or self.goes_on:
                self._checkpoint.keep_last(self.state if self.is_whole else None)
            else:  # until its run has ended, which may fail
                self._checkpoint.keep(self.state)
        self._listeners.end()

    def _learn(self, block: Block) -> None:
        if block.error is not None:
            raise block.error
        if block.n_rows == 0:
            self.progress.empty_blocks += 1
            return
        if self.bad_blocks is not None:
            self.bad_blocks.check(block)
        learn = learn_there if isinstance(block.X, Elsewhere) else Step.__call__
        is_tested = self.progress.blocks > 0
        learned = learn(self._step, block, self._begin_to_change, is_tested=is_tested)
        self.progress.fit_s += learned.fit_s
        if learned.scores is not None:
            self.progress.scores = learned.scores

    def _begin_to_change(self) -> None:
        self.is_whole = False

    def _pass_over(
        self, block: Block, error: DatasetError | FitError, *, is_training: bool = True
    ) -> None:
        """Go on as if a block had not been there, or raise why it cannot be learned."""
        if self.bad_blocks is None:
            raise error
        if is_training and not self.is_whole:
            again = partial(self._step.calls, self.estimator)
            self.bad_blocks.go_back(self.estimator, self.progress, again)
        if self.bad_blocks.add(block, error, is_training=is_training):
            warnings.warn(redacted(f"Passed over: {error}"), RunnerWarning, stacklevel=2)
        self.progress.bad_blocks = len(self.bad_blocks.numbers)
        self._listeners.passed_over(block, error)
