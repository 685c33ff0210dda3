"""Mix the rows of several blocks, so that sorted data do not reach the learner sorted."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np

from runner.base import Block, Place
from runner.seeds import derive
from runner.stream.buffer import Buffer


def mixed(blocks: Generator[Block], mix: "Mix") -> Generator[Block]:
    """Yield the rows of an epoch's blocks in another order, each row once.

    Parameters
    ----------
    blocks : generator of Block
        First those that ``mix`` misses, then all that it has not taken yet. Closed when this
        generator is.
    mix : Mix
        Changed along the way.
    """
    with closing(blocks):
        mix.fill(blocks)
        for block in blocks:
            mix.add(block)
            del block  # else its memory could not be let go while the next one is read
            if mix.is_due:
                yield mix.deliver()
        while mix.is_left:
            yield mix.deliver()


class Mix:
    """How far an epoch is whose rows are mixed.

    The rows of ``buffer_blocks`` blocks wait in a buffer. Each block that is delivered is drawn
    from all of them, uniformly and without replacement; then the next block takes the free
    places. As many blocks are delivered as are read, of the same sizes in the same order; an
    empty block is passed on at once.

    Parameters
    ----------
    buffer_blocks : int
        How many blocks the buffer holds, at least 1; with 1 each row stays in its block.
    epoch, seed : int
        Decide what is drawn, with the position of the block that is delivered.

    Attributes
    ----------
    n_added, n_delivered : int
        The blocks of this epoch so far.
    """

    def __init__(self, buffer_blocks: int, epoch: int, seed: int) -> None:
        self._buffer = Buffer()
        self._most, self._epoch, self._seed = buffer_blocks, epoch, seed
        self._sizes: deque[int] = deque()
        self._empty: deque[Block] = deque()
        self.n_added = self.n_delivered = 0

    @property
    def is_left(self) -> bool:
        """Whether anything can be delivered."""
        return bool(self._empty or self._sizes)

    @property
    def is_due(self) -> bool:
        """Whether something must be delivered before more is added."""
        return bool(self._empty) or len(self._sizes) == self._most

    def add(self, block: Block) -> None:
        """Take the next block of the epoch."""
        self.n_added += 1
        if block.n_rows == 0:
            self._empty.append(block)
            return
        self._sizes.append(block.n_rows)
        self._buffer.add(block)

    def deliver(self) -> Block:
        """Return the next block to learn."""
        position = self.n_delivered
        self.n_delivered += 1
        if self._empty:
            return replace(self._empty.popleft(), position=position)
        rng = np.random.default_rng(derive(self._seed, "rows", self._epoch, position))
        drawn = self._buffer.draw(self._sizes.popleft(), rng)
        return replace(drawn, epoch=self._epoch, position=position)

    def go_to(self, position: int, blocks: Iterable[tuple[int, int]]) -> None:
        """Deliver so many blocks to nobody, without data: of the rows only the places are mixed.

        Parameters
        ----------
        position : int
            How many blocks have been delivered then.
        blocks : iterable of (int, int)
            The number and the rows of each block of the epoch, in order.
        """
        for number, n_rows in blocks:
            if self.n_delivered == position:
                return
            self.add(Block(np.empty((n_rows, 0)), None, None, Place(number, 0, n_rows)))
            if self.is_due:
                self.deliver()
        while self.is_left and self.n_delivered < position:
            self.deliver()

    @property
    def missing(self) -> list[int]:
        """The numbers of the blocks in the buffer whose data are still to be read."""
        return self._buffer.missing

    def fill(self, blocks: Iterator[Block]) -> None:
        """Take as many blocks as are missing, in their order."""
        self._buffer.fill(blocks)
