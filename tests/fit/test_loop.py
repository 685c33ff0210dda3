"""Every block once, for however many fits."""

import weakref
from contextlib import closing

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from runner.base import Block, Callback, Place, Progress
from runner.fit.held_out import EPOCH, HeldOut
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


class StopAtEpoch(Callback):
    def on_epoch_end(self, progress):
        progress.stop("enough")


def test_a_stop_at_the_end_of_an_epoch_opens_no_further_one():
    epochs, fit = Epochs(), IncrementalFit(Counts(), callbacks={"stop": StopAtEpoch()})
    fit_loop([fit], epochs, epochs=3)
    assert (epochs.opened, epochs.closed, epochs.delivered) == (1, 1, 4)
    assert fit.progress.epoch == 1


def scored(at, every=EPOCH):
    """Return what keeps after how many rows it scored."""
    return HeldOut(lambda estimator: at.append(estimator.rows) or {"accuracy": 0.5}, every)


def test_a_fit_that_has_stopped_ends_no_epoch_and_is_scored_no_more():
    at = []
    stops = IncrementalFit(Counts(), held_out=scored(at, 5), callbacks={"stop": StopAfter(2)})
    goes_on = IncrementalFit(Counts())
    fit_loop([stops, goes_on], Epochs(), epochs=2)
    assert at == [5]
    assert (stops.progress.epoch, goes_on.progress.epoch) == (0, 2)


@pytest.mark.parametrize(
    ("every", "expected"),
    [(5, [5, 10, 15, 20, 25, 30, 35, 40]), (15, [15, 30, 40]), (EPOCH, [20, 40]), (41, [40])],
)
def test_held_out_rows_are_scored_on_their_schedule_and_at_the_end(every, expected):
    at = []
    fit = IncrementalFit(Counts(), held_out=scored(at, every), progress=Progress(epochs=2))
    fit_loop([fit], Epochs(), epochs=2)
    assert at == expected


def test_no_training_block_is_alive_in_the_loop_while_held_out_rows_are_scored():
    alive, at_scores = [], []

    def epoch(_):
        for i in range(4):
            X = np.ones((5, 2))
            alive.append(i)
            weakref.finalize(X, alive.remove, i)
            blocks = [Block(X, None, None, Place(i, 5 * i, 5 * i + 5), position=i)]
            del X
            yield blocks.pop()

    def score(_):
        at_scores.append(list(alive))
        return {}

    fits = [IncrementalFit(Counts(), held_out=HeldOut(score, 5)) for _ in range(2)]
    fit_loop(fits, epoch, epochs=2)
    assert at_scores == [[]] * 16


class StopAtScore(Callback):
    def __init__(self, number):
        self.left = number

    def on_held_out(self, progress):
        self.left -= 1
        if not self.left:
            progress.stop("good enough")


@pytest.mark.parametrize(
    ("number", "every", "rows", "opened"), [(3, 5, 15, 1), (1, EPOCH, 20, 1), (2, EPOCH, 40, 2)]
)
def test_a_stop_at_a_score_ends_the_fit_there(number, every, rows, opened):
    epochs = Epochs()
    fit = IncrementalFit(
        Counts(), held_out=scored([], every), callbacks={"stop": StopAtScore(number)}
    )
    fit_loop([fit], epochs, epochs=4)
    assert fit.progress.rows == rows
    assert (epochs.opened, epochs.closed, epochs.delivered) == (opened, opened, rows / 5)


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
