"""Every block once, for however many fits."""

from contextlib import closing

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from runner.base import Block, Callback, Place
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import fit_loop


class Counts:
    def __init__(self):
        self.rows = 0

    def partial_fit(self, X, y=None):
        self.rows += len(X)


class StopAfter(Callback):
    def __init__(self, blocks):
        self.blocks = blocks
        self.ended = 0

    def on_block_end(self, progress, block):
        if progress.blocks == self.blocks:
            progress.stop("enough")

    def on_fit_end(self, progress):
        self.ended += 1


class Epochs:
    """Opens epochs of four blocks and remembers how each ended."""

    def __init__(self):
        self.opened = self.closed = self.delivered = 0

    def __call__(self, epoch):
        self.opened += 1
        try:
            for i in range(4):
                self.delivered += 1
                yield Block(np.ones((5, 2)), None, None, Place(i, 5 * i, 5 * i + 5), epoch, i)
        finally:
            self.closed += 1


def test_every_fit_learns_from_every_block_of_every_epoch():
    fits, epochs = [IncrementalFit(Counts()) for _ in range(3)], Epochs()
    fit_loop(fits, epochs, epochs=2)
    assert [fit.estimator.rows for fit in fits] == [40, 40, 40]
    assert [fit.progress.epoch for fit in fits] == [2, 2, 2]
    assert (epochs.opened, epochs.closed, epochs.delivered) == (2, 2, 8)


def test_a_fit_that_stops_gets_no_further_block_and_the_others_go_on():
    stop = StopAfter(2)
    fits = [IncrementalFit(Counts(), callbacks={"stop": stop}), IncrementalFit(Counts())]
    fit_loop(fits, Epochs(), epochs=1)
    assert [fit.estimator.rows for fit in fits] == [10, 20]


def test_when_all_have_stopped_the_stream_is_closed_in_mid_epoch():
    stop, epochs = StopAfter(2), Epochs()
    fit = IncrementalFit(Counts(), callbacks={"stop": stop})
    fit_loop([fit], epochs, epochs=3)
    assert (epochs.opened, epochs.closed, epochs.delivered) == (1, 1, 2)
    assert fit.progress.epoch == 0
    assert stop.ended == 1


def test_callbacks_hear_of_the_end_when_a_step_raises():
    class Breaks:
        def partial_fit(self, X, y=None):
            raise KeyboardInterrupt

    stop, epochs = StopAfter(9), Epochs()
    with pytest.raises(KeyboardInterrupt):
        fit_loop([IncrementalFit(Breaks(), callbacks={"stop": stop})], epochs, epochs=1)
    assert stop.ended == 1
    assert epochs.closed == 1


def test_it_is_the_loop_one_would_write_by_hand():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 5)), rng.integers(0, 2, 100)

    def epoch(_):
        for i in range(4):
            rows = slice(25 * i, 25 * i + 25)
            yield Block(X[rows], y[rows], None, Place(i, rows.start, rows.stop))

    fit = IncrementalFit(SGDClassifier(random_state=0), {"classes": [0, 1]})
    fit_loop([fit], epoch, epochs=2)
    by_hand = SGDClassifier(random_state=0)
    for _ in range(2):
        with closing(epoch(0)) as blocks:
            for block in blocks:
                by_hand.partial_fit(block.X, block.y, classes=[0, 1])
    assert fit.estimator.coef_.tobytes() == by_hand.coef_.tobytes()
    assert fit.estimator.t_ == by_hand.t_
