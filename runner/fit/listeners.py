"""The callbacks of one fit, told together."""

import warnings
from collections.abc import Mapping
from typing import Any

from runner.base import Block, Callback, Progress
from runner.errors import RunnerError, RunnerWarning, cause


class Listeners:
    """Callbacks by name, which are told in this order how a fit goes.

    Parameters
    ----------
    callbacks : mapping of str to Callback
        Each is told of everything.
    progress : Progress
        How far the fit has come.

    Examples
    --------
    >>> from runner.callbacks.early_stopping import EarlyStopping
    >>> listeners = Listeners({"stop": EarlyStopping()}, Progress())
    >>> listeners.begin(None)
    >>> listeners.state()
    {'stop': (-inf, 0)}
    """

    def __init__(self, callbacks: Mapping[str, Callback], progress: Progress) -> None:
        self._callbacks = dict(callbacks)
        self._progress = progress
        self._restored: Mapping[str, Any] = {}

    def begin(self, estimator: Any) -> None:
        """Tell that the first block is coming."""
        for name, callback in self._callbacks.items():
            callback.on_fit_begin(self._progress, estimator)
            if self._restored.get(name) is not None:
                callback.restore(self._restored[name])

    def learned(self, block: Block) -> None:
        """Tell of a block that was learned."""
        for callback in self._callbacks.values():
            callback.on_block_end(self._progress, block)

    def passed_over(self, block: Block, error: RunnerError) -> None:
        """Tell of a block that was passed over."""
        for callback in self._callbacks.values():
            callback.on_bad_block(self._progress, block.place, block.epoch, block.position, error)

    def tested(self) -> None:
        """Tell what held-out rows scored."""
        for callback in self._callbacks.values():
            callback.on_held_out(self._progress)

    def end_epoch(self) -> None:
        """Tell that an epoch is over."""
        for callback in self._callbacks.values():
            callback.on_epoch_end(self._progress)

    def end(self) -> None:
        """Tell every callback that no block will follow.

        Warns
        -----
        RunnerWarning
            If one fails; the others are told, and what ended the fit is not hidden.
        """
        for name, callback in self._callbacks.items():
            try:
                callback.on_fit_end(self._progress)
            except (Exception, SystemExit) as error:  # noqa: BLE001  (it may be anybody's)
                warnings.warn(
                    f"The callback {name} failed at the end of the fit: {cause(error)}.",
                    RunnerWarning,
                    stacklevel=2,
                )

    def state(self) -> dict[str, Any]:
        """Return the states of those that have one, by name."""
        return {name: callback.state() for name, callback in self._callbacks.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Let each go on from its state, once it was told of the beginning."""
        self._restored = state
