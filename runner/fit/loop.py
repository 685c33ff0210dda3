"""The loop: every block once, for however many fits learn from it."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from runner.base import Block
from runner.fit.incremental_fit import IncrementalFit


def fit_loop(
    fits: Sequence[IncrementalFit],
    open_epoch: Callable[[int], Generator[Block]],
    epochs: int,
) -> None:
    """Let each fit learn from every block of every epoch.

    For one fit it is strictly equivalent to::

        for epoch in range(epochs):
            for block in open_epoch(epoch):
                fit.step(block)

    Parameters
    ----------
    fits : sequence of IncrementalFit
        What learns; each block is read once and passed to all of them.
    open_epoch : callable
        ``open_epoch(epoch)`` returns a closable generator of blocks. A fit that asks to stop is
        passed no further block; when all have, the generator is closed in mid-epoch.
    epochs : int
        How many passes, at most. A pass that was cut short does not count as an epoch.
    """
    try:
        for fit in fits:
            fit.begin()
        for epoch in range(epochs):
            with closing(open_epoch(epoch)) as blocks:
                _learn(fits, blocks)
            for fit in _going_on(fits):
                fit.end_epoch()
            if not _going_on(fits):
                return
    finally:
        for fit in fits:
            fit.end()


def _learn(fits: Sequence[IncrementalFit], blocks: Generator[Block]) -> None:
    """Pass each block to every fit that still wants it, until none does."""
    for block in blocks:
        for fit in _going_on(fits):
            fit.step(block)
        del block  # the stream counts on it: only then may it hold one more
        for fit in _going_on(fits):
            fit.between_blocks()
        if not _going_on(fits):
            return


def _going_on(fits: Sequence[IncrementalFit]) -> list[IncrementalFit]:
    return [fit for fit in fits if not fit.stopped]
