"""Deliver the blocks of an epoch: in a seeded order, a few read ahead, never more."""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from runner.base import Block, Part
from runner.rules import boolean, check, integer
from runner.seeds import derive
from runner.stream.buffer import mixed
from runner.stream.source import BlockSource, Transform


@dataclass(kw_only=True)
class Stream:
    """How blocks reach the learner.

    Parameters
    ----------
    shuffle : bool
        Deliver the training blocks in a new random order in each epoch.
    prefetch : int
        How many blocks are read ahead, each in a thread of its own, while the learner is busy
        with one: ``prefetch + 1`` blocks are alive at most. 0 reads each block when it is asked
        for.
    buffer_blocks : int
        Mix the rows of the training blocks in a buffer of so many blocks, so that each block that
        is delivered is drawn at random from them; it suits data that are sorted. As many blocks
        are delivered, of the same sizes. The rows of about ``prefetch + 2 + 1.1 * buffer_blocks``
        blocks are in memory at most. 0 leaves the rows in their blocks.
    seed : int
        Decides the orders, and what is drawn.
    """

    shuffle: bool = True
    prefetch: int = 2
    buffer_blocks: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no number of blocks and no seed."""
        counts = {name: integer(0) for name in ("prefetch", "buffer_blocks", "seed")}
        check("stream", self, shuffle=boolean(), **counts)

    def source(self, part: Part, transform: Transform | None = None) -> BlockSource:
        """Return what reads the blocks of a part, through the stateless stages."""
        return BlockSource(part, transform)

    def order(self, n_blocks: int, epoch: int) -> list[int]:
        """Return the order of an epoch's blocks; the same seed and epoch give the same order.

        Examples
        --------
        >>> Stream(seed=10).order(5, epoch=0), Stream(seed=10).order(5, epoch=1)
        ([0, 3, 4, 1, 2], [1, 0, 3, 4, 2])
        >>> Stream(shuffle=False).order(5, epoch=1)
        [0, 1, 2, 3, 4]
        """
        if not self.shuffle:
            return list(range(n_blocks))
        rng = np.random.default_rng(derive(self.seed, "order", epoch))
        return [int(index) for index in rng.permutation(n_blocks)]

    def epoch(self, source: BlockSource, epoch: int) -> Generator[Block]:
        """Yield the blocks of one training epoch, with their rows mixed if there is a buffer.

        Close the generator to end its threads.
        """
        order = self.order(source.part.n_blocks, epoch)
        blocks = read_ahead(source, order, epoch, self.prefetch)
        if self.buffer_blocks == 0:
            return blocks
        return mixed(blocks, self.buffer_blocks, epoch, self.seed)

    def in_order(self, source: BlockSource) -> Generator[Block]:
        """Yield the blocks as the dataset has them, for evaluation."""
        return read_ahead(source, range(source.part.n_blocks), 0, self.prefetch)


def read_ahead(
    source: BlockSource, order: Sequence[int], epoch: int, prefetch: int
) -> Generator[Block]:
    """Yield blocks in order while up to ``prefetch`` further ones are read in threads.

    At most ``prefetch + 1`` blocks are alive, provided that the caller drops each block before
    it asks for the next. An error surfaces at its own block. However the generator ends, what
    was queued is cancelled and the threads are joined.
    """
    if prefetch == 0:
        for position, index in enumerate(order):
            yield source.read(index, epoch, position)
        return
    pool = ThreadPoolExecutor(min(prefetch, len(order)) or 1, thread_name_prefix="runner-stream")
    pending: deque[Future[Block]] = deque()
    waiting = iter(enumerate(order))

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
            yield ready.pop()  # a name would keep the block alive for as long as the caller works
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        pending.clear()
