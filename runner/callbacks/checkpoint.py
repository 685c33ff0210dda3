"""Keep the state of a fit, so that a kill costs a little and not all."""

import warnings
from collections.abc import Callable
from time import monotonic
from typing import Annotated, Any, Protocol

from runner.base import Callback, Progress
from runner.errors import RunnerError, RunnerWarning, cause
from runner.rules import check, null, number, positive


class Write(Protocol):
    """What writes a state."""

    def __call__(self, content: bytes, *, is_durable: bool = True) -> None:
        """Write it, so that it survives a power failure if that is asked for."""


class Checkpoint(Callback):
    """Write the state of the fit to the project's folder, as often as it costs next to nothing.

    A state is kept when the last one is as long ago as a hundred times what it took to keep it,
    so that a hundredth of the time is spent however large the estimator is, and not more often
    than every ``every_s``. A fit that ends within ``after_s`` writes nothing: until then states
    of a fit that learns alone are kept in memory, and the last of them is written if an error
    ends the fit. One that goes on from a state writes from its beginning. Fits that learn from
    the same blocks share the time that may be spent.

    Parameters
    ----------
    after_s : float
        For how many seconds nothing is written.
    every_s : float
        The shortest time in seconds between two states.
    cost : float
        The share of the time that may be spent, more than 0.
    clock : callable, optional
        Returns seconds; for tests, not for the file.

    Attributes
    ----------
    kept : int
        How many states were kept.
    spent_s : float
        How long that took.
    """

    IN_MEMORY_S = 0.1
    IN_MEMORY_NBYTES = 256 * 2**20

    def __init__(
        self,
        after_s: Annotated[float, number(0)] = 60.0,
        every_s: Annotated[float, number(0)] = 10.0,
        cost: Annotated[float, positive()] = 0.01,
        clock: Annotated[Callable[[], float] | None, null()] = None,
    ) -> None:
        self.after_s, self.every_s, self.cost = after_s, every_s, cost
        check("callbacks.checkpoint", self)
        self.kept, self.spent_s = 0, 0.0
        self._clock = clock or monotonic
        self._write: Write | None = None
        self._latest: bytes | None = None
        self._began = self._due = 0.0
        self._n_fits = 1
        self._warned = False

    def attach(self, write: Write) -> None:
        """Know what writes a state."""
        self._write = write

    def begin(self, state: Callable[[], bytes], n_fits: int = 1, *, is_new: bool = True) -> None:
        """Know how many fits spend of the same time, and write the state in which one begins.

        That holds what passes before it found out. It may be lost with a power failure.
        """
        self._n_fits = n_fits
        if is_new:
            self._try(state, is_written=True, is_durable=False)
            self.kept = 0

    def on_fit_begin(self, progress: Progress, estimator: Any) -> None:
        """Start the clock."""
        self._began = self._clock()
        alone = self._n_fits == 1
        self._due = self._began + min(self.after_s, self.IN_MEMORY_S if alone else self.after_s)
        self._latest = None

    def state(self) -> Any:
        """Return that there is a state, which says that the fit has been going on for long."""
        return True

    def restore(self, state: Any) -> None:
        """Write from now on: what a kill costs does not begin anew with a fit that goes on."""
        self._began = self._clock() - self.after_s

    def is_due(self) -> bool:
        """Whether it is time to keep the state."""
        return self._write is not None and self._clock() >= self._due

    def keep(self, state: Callable[[], bytes]) -> None:
        """Keep the state that is returned.

        Warns
        -----
        RunnerWarning
            Once, if it cannot be kept; the fit goes on, and it is tried again.
        """
        started = self._clock()
        is_long = started - self._began >= self.after_s
        self._try(state, is_written=is_long)
        ended = self._clock()
        self.spent_s += ended - started
        pause = max(
            (ended - started) * self._n_fits / self.cost,
            self.every_s if is_long else self.IN_MEMORY_S,
        )
        self._due = ended + pause
        if not is_long:
            self._due = min(self._due, max(self._began + self.after_s, ended))

    def keep_last(self, state: Callable[[], bytes] | None) -> None:
        """Keep the state in which a fit ends that did not finish, or else the latest in memory."""
        latest, self._warned = self._latest, False
        if self._write is not None and (state or latest is not None):
            self._try(state or (lambda: latest or b""), is_written=True)

    def _try(
        self, state: Callable[[], bytes], *, is_written: bool, is_durable: bool = True
    ) -> None:
        try:
            content = state()
            if is_written and self._write is not None:
                self._write(content, is_durable=is_durable)
            is_small = len(content) <= self.IN_MEMORY_NBYTES
            is_held = is_small and not is_written and self._n_fits == 1
            self._latest = content if is_held else None
            self.kept += 1
        except Exception as error:  # noqa: BLE001  (a state that cannot be kept ends no fit)
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            told = str(error).rstrip(".") if isinstance(error, RunnerError) else cause(error)
            warnings.warn(
                f"The state of the fit is not kept for now ({told}). The fit goes on, but a kill "
                "would cost all since the last state.",
                RunnerWarning,
                stacklevel=2,
            )
