"""Ctrl-C once asks a fit to stop after its block; twice stops it at once."""

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Self

CTRL_C, GIVEN_UP = "Ctrl-C", "the sweep was stopped"


class Interruption:
    """Takes SIGINT while it is open, in the main thread, where Python would raise on it.

    The first is remembered, and a line on standard error says so; from the second on
    ``KeyboardInterrupt`` is raised as ever.

    Attributes
    ----------
    is_asked : bool
        Whether the first has come.
    is_learning : bool
        Whether there is something to stop.
    """

    def __init__(self) -> None:
        self.is_asked = False
        self.is_learning = True
        self._before: Any = None

    def __enter__(self) -> Self:
        """Take the signal, unless somebody else has it."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self.is_asked:
            raise KeyboardInterrupt
        self.is_asked = True
        then = (
            "stopping after this block"
            if self.is_learning
            else "learning is over, scoring goes on"
        )
        sys.stderr.write(f"\n{then}; Ctrl-C once more stops at once\n")
        sys.stderr.flush()
