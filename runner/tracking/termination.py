"""SIGTERM and SIGHUP as an exception, and what an exception says about how a run ended."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from runner.errors import Terminated

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class _Taken:
    """How the signals are answered elsewhere, while runs of this process are open."""

    def __init__(self) -> None:
        self.open = 0
        self.before: dict[signal.Signals, Any] = {}

    def enter(self) -> None:
        """Take the signals, unless they are taken already."""
        self.open += 1
        if self.before:
            return
        found = {number: signal.getsignal(number) for number in _SIGNALS}
        self.before = {number: how for number, how in found.items() if how is not signal.SIG_IGN}
        for number in self.before:
            signal.signal(number, _raise)

    def leave(self) -> None:
        """Give the signals back with the last run."""
        self.open -= 1
        if self.open or threading.current_thread() is not threading.main_thread():
            return
        before, self.before = self.before, {}
        for number, how in before.items():
            signal.signal(number, signal.SIG_DFL if how is None else how)


_taken = _Taken()


@contextmanager
def terminated_by_signal() -> Iterator[None]:
    """Raise ``Terminated`` in the main thread when SIGTERM or SIGHUP arrives; then ignore both.

    It may be entered again while it is open, and be left in any order: the last to leave gives
    the signals back. A signal that is ignored already, as ``nohup`` has it, stays so. Elsewhere
    than in the main thread, where Python takes no signals, this changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _taken.enter()
    try:
        yield
    finally:
        _taken.leave()


def status_of(error: BaseException) -> str:
    """Return the status of a run that an exception ended.

    Examples
    --------
    >>> [status_of(error) for error in (ValueError(), KeyboardInterrupt(), Terminated())]
    ['FAILED', 'KILLED', 'KILLED']
    >>> [status_of(error) for error in (SystemExit(0), SystemExit(3), SystemExit("no"))]
    ['FINISHED', 'FAILED', 'FAILED']
    """
    if isinstance(error, SystemExit):
        return "FAILED" if error.code else "FINISHED"
    return "FAILED" if isinstance(error, Exception) else "KILLED"


def interruption(error: BaseException | None) -> str:
    """Say what interrupted a run.

    Examples
    --------
    >>> stops = (KeyboardInterrupt(), Terminated("SIGHUP"), Terminated(), GeneratorExit())
    >>> [interruption(error) for error in stops]
    ['Ctrl-C', 'SIGHUP', 'SIGTERM', 'GeneratorExit']
    """
    if isinstance(error, KeyboardInterrupt):
        return "Ctrl-C"
    if isinstance(error, Terminated):
        return str(error) or "SIGTERM"
    return type(error).__name__


def _raise(number: int, _frame: FrameType | None) -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Terminated(signal.Signals(number).name)
