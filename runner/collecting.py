"""When the command line lets Python look for reference cycles: not while it imports, or ends.

Modules live as long as the process, so that looking through them frees nothing. Only the command
line's own process is treated so: what imports the runner keeps the collector as it has it.
"""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_owned: list[bool] = []


def own_process() -> None:
    """Say that this process is the command line's own, and let it end quickly.

    In the end it is looked for cycles among what was made after the imports, and what is still
    there is not looked through while Python ends. That comes after all that others have registered
    to be done at exit. Where the collector is off, it is left alone.
    """
    if gc.isenabled() and not _owned:
        _owned.append(True)
        atexit.register(_end)  # the first to be registered is the last to be called


def _end() -> None:
    gc.collect()  # it may be that a file in a cycle is closed by that alone
    gc.freeze()


@contextmanager
def importing(*, is_last: bool = False) -> Iterator[None]:
    """Import without collections, and leave out what is there from all later ones.

    To be used while there are no blocks, and nothing that was built for a person: a cycle that is
    left out is never freed. In a process that is not the command line's own, nothing is changed.

    Parameters
    ----------
    is_last : bool
        Whether things are built from now on; then no later use changes anything.

    Examples
    --------
    >>> with importing():
    ...     import wave
    ...     gc.isenabled()  # this process is not the command line's own
    True
    """
    if not _owned or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        if is_last:
            _owned.clear()
