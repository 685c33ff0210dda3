"""SIGTERM as an exception, and what an exception says about how a run ended."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from runner.errors import Terminated


@contextmanager
def terminated_by_signal() -> Iterator[None]:
    """Raise ``Terminated`` in the main thread when SIGTERM arrives; a second one is ignored.

    Elsewhere than in the main thread, where Python takes no signals, this changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


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
    >>> [interruption(error) for error in (KeyboardInterrupt(), Terminated(), GeneratorExit())]
    ['Ctrl-C', 'SIGTERM', 'GeneratorExit']
    """
    if isinstance(error, KeyboardInterrupt):
        return "Ctrl-C"
    return "SIGTERM" if isinstance(error, Terminated) else type(error).__name__


def _raise(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated
