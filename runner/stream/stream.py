"""Deliver the blocks of an epoch: in a seeded order, a few read ahead, never more."""

from collections.abc import Collection, Generator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np

from runner.base import Block, Part
from runner.elsewhere import DATA, Then
from runner.rules import boolean, check, integer
from runner.seeds import derive
from runner.stream.ahead import Readers, read_ahead, read_held
from runner.stream.mix import Mix, mixed
from runner.stream.reading import Transform
from runner.stream.source import BlockSource


@dataclass(kw_only=True)
class Stream:
    """How blocks reach the learner.

    Parameters
    ----------
    shuffle : bool
        Deliver the training blocks in a new random order in each epoch.
    prefetch : int
        How many blocks are read ahead, each in a thread of its own, while the learner is busy
        with one: ``prefetch + 1`` blocks are alive at most. Where a single model is evaluated or
        predicts, ``prefetch + 1`` threads ask it, too, about what they read, each a copy of its
        own; a model of which the copies would weigh more than 256 MB is asked about one block at
        a time instead. 0 reads each block when it is asked for.
    buffer_blocks : int
        Mix the rows of the training blocks in a buffer of so many blocks, so that each block that
        is delivered is drawn at random from them; it suits data that are sorted. As many blocks
        are delivered, of the same sizes. The rows of about ``prefetch + 2 + 1.1 * buffer_blocks``
        blocks are in memory at most. 0 leaves the rows in their blocks.
    retries : int
        How often a block is read again, after a short pause, when the system could not read it
        for a reason that may pass, such as a network that is away.
    seed : int
        Decides the orders, and what is drawn.
    """

    shuffle: Annotated[bool, boolean()] = True
    prefetch: Annotated[int, integer(0)] = 2
    buffer_blocks: Annotated[int, integer(0)] = 0
    retries: Annotated[int, integer(0)] = 2
    seed: Annotated[int, integer(0)] = 0

    _readers: ClassVar[Readers | None] = None  # what a cluster has; no key of a file
    _asks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what is no number of blocks or of tries, and no seed."""
        check("stream", self)

    def on(self, readers: Readers | None, *, asks: bool = True) -> Self:
        """Return this stream with its blocks read by other processes, if there are some.

        Unless it ``asks`` them, blocks come here whole, whatever is to be made of them.
        """
        twin = copy(self)
        vars(twin).update(_readers=readers, _asks=asks)
        return twin

    def one_by_one(self) -> "Stream":
        """Return a stream that has one block at a time in this process, as the dataset has them.

        It suits what is read while other blocks are in memory.
        """
        return Stream(shuffle=False, prefetch=0, retries=self.retries).on(
            self._readers, asks=self._asks
        )

    def unhurried(self) -> Self:
        """Return this stream with no block read ahead in this process."""
        return replace(self, prefetch=0).on(self._readers, asks=self._asks)

    def source(
        self,
        part: Part,
        transform: Transform | None = None,
        *,
        hashed: bool = False,
        tolerant: bool = False,
    ) -> BlockSource:
        """Return what reads the blocks of a part, through the stateless stages.

        Parameters
        ----------
        part : Part
        transform : callable, optional
        hashed, tolerant : bool
            As ``BlockSource`` has them.
        """
        return BlockSource(part, transform, hashed=hashed, tolerant=tolerant, retries=self.retries)

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

    def epoch(
        self, source: BlockSource, epoch: int, start: int = 0, unread: Collection[int] = ()
    ) -> Generator[Block]:
        """Yield the blocks of one training epoch, with their rows mixed if there is a buffer.

        Close the generator to end its threads.

        Parameters
        ----------
        source : BlockSource
        epoch : int
        start : int
            The position of the first block to yield. It and all later ones are, bit for bit,
            what a whole pass yields from there; of the blocks before only those are read that
            have rows in the buffer then.
        unread : collection of int
            The blocks, by their index in the part, that could not be read in this epoch before
            ``start``, so that the buffer has no rows of them.

        Raises
        ------
        DatasetError
            While it is iterated: if a block cannot be read, unless the source is tolerant of it;
            in any case if the buffer at ``start`` has rows of it.
        """
        order = self.order(source.part.n_blocks, epoch)
        if self.buffer_blocks == 0:
            return self._to_learn(source, order[start:], epoch, start)
        return self._mixed(source, order, epoch, start, unread)

    def _mixed(
        self,
        source: BlockSource,
        order: Sequence[int],
        epoch: int,
        start: int,
        unread: Collection[int],
    ) -> Generator[Block]:
        mix, sizes = Mix(self.buffer_blocks, epoch, self.seed), source.part.X.chunks[0]
        mix.go_to(start, ((i, 0 if i in unread else sizes[i]) for i in order))
        to_read = [*mix.missing, *order[mix.n_added :]]
        yield from mixed(self._ahead(source, to_read, epoch), mix)

    def in_order(self, source: BlockSource, then: Then | None = None) -> Generator[Block]:
        """Yield the blocks as the dataset has them, for evaluation.

        Parameters
        ----------
        source : BlockSource
        then : callable, optional
            What is made of each block where it is read, by other processes or by threads; without
            either, and where it cannot be copied or sent, the block comes as it is.
        """
        asked = then if self._asks else None
        return self._ahead(source, range(source.part.n_blocks), then=asked)

    def once(self, source: BlockSource) -> Generator[Block]:
        """Yield the blocks as the dataset has them, to be learned."""
        return self._to_learn(source, range(source.part.n_blocks))

    def _to_learn(
        self, source: BlockSource, order: Sequence[int], epoch: int = 0, start: int = 0
    ) -> Generator[Block]:
        if self._readers is not None and self._readers.placement == DATA:
            return read_held(source, order, epoch, self._readers, start=start)
        return self._ahead(source, order, epoch, start)

    def _ahead(
        self,
        source: BlockSource,
        order: Sequence[int],
        epoch: int = 0,
        start: int = 0,
        then: Then | None = None,
    ) -> Generator[Block]:
        return read_ahead(
            source, order, epoch, self.prefetch, start=start, readers=self._readers, then=then
        )
