"""From a dotted name to what it means; standard library only, so that it is quick."""

import importlib
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from runner.errors import ConfigError, cause, nearest


def find(key: str, dotted: str, check: Callable[[Any], None] | None = None) -> Any:
    """Import what a dotted name means.

    Parameters
    ----------
    key : str
        Where the name stands in the config, for messages.
    dotted : str
        Such as ``package.module.name`` or ``package.module:name``.
    check : callable, optional
        Gets each thing that the name goes through, before anything is looked up in it, and the
        last; raises what refuses it.

    Raises
    ------
    ConfigError
        If there is no such thing, it is private, or its module cannot be imported.

    Examples
    --------
    >>> find("x", "math:sqrt")(9.0), find("x", "os.path.basename")("a/b")
    (3.0, 'b')
    """
    parts = dotted.replace(":", ".").split(".")
    found, depth = _import_longest(key, dotted, parts)
    for i, name in enumerate(parts[depth:], depth):
        if check is not None:
            check(found)
        if name.startswith("_") or not hasattr(found, name):
            public = [known for known in dir(found) if not known.startswith("_")]
            raise ConfigError(
                key,
                f"name something of {'.'.join(parts[:i])}",
                got=name,
                remedy=nearest(name, public),
            )
        found = getattr(found, name)
    if check is not None:
        check(found)
    return found


@contextmanager
def signals_kept() -> Iterator[None]:
    """Let no import change what a signal does: dask_jobqueue's makes Ctrl-C end the process."""
    if threading.current_thread() is not threading.main_thread():  # which alone may do so
        yield
        return
    kept = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in kept.items():
            if handler is not None:
                signal.signal(each, handler)


def _import_longest(key: str, dotted: str, parts: list[str]) -> tuple[ModuleType, int]:
    for depth in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:depth])
        try:
            with signals_kept():
                return importlib.import_module(module), depth
        except Exception as error:
            if not _is_absent(module, error):
                raise ConfigError(
                    key,
                    "name a module that can be imported",
                    got=f"{module}, which raises {cause(error)}",
                    remedy=f"Try `python -c 'import {module}'`.",
                ) from error
    raise ConfigError(
        key,
        "name a class or a function of an installed package",
        got=dotted or "nothing",
        remedy="Check the spelling, and that the package is installed or in the project's folder.",
    )


def _is_absent(module: str, error: Exception) -> bool:
    """Say whether there is no such module, rather than one that it imports."""
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return False
    return f"{module}.".startswith(f"{error.name}.")
