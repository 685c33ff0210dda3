"""The loop: every block once, for however many fits."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from itertools import count
from typing import Protocol, TypeAlias

from runner.base import Block
from runner.fit.asking import Asking, own
from runner.fit.held_out import Measure, ReadBlocks
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.step import protected

Fits: TypeAlias = Sequence[IncrementalFit]


class Each(Protocol):
    """How something is done to each of several fits: in turn, or at the same time."""

    def __call__(self, action: Callable[[IncrementalFit], None], fits: Fits) -> None:
        """Return when it is done for all of them."""


def in_turn(action: Callable[[IncrementalFit], None], fits: Fits) -> None:
    """Do something to each fit, one after the other; the first error ends it."""
    for fit in fits:
        action(fit)


class Audience:
    """What follows several fits from outside. Subclass it and override what is of interest."""

    def on_block_end(self, fits: Fits, block: Block) -> None:
        """After each block, with the fits that learned it; keep no reference to the block."""

    def between_blocks(self, fits: Fits) -> None:
        """When no training block is in use, with the fits that go on; they may be stopped."""

    def on_end(self, fits: Fits, *, others_go_on: bool) -> None:
        """When some fits get no further block; each fit is told of once."""


def fit_loop(
    fits: Fits,
    open_epoch: Callable[[int], Generator[Block]],
    each: Each = in_turn,
    audience: Audience | None = None,
) -> None:
    """Let each fit learn from every block of every epoch that it has to go.

    For one fit of one epoch it is strictly equivalent to::

        for block in open_epoch(0):
            fit.step(block)

    Parameters
    ----------
    fits : sequence of IncrementalFit
        What learns; each block is read once and passed to all of them that want it. A fit goes on
        for ``fit.progress.epochs``, or until it is asked to stop or has failed.
    open_epoch : callable
        ``open_epoch(epoch)``, counted from 0, returns a closable generator of blocks, from
        ``first_position`` on. When no fit goes on, it is closed in mid-epoch. A pass that was cut
        short does not count as an epoch.
    each : callable
        ``each(action, fits)`` does something to each fit.
    audience : Audience, optional
        What follows all of them.
    """
    told = _Told(fits, audience or Audience())
    try:
        each(lambda fit: fit.begin(), fits)
        told.ended()
        if not _going_on(fits):
            return
        for epoch in count(min((fit.first_block[0] for fit in fits), default=0)):
            with closing(open_epoch(epoch)) as blocks:
                _learn(told, blocks, each)
            _end_epoch([fit for fit in _going_on(fits) if fit.first_block[0] <= epoch], each)
            told.ended()
            if not _going_on(fits):
                return
    finally:
        told.close()


class _Told:
    """The fits, of which each is told of its end once, and the audience just after it."""

    def __init__(self, fits: Fits, audience: Audience) -> None:
        self.fits = fits
        self.audience = audience
        self._left = list(fits)

    def ended(self) -> None:
        """Tell those that do not go on that they have ended."""
        over = [fit for fit in self._left if not fit.goes_on]
        self._left = [fit for fit in self._left if fit.goes_on]
        for fit in over:
            fit.end()
        if over:
            self.audience.on_end(over, others_go_on=bool(self._left))

    def close(self) -> None:
        """Tell the fits that are left, because of an error or an interrupt."""
        for fit in self._left:
            fit.end()


def _learn(told: _Told, blocks: Generator[Block], each: Each) -> None:
    """Pass each block to every fit that still wants it, until none does."""
    fits = told.fits
    for block in blocks:
        learning = [fit for fit in _going_on(fits) if fit.wants(block)]
        _pass_on(block, learning, each)
        told.audience.on_block_end(learning, block)
        del block  # the stream counts on it: only then may it hold one more
        _test([fit for fit in _going_on(learning) if fit.is_due()], each)
        told.audience.between_blocks(_going_on(learning))
        _keep([fit for fit in _going_on(learning) if fit.is_keep_due()], each)
        if not _going_on(fits):
            return
        told.ended()


def _keep(fits: Fits, each: Each) -> None:
    if fits:
        each(lambda fit: fit.keep(), fits)


def first_position(fits: Fits, epoch: int) -> int:
    """Return the position of the first block of an epoch that one of the fits wants.

    That is 0, unless all of them were restored in the middle of the epoch, or behind it.
    """
    wanted = [fit.first_block for fit in fits if fit.goes_on]
    places = [at for first, at in wanted if first == epoch]
    return min(places) if places and all(first >= epoch for first, _ in wanted) else 0


def _pass_on(block: Block, fits: Fits, each: Each) -> None:
    # No fit may change what the others learn from: each has tables and sparse rows of its own.
    given = protected if len(fits) > 1 else _as_it_is
    held = [block.examined()]
    del block  # an error that is kept keeps the frames it came through, and what they hold
    each(lambda fit: fit.step(given(held[0])), fits)
    held.clear()


def _as_it_is(block: Block) -> Block:
    return block


def _end_epoch(fits: Fits, each: Each) -> None:
    each(lambda fit: fit.end_pass(), fits)
    _test([fit for fit in fits if not fit.failed and fit.is_due_at_epoch_end()], each)
    each(lambda fit: fit.end_epoch(), [fit for fit in fits if not fit.failed])


def _test(fits: Fits, each: Each) -> None:
    """Score held-out rows for the fits that are due; the rows are read once for all."""
    if fits:
        measure(fits, [fit.test for fit in fits], fits[0].read_held_out, each)
        each(lambda fit: fit.end_test(), [fit for fit in fits if not fit.failed])


def measure(fits: Fits, begin: Sequence[Measure], read: ReadBlocks, each: Each) -> None:
    """Measure the estimator of each fit on the same blocks, which are read once.

    Parameters
    ----------
    fits : sequence of IncrementalFit
        Whose ``measurement`` holds the answers afterwards.
    begin : sequence of callable
        ``begin(estimator)`` for each of them begins the measurement.
    read : callable
        ``read(then)`` yields the blocks. Where other processes read them, the estimators are asked
        there, and the blocks have ``answers`` and no rows.
    each : callable
        How something is done to each fit.
    """
    beginning = dict(zip(map(id, fits), begin, strict=True))
    each(lambda fit: fit.measure(beginning[id(fit)]), fits)
    asked = [fit for fit in fits if not fit.failed]
    numbers = {id(fit): number for number, fit in enumerate(asked)}
    with closing(read(Asking([fit.measurement.question for fit in asked]))) as blocks:
        for block in blocks:
            wanting = [fit for fit in asked if not fit.failed and fit.measurement.wants_more]
            if not wanting:
                return
            _measure(block, wanting, numbers, each)
            del block


def _measure(block: Block, fits: Fits, numbers: Mapping[int, int], each: Each) -> None:
    held = [block]
    del block
    each(lambda fit: fit.answer(own(held[0], numbers[id(fit)])), fits)
    held.clear()


def _going_on(fits: Fits) -> list[IncrementalFit]:
    return [fit for fit in fits if fit.goes_on]
