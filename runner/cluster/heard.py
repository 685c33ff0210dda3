"""What Dask says on its loggers: kept for a message, and not printed."""

import logging
import re
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from runner.errors import cause

FAMILIES = ("asyncssh", "bokeh", "dask_jobqueue", "distributed", "kr8s", "tornado")
_OF_CLUSTERS = "asyncssh|dask_jobqueue|dask_kubernetes|distributed|kr8s|tornado"
_FILE = re.compile(rf"[/\\]({_OF_CLUSTERS})[/\\]")
_CLASS = re.compile(rf"({_OF_CLUSTERS})\.")
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

    def stop_of_clusters(self, record: logging.LogRecord) -> bool:
        """Keep what a record of asyncio says, if it is about a task of Dask; let others pass."""
        return self.stop(record) if _is_of_clusters(record) else True


@contextmanager
def listening() -> Iterator[Heard]:
    """Keep what Dask and what it starts clusters with say, instead of printing it.

    What ``asyncio`` says of tasks that are not theirs is printed as ever. Afterwards the loggers
    are as they were before.
    """
    import distributed  # noqa: F401  (it sets handlers of its own, when it is imported)

    heard = Heard()
    with ExitStack() as stack:
        tasks = logging.getLogger("asyncio")
        tasks.addFilter(heard.stop_of_clusters)
        stack.callback(tasks.removeFilter, heard.stop_of_clusters)
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


def _is_of_clusters(record: logging.LogRecord) -> bool:
    """Say whether a task, or the error of one, is of Dask or of what it starts clusters with.

    Examples
    --------
    >>> said = "Task was destroyed but it is pending! task: <Task running at /lib/%s/a.py:1>"
    >>> records = [logging.makeLogRecord({"msg": said % name}) for name in ("tornado", "mine")]
    >>> [_is_of_clusters(record) for record in records]
    [True, False]
    """
    error = record.exc_info[1] if record.exc_info else None
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    where = [record.getMessage(), *(frame.filename for frame in frames)]
    return any(map(_FILE.search, where)) or bool(_CLASS.match(f"{type(error).__module__}."))


def _of(family: str) -> list[logging.Logger]:
    named = logging.root.manager.loggerDict
    return [
        logger
        for name, logger in [*named.items()]
        if isinstance(logger, logging.Logger) and f"{name}.".startswith(f"{family}.")
    ]
