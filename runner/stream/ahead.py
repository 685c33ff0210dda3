"""Read some blocks ahead: in threads of this process, or in other processes."""

import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, nullcontext
from contextvars import copy_context
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from threading import local
from time import perf_counter
from typing import Any, Protocol

import sklearn

from runner.base import Block
from runner.elsewhere import Held, Then, about, n_bytes, standing_for
from runner.one_core import begin_thread
from runner.stream.reading import Given, Reading, read
from runner.stream.source import BlockSource

HEAVIEST = 2**28  # bytes of all copies of what is asked

_own = local()


class Readers(Protocol):
    """Other processes, which work on several things at once."""

    @property
    def placement(self) -> str:
        """Whether blocks that are to be learned stay where they are read: then it is "data"."""

    def ahead(
        self, work: Callable[[Any, Any], Any], given: Any, tasks: Iterable[Any], n_ahead: int
    ) -> Generator[Any]:
        """Yield ``work(given, task)`` of each task, in order, in a bounded window.

        At most ``n_ahead + 1`` results are in this process.
        """

    def held(
        self,
        work: Callable[[Any, Any], Any],
        given: Any,
        tasks: Iterable[Any],
        about: Callable[[Any], Any],
    ) -> Generator[Held]:
        """Yield the same, each of which stays in its process until the next is asked for."""


def read_ahead(
    source: BlockSource,
    order: Sequence[int],
    epoch: int,
    prefetch: int,
    *,
    start: int = 0,
    readers: Readers | None = None,
    then: Then | None = None,
) -> Generator[Block]:
    """Yield blocks in order while up to ``prefetch`` further ones are read.

    Their positions count from ``start``. At most ``prefetch + 1`` blocks are alive in this
    process, provided that the caller drops each block before it asks for the next. An error
    surfaces at its own block. However the generator ends, what was queued is cancelled and the
    threads are joined.

    Parameters
    ----------
    source : BlockSource
    order : sequence of int
        The blocks, by their index in the part.
    epoch, prefetch, start : int
    readers : Readers, optional
        What reads them; threads of this process, if not given.
    then : callable, optional
        What is made of each block where it is read. A block that cannot be read, or is read in
        the calling thread, comes as it is. So does every block where the threads of this process
        cannot have ``then``: each has a copy of it, because what is asked, as a model, may not
        bear several threads or change. All copies weigh at most 256 MB, or there are none.
    """
    steps = enumerate(order, start)
    if readers is not None:
        readings = (source.reading(index, epoch, position) for position, index in steps)
        given = (source.given, then)
        return _waited_for(readers.ahead(read_and_then, given, readings, prefetch))
    if prefetch == 0:
        return (_at_once(source.read(index, epoch, position)) for position, index in steps)

    def read_one(step: tuple[int, int]) -> Block:
        position, index = step
        return source.read(index, epoch, position)

    copies = [] if then is None else _copies(then, min(prefetch + 1, len(order)))
    return _waited_for(_in_threads(read_one, steps, prefetch, copies))


def read_held(
    source: BlockSource, order: Sequence[int], epoch: int, readers: Readers, *, start: int = 0
) -> Generator[Block]:
    """Yield blocks in order, of which the rows stay where they are read, in other processes.

    Parameters
    ----------
    source, order, epoch, readers, start
        As ``read_ahead`` has them.
    """
    steps = enumerate(order, start)
    readings = (source.reading(index, epoch, position) for position, index in steps)
    return _waited_for(_standing(readers.held(read, source.given, readings, about)))


def _standing(held: Generator[Held]) -> Generator[Block]:
    with closing(held):
        for each in held:
            yield standing_for(each)


def read_and_then(given: tuple[Given, Then | None], reading: Reading) -> Block:
    """Read a block in another process, and make of it what is to be sent back."""
    shared, then = given
    return _made(read(shared, reading), then)


def _made(block: Block, then: Then | None) -> Block:
    return block if then is None or block.error is not None else then(block)


def _at_once(block: Block) -> Block:
    return replace(block, wait_s=block.load_s)


def _waited_for(blocks: Generator[Block]) -> Generator[Block]:
    """Yield blocks, each with how long it was waited for."""
    ready: list[Block] = []  # a name would keep the block alive for as long as the caller works
    with closing(blocks):
        while True:
            asked = perf_counter()
            ready.extend(islice(blocks, 1))
            if not ready:
                return
            ready[0] = replace(ready[0], wait_s=perf_counter() - asked)
            yield ready.pop()


def _in_threads(
    read_one: Callable[[tuple[int, int]], Block],
    steps: Iterable[tuple[int, int]],
    prefetch: int,
    copies: list[Then],
) -> Generator[Block]:
    pool, pending = _pool(prefetch, copies), deque[Future[Block]]()
    left = iter(steps)
    # The threads change for a moment what Python does with warnings, which is one setting for all.
    with warnings.catch_warnings() if copies else nullcontext():
        try:
            while True:
                for step in islice(left, prefetch + 1 - len(pending)):
                    pending.append(pool.submit(copy_context().run, _read_and_ask, read_one, step))
                if not pending:
                    return
                ready = [pending.popleft().result()]
                yield ready.pop()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            pending.clear()


def _pool(prefetch: int, copies: list[Then]) -> ThreadPoolExecutor:
    """Return as many threads as blocks are read ahead, and one more if they ask.

    Who calls has little to do then, and waits for as long as it would have asked.
    """
    if not copies:
        return ThreadPoolExecutor(prefetch, "runner-stream")
    settings = sklearn.get_config()
    return ThreadPoolExecutor(len(copies), "runner-stream", _begin_asking, (copies, settings))


def _begin_asking(copies: list[Then], settings: dict[str, Any]) -> None:
    begin_thread(settings)
    _own.then = copies.pop()


def _read_and_ask(read_one: Callable[[tuple[int, int]], Block], step: tuple[int, int]) -> Block:
    return _made(read_one(step), getattr(_own, "then", None))


def _copies(then: Then, n_threads: int) -> list[Then]:
    """Return what each thread asks; nothing for a single thread, or where copies cannot be had."""
    try:
        if n_threads > 1 and n_bytes(then) * n_threads <= HEAVIEST:
            return [deepcopy(then) for _ in range(n_threads)]
    except Exception:  # noqa: BLE001, S110  (anybody's estimator)
        pass
    return []
