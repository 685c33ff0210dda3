"""Tasks of a window in the order in which they finish."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from queue import Empty, SimpleQueue
from typing import Any

from runner.cluster.health import EVERY_S
from runner.cluster.item import Item
from runner.cluster.told import issue
from runner.cluster.window import Window


def ended_of(
    fill: Callable[..., bool],
    window: Window,
    waiting: Iterator[Any],
    ended: "SimpleQueue[Item]",
) -> Generator[Item]:
    """Yield tasks as they finish, released, and submit more for workers that are free or new.

    Parameters
    ----------
    fill : callable
        ``fill(line=..., waiting=...)`` submits some, and says whether there is any.
    window : Window
    waiting : iterator
        What is to be submitted.
    ended : SimpleQueue
        Into which each goes that has finished.
    """
    line = deque[Item]()
    while fill(line=line, waiting=waiting):
        if (item := first_of(ended, window)) is not None:
            line.remove(item)
            window.release(item)
            yield item


def first_of(ended: "SimpleQueue[Item]", window: Window) -> Item | None:
    """Return what has ended, or nothing after a short time."""
    try:
        item = ended.get(timeout=EVERY_S)
    except Empty:
        window.health.check()
        return None
    if item.answer.exception() is not None:
        window.health.check()
    return item


def result_or_error(item: Item, seen: dict[Any, Any]) -> Any:
    """Return what came of a task, after its warnings: its value, or its error."""
    error = item.answer.exception()
    if error is not None:
        return error
    outcome = item.answer.result()[1]
    issue(outcome.told, seen)
    return outcome.value if outcome.error is None else outcome.error
