"""What Dask says on its loggers: kept for a message, and not printed."""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from runner.errors import cause

FAMILIES = ("asyncio", "asyncssh", "bokeh", "dask_jobqueue", "distributed", "kr8s", "tornado")
MOST = 5  # of what was said is told


class Heard(logging.Handler):
    r"""Keeps the latest warnings; as a filter of a handler it lets nothing pass.

    Examples
    --------
    >>> heard = Heard()
    >>> record = logging.makeLogRecord({"msg": "lost\nit.", "levelno": logging.ERROR})
    >>> heard.stop(record), heard.told
    (False, 'lost it')
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._latest: deque[str] = deque(maxlen=MOST)

    @property
    def told(self) -> str:
        """The latest warnings in one line, each once; "" if there were none."""
        return "; ".join(dict.fromkeys(self._latest))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what a record says."""
        error = record.exc_info[1] if record.exc_info else None
        said = record.getMessage()
        if error is not None:  # of asyncio only this is about more than itself
            said = cause(error) if record.name == "asyncio" else f"{said}: {cause(error)}"
        self._latest.append(" ".join(said.split()).rstrip("."))

    def stop(self, record: logging.LogRecord) -> bool:
        """Keep what a record says, and print nothing of it."""
        if record.levelno >= logging.WARNING:
            self.emit(record)
        return False


@contextmanager
def listening() -> Iterator[Heard]:
    """Keep what Dask and what it starts clusters with say, instead of printing it.

    Afterwards the loggers are as they were before.
    """
    import distributed  # noqa: F401  (it sets handlers of its own, when it is imported)

    heard = Heard()
    with ExitStack() as stack:
        for family in FAMILIES:
            for logger in _of(family):
                for handler in logger.handlers:
                    if isinstance(handler, logging.StreamHandler):
                        handler.addFilter(heard.stop)
                        stack.callback(handler.removeFilter, heard.stop)
            top = logging.getLogger(family)
            if not top.handlers:
                top.addHandler(heard)
                stack.callback(top.removeHandler, heard)
                stack.callback(setattr, top, "propagate", top.propagate)
                top.propagate = False
        yield heard


def _of(family: str) -> list[logging.Logger]:
    named = logging.root.manager.loggerDict
    return [
        logger
        for name, logger in [*named.items()]
        if isinstance(logger, logging.Logger) and f"{name}.".startswith(f"{family}.")
    ]
