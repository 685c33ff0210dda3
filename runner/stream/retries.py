"""Read again what could not be read for a reason that may pass."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSES_S = (0.1, 0.5)  # before the second try and before the third; the last one before each more
LASTING = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


def retried(read: Callable[[], T], retries: int) -> T:
    """Call until it returns, at most ``retries`` times more after transient errors.

    Parameters
    ----------
    read : callable
        Free of side effects.
    retries : int

    Raises
    ------
    Exception
        What the last call raised; any error that is not transient at once.
    """
    for done in range(retries):
        try:
            return read()
        except Exception as error:
            if not is_transient(error):
                raise
        time.sleep(PAUSES_S[min(done, len(PAUSES_S) - 1)])
    return read()


def is_transient(error: BaseException) -> bool:
    """Say whether an error is one of the system that may be gone the next time.

    Parameters
    ----------
    error : BaseException
        Errors of ours count by what caused them.

    Examples
    --------
    >>> is_transient(TimeoutError()), is_transient(FileNotFoundError()), is_transient(ValueError())
    (True, False, False)
    """
    while error.__cause__ is not None and not isinstance(error, OSError):
        error = error.__cause__
    return isinstance(error, OSError) and not isinstance(error, LASTING)
