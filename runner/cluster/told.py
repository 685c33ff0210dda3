"""Python warnings of work that is done elsewhere: recorded there, issued here."""

import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

_lock = threading.Lock()
_sinks: "dict[int, list[Told]]" = {}
_before: list[Any] = []


class Told(NamedTuple):
    """One warning: what it says, of which kind, and where in the code it was raised."""

    message: Warning
    category: type[Warning]
    filename: str
    lineno: int


@contextmanager
def recorded() -> Generator[list[Told]]:
    """Collect every warning that this thread raises, instead of showing it.

    Several threads may do so at the same time; what another thread raises, of which it is not
    known for whom it works, is told by the one that began last.
    """
    here, told = threading.get_ident(), list[Told]()
    with _lock:
        if not _sinks:
            _before.append(warnings.catch_warnings())
            _before[0].__enter__()
            warnings.simplefilter("always")
            warnings.showwarning = _show
        _sinks[here] = told
    try:
        yield told
    finally:
        with _lock:
            del _sinks[here]
            if not _sinks:
                _before.pop().__exit__(None, None, None)


def issue(told: list[Told], seen: dict[Any, Any]) -> None:
    """Raise recorded warnings here, as the filters of this process want it.

    Parameters
    ----------
    told : list of Told
    seen : dict
        What was shown before, so that what is to be shown once is shown once.
    """
    for each in told:
        warnings.warn_explicit(*each, registry=seen)


def _show(message: Any, category: Any, filename: str, lineno: int, *_: Any, **__: Any) -> None:
    sink = _sinks.get(threading.get_ident())
    if sink is None:
        sink = list(_sinks.values())[-1]
    sink.append(Told(message, category, filename, lineno))
