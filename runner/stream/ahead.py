"""Read some blocks ahead: in threads of this process, or in other processes."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import islice
from time import perf_counter
from typing import Any, Protocol

from runner.base import Block
from runner.elsewhere import Held, Then, about, standing_for
from runner.stream.reading import Given, Reading, read
from runner.stream.source import BlockSource


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
        What the readers make of each block before they send it here; of no effect without them.
    """
    steps = enumerate(order, start)
    if readers is not None:
        readings = (source.reading(index, epoch, position) for position, index in steps)
        given = (source.given, then)
        return _waited_for(readers.ahead(read_and_then, given, readings, prefetch))
    if prefetch == 0:
        return (_at_once(source.read(index, epoch, position)) for position, index in steps)
    return _waited_for(_in_threads(source, order, epoch, prefetch, start))


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
    block = read(shared, reading)
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
    source: BlockSource, order: Sequence[int], epoch: int, prefetch: int, start: int
) -> Generator[Block]:
    pool = ThreadPoolExecutor(min(prefetch, len(order)) or 1, thread_name_prefix="runner-stream")
    pending: deque[Future[Block]] = deque()
    waiting = iter(enumerate(order, start))

    def submit_next() -> None:
        for position, index in waiting:
            pending.append(pool.submit(source.read, index, epoch, position))
            return

    try:
        for _ in range(prefetch):
            submit_next()
        while pending:
            ready = [pending.popleft().result()]
            submit_next()
            yield ready.pop()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        pending.clear()
