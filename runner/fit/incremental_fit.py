"""One estimator learning block by block."""

import warnings
from collections.abc import Callable, Generator, Mapping
from time import perf_counter
from typing import Any

from runner.base import Block, Callback, Estimator, Progress
from runner.errors import FitError, RunnerError, RunnerWarning, cause
from runner.fit.blame import blame, check_labels
from runner.fit.held_out import HeldOut, Measure, Measurement
from runner.fit.labels import LabelWeights
from runner.fit.progressive import Progressive

LearnBy = Callable[[Any, Any, tuple[Any, ...], Mapping[str, Any]], None]


class IncrementalFit:
    """An estimator, how it is called, and how far it has come.

    Each step tests, then trains, then tells the callbacks. ``partial_fit`` changes the estimator
    in place; its return value is not used, because some return None.

    Parameters
    ----------
    estimator : object with ``partial_fit``
        Learns in place.
    partial_fit : mapping, optional
        Keyword arguments of every call, such as ``classes``.
    score : Progressive, optional
        Scores each block before it is learned.
    held_out : HeldOut, optional
        Scores rows that are not learned from, now and then.
    weights : LabelWeights, optional
        What each row weighs by its label.
    inspect : callable, optional
        Looks at each block, as the estimator gets it, before it is learned.
    callbacks : mapping of str to Callback, optional
        Told, in this order, how the fit goes.
    progress : Progress, optional
        Where the counts are kept; its ``epochs`` say for how many passes the fit goes on.

    Attributes
    ----------
    error : BaseException or None
        What ended it, where it learns beside others that go on.
    measurement : Measurement
        The latest of the estimator.
    learn_by : callable
        ``learn_by(estimator, X, target, arguments)`` calls ``partial_fit``, here or elsewhere.

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
        inspect: Callable[[Block], None] | None = None,
        callbacks: Mapping[str, Callback] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.estimator = estimator
        self.progress = progress or Progress()
        self.error: BaseException | None = None
        self.measurement: Measurement
        self.learn_by: LearnBy = _here
        self._arguments = dict(partial_fit or {})
        self._score = score
        self._held_out = held_out
        self._weights = weights
        self._inspect = inspect
        self._callbacks = dict(callbacks or {})

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
        for callback in self._callbacks.values():
            callback.on_fit_begin(self.progress, self.estimator)

    def step(self, block: Block) -> None:
        """Test on a block, learn from it, tell the callbacks; an empty block is only counted.

        Raises
        ------
        FitError
            If a label is not among ``classes`` or the estimator refuses the block; it names the
            block, its rows and the cause. The estimator may be half changed.
        """
        progress = self.progress
        progress.load_s += block.load_s
        if block.n_rows == 0:
            progress.empty_blocks += 1
            return
        try:
            self._learn(block)
        except RunnerError:
            raise
        except Exception as error:
            raise blame(self.estimator, block, error) from error
        progress.blocks += 1
        progress.rows += block.n_rows
        for callback in self._callbacks.values():
            callback.on_block_end(progress, block)

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
        """Count the epoch.

        Raises
        ------
        FitError
            If there was no row to learn.
        """
        progress = self.progress
        progress.epoch += 1
        if self._score is not None:
            self._score.restart()
        if progress.blocks == 0:
            raise FitError(
                "The training blocks",
                "hold at least one row",
                got=f"only empty ones, {progress.empty_blocks} of them",
                remedy="Check the source, or hold out less.",
            )

    def end_epoch(self) -> None:
        """Tell the callbacks that an epoch is over."""
        for callback in self._callbacks.values():
            callback.on_epoch_end(self.progress)

    def measure(self, begin: Measure) -> None:
        """Begin a measurement of the estimator."""
        self.measurement = begin(self.estimator)

    def test(self, estimator: Any) -> Measurement:
        """Begin to score held-out rows on the way."""
        return self._schedule.begin(estimator, self.progress.rows)

    def read_held_out(self) -> Generator[Block]:
        """Yield the blocks of held-out rows."""
        return self._schedule.read()

    def end_test(self) -> None:
        """Tell the callbacks what held-out rows scored."""
        self.progress.held_out = self.measurement.evaluated(warn=False).scores
        for callback in self._callbacks.values():
            callback.on_held_out(self.progress)

    def end(self) -> None:
        """Tell every callback that no block will follow, however the fit ended.

        Warns
        -----
        RunnerWarning
            If a callback fails; the others are told, and what ended the fit is not hidden.
        """
        for name, callback in self._callbacks.items():
            try:
                callback.on_fit_end(self.progress)
            except (Exception, SystemExit) as error:  # noqa: BLE001  (it may be anybody's)
                warnings.warn(
                    f"The callback {name} failed at the end of the fit: {cause(error)}.",
                    RunnerWarning,
                    stacklevel=2,
                )

    @property
    def _schedule(self) -> HeldOut:
        assert self._held_out is not None, "only a fit with held-out rows is due"  # noqa: S101
        return self._held_out

    def _learn(self, block: Block) -> None:
        check_labels(self._arguments.get("classes"), block)
        if self._inspect is not None:
            self._inspect(block)
        if self._score is not None and self.progress.blocks:
            self.progress.scores = self._score.update(self.estimator, block)
        arguments = self._arguments
        sample_weight = block.sample_weight
        if self._weights is not None:
            sample_weight = self._weights(block.y, sample_weight)
        if sample_weight is not None:
            arguments = {**arguments, "sample_weight": sample_weight}
        target = () if block.y is None else (block.y,)
        started = perf_counter()
        self.learn_by(self.estimator, block.X, target, arguments)
        self.progress.fit_s += perf_counter() - started


def _here(estimator: Any, X: Any, target: tuple[Any, ...], arguments: Mapping[str, Any]) -> None:
    estimator.partial_fit(X, *target, **arguments)
