"""Every block once, for however many fits."""

import weakref
from contextlib import closing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import SGDClassifier

from runner.base import Block, Callback, Place, Progress
from runner.callbacks.early_stopping import EarlyStopping
from runner.fit.held_out import EPOCH
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import Audience, first_position, fit_loop, in_turn, measure
from runner.fit.progressive import Progressive
from runner.fit.threads import Threads


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


def fit_of(epochs, **parts):
    return IncrementalFit(Counts(), progress=Progress(epochs=epochs), **parts)


def test_every_fit_learns_from_every_block_of_every_epoch():
    fits, epochs = [fit_of(2) for _ in range(3)], Epochs()
    fit_loop(fits, epochs)
    assert [fit.estimator.rows for fit in fits] == [40, 40, 40]
    assert [fit.progress.epoch for fit in fits] == [2, 2, 2]
    assert (epochs.opened, epochs.closed, epochs.delivered) == (2, 2, 8)


def test_a_fit_that_stops_gets_no_further_block_and_the_others_go_on():
    stop = StopAfter(2)
    fits = [IncrementalFit(Counts(), callbacks={"stop": stop}), IncrementalFit(Counts())]
    fit_loop(fits, Epochs())
    assert [fit.estimator.rows for fit in fits] == [10, 20]


def test_when_all_have_stopped_the_stream_is_closed_in_mid_epoch():
    stop, epochs = StopAfter(2), Epochs()
    fit = fit_of(3, callbacks={"stop": stop})
    fit_loop([fit], epochs)
    assert (epochs.opened, epochs.closed, epochs.delivered) == (1, 1, 2)
    assert fit.progress.epoch == 0
    assert stop.ended == 1


class StopAtEpoch(Callback):
    def on_epoch_end(self, progress):
        progress.stop("enough")


def test_a_stop_at_the_end_of_an_epoch_opens_no_further_one():
    epochs, fit = Epochs(), fit_of(3, callbacks={"stop": StopAtEpoch()})
    fit_loop([fit], epochs)
    assert (epochs.opened, epochs.closed, epochs.delivered) == (1, 1, 4)
    assert fit.progress.epoch == 1


@pytest.fixture
def scored(held_out_of):
    """Return what makes held-out rows that keep after how many rows they were scored."""

    def scored(at, every=EPOCH):
        return held_out_of(lambda fit: at.append(fit.rows) or {"accuracy": 0.5}, every)

    return scored


def test_a_fit_that_has_stopped_ends_no_epoch_and_is_scored_no_more(scored):
    at = []
    stops = fit_of(2, held_out=scored(at, 5), callbacks={"stop": StopAfter(2)})
    goes_on = fit_of(2)
    fit_loop([stops, goes_on], Epochs())
    assert at == [5]
    assert (stops.progress.epoch, goes_on.progress.epoch) == (0, 2)


@pytest.mark.parametrize(
    ("every", "expected"),
    [(5, [5, 10, 15, 20, 25, 30, 35, 40]), (15, [15, 30, 40]), (EPOCH, [20, 40]), (41, [40])],
)
def test_held_out_rows_are_scored_on_their_schedule_and_at_the_end(every, expected, scored):
    at = []
    fit_loop([fit_of(2, held_out=scored(at, every))], Epochs())
    assert at == expected


def test_no_training_block_is_alive_in_the_loop_while_held_out_rows_are_scored(held_out_of):
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

    fit_loop([fit_of(2, held_out=held_out_of(score, 5)) for _ in range(2)], epoch)
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
def test_a_stop_at_a_score_ends_the_fit_there(number, every, rows, opened, scored):
    epochs = Epochs()
    fit = fit_of(4, held_out=scored([], every), callbacks={"stop": StopAtScore(number)})
    fit_loop([fit], epochs)
    assert fit.progress.rows == rows
    assert (epochs.opened, epochs.closed, epochs.delivered) == (opened, opened, rows / 5)


def test_callbacks_hear_of_the_end_when_a_step_raises():
    class Breaks:
        def partial_fit(self, X, y=None):
            raise KeyboardInterrupt

    stop, epochs = StopAfter(9), Epochs()
    with pytest.raises(KeyboardInterrupt):
        fit_loop([IncrementalFit(Breaks(), callbacks={"stop": stop})], epochs)
    assert stop.ended == 1
    assert epochs.closed == 1


def test_it_is_the_loop_one_would_write_by_hand():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 5)), rng.integers(0, 2, 100)

    def epoch(_):
        for i in range(4):
            rows = slice(25 * i, 25 * i + 25)
            yield Block(X[rows], y[rows], None, Place(i, rows.start, rows.stop))

    model, two = SGDClassifier(random_state=0), Progress(epochs=2)
    fit = IncrementalFit(model, {"classes": [0, 1]}, progress=two)
    fit_loop([fit], epoch)
    by_hand = SGDClassifier(random_state=0)
    for _ in range(2):
        with closing(epoch(0)) as blocks:
            for block in blocks:
                by_hand.partial_fit(block.X, block.y, classes=[0, 1])
    assert fit.estimator.coef_.tobytes() == by_hand.coef_.tobytes()
    assert fit.estimator.t_ == by_hand.t_


def test_fits_of_different_epochs_share_the_passes_they_both_make():
    fits, epochs = [fit_of(1), fit_of(3)], Epochs()
    fit_loop(fits, epochs)
    assert [fit.estimator.rows for fit in fits] == [20, 60]
    assert [fit.progress.epoch for fit in fits] == [1, 3]
    assert epochs.delivered == 12


class Hears(Audience):
    def __init__(self):
        self.heard = []

    def on_block_end(self, fits, block):
        self.heard.append((block.place.number, len(fits)))

    def on_end(self, fits, *, others_go_on):
        self.heard.append(("end", len(fits), others_go_on))


def test_an_audience_hears_of_each_end_once_and_whether_others_go_on():
    hears = Hears()
    fits = [fit_of(1, callbacks={"stop": StopAfter(2)}), fit_of(1), fit_of(2)]
    fit_loop(fits, Epochs(), audience=hears)
    assert [told for told in hears.heard if told[0] == "end"] == [
        ("end", 1, True),
        ("end", 1, True),
        ("end", 1, False),
    ]
    assert hears.heard[:4] == [(0, 3), (1, 3), ("end", 1, True), (2, 2)]


def test_an_audience_may_stop_a_fit_between_blocks():
    class Stops(Audience):
        def between_blocks(self, fits):
            fits[0].progress.stop("enough")

    fits, epochs = [fit_of(2), fit_of(2)], Epochs()
    fit_loop(fits, epochs, audience=Stops())
    assert [fit.estimator.rows for fit in fits] == [5, 10]
    assert epochs.delivered == 2


def test_held_out_rows_are_read_once_for_all_fits_that_are_due(held_out_of):
    read = []

    def blocks(then=None):
        for i in range(3):
            read.append(i)
            yield Block(np.ones((5, 2)), None, None, Place(i, 5 * i, 5 * i + 5))

    rows = held_out_of(lambda _: {}, every=10)
    rows.read = blocks
    others = [held_out_of(lambda _: {}, every=10) for _ in range(2)]
    fits = [fit_of(1, held_out=each) for each in (rows, *others)]
    fit_loop(fits, Epochs())
    assert read == [0, 1, 2] * 2
    assert [fit.measurement.blocks for fit in fits] == [[0, 1, 2]] * 3


def test_a_measurement_that_wants_no_more_ends_the_reading():
    class Enough:
        wants_more = True
        question = None

        def add(self, block):
            self.wants_more = False

    fit, epochs = fit_of(1), Epochs()
    measure([fit], [lambda _: Enough()], lambda then: epochs(0), in_turn)
    assert (epochs.delivered, epochs.closed) == (2, 1)


class Writes:
    def partial_fit(self, X, y=None):
        X[:] = 7.0


def test_no_fit_writes_into_what_another_learns_from():
    blocks = Epochs()
    fits = [IncrementalFit(Writes()), fit_of(1)]
    with Threads(1) as each:
        fit_loop(fits, blocks, each)
    assert "read-only" in str(fits[0].error)
    assert fits[1].estimator.rows == 20
    alone = IncrementalFit(Writes())
    fit_loop([alone], Epochs())
    assert alone.progress.rows == 20


def test_sparse_rows_cannot_be_written_either():
    class Scales:
        def partial_fit(self, X, y=None):
            X.data *= 2

    def epoch(_):
        yield Block(sparse.eye(5).tocsr(), None, None, Place(0, 0, 5))

    fits = [IncrementalFit(Scales()) for _ in range(2)]
    with Threads(1) as each:
        fit_loop(fits, epoch, each)
    assert all("read-only" in str(fit.error) for fit in fits)


class Spoils:
    """Writes into tables and rows in ways that need no array to be writeable."""

    def partial_fit(self, X, y=None):
        if isinstance(X, pd.DataFrame):
            X["a"] = 0.0
            X.loc[:, "b"] = 0.0
            del X["c"]
        else:
            X.data = X.data * 0.0


class Sums:
    def __init__(self):
        self.sums = []

    def partial_fit(self, X, y=None):
        self.sums.append(float(np.asarray(X.sum()).sum()))


TABLES = {
    "tables": lambda: pd.DataFrame({name: [1.0, 2.0, 3.0] for name in "abc"}),
    "sparse rows": lambda: sparse.csr_array(np.diag([3.0, 6.0, 9.0])),
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_what_a_fit_puts_in_the_place_of_columns_or_values_is_its_own(kind, n_threads):
    def epoch(_):
        for i in range(3):
            yield Block(TABLES[kind](), None, None, Place(i, 3 * i, 3 * i + 3))

    fits = [IncrementalFit(each) for each in (Spoils(), Sums(), Spoils(), Sums())]
    with Threads(n_threads) as each:
        fit_loop(fits, epoch, each)
    assert [fit.error for fit in fits] == [None] * 4
    assert [fit.estimator.sums for fit in fits[1::2]] == [[18.0] * 3] * 2


class Positioned(Epochs):
    """Epochs of four blocks, from the first one on that some fit wants."""

    def __init__(self, fits):
        super().__init__()
        self.fits = fits
        self.read = []

    def __call__(self, epoch):
        start = first_position(self.fits, epoch)
        for i in range(start, 4):
            self.read.append((epoch, i))
            X = np.full((5, 2), 10.0 * epoch + i)
            yield Block(X, None, None, Place(i, 5 * i, 5 * i + 5), epoch, i)


class Adds:
    """Keeps what it learned, in order."""

    def __init__(self):
        self.learned = []

    def partial_fit(self, X, y=None):
        self.learned.append(float(X[0, 0]))


class KeepsEvery:
    """A checkpoint that keeps every state, with how much was learned then."""

    def __init__(self):
        self.states = []

    def is_due(self):
        return True

    def keep(self, state):
        self.states.append(state())

    def keep_last(self, state):
        self.states.append(state and state())


def counts(fit):
    """Return how far a fit has come, without how long it took."""
    return replace(fit.progress, fit_s=0.0, load_s=0.0)


def adding(epochs, state=None, **parts):
    fit = IncrementalFit(Adds(), progress=Progress(epochs=epochs), **parts)
    if state is not None:
        fit.restore(state)
    return fit


def test_a_fit_goes_on_from_any_of_its_states_and_no_earlier_block_is_read():
    keeps = KeepsEvery()
    whole = adding(2, checkpoint=keeps)
    fit_loop([whole], Positioned([whole]))
    assert len(keeps.states) == 8 + 1  # and the last when all is learned
    for n_learned, state in enumerate(keeps.states, 1):
        fit = adding(2, state)
        epochs = Positioned([fit])
        fit_loop([fit], epochs)
        assert fit.estimator.learned == whole.estimator.learned
        assert counts(fit) == counts(whole)
        assert len(epochs.read) == max(8 - n_learned, 0)


@given(st.lists(st.integers(0, 7), min_size=1, max_size=4))
def test_fits_that_stand_at_different_blocks_go_on_in_one_pass(starts):
    keeps = KeepsEvery()
    whole = adding(2, checkpoint=keeps)
    fit_loop([whole], Positioned([whole]))
    fits = [adding(2, keeps.states[n - 1] if n else None) for n in starts]
    epochs = Positioned(fits)
    fit_loop(fits, epochs)
    assert all(fit.estimator.learned == whole.estimator.learned for fit in fits)
    first = min(starts)
    assert epochs.read == [(i // 4, i % 4) for i in range(first, 8)]


def test_what_ends_a_fit_early_keeps_its_last_state():
    keeps = KeepsEvery()
    fit = adding(1, checkpoint=keeps)

    def interrupted(epoch):
        yield from list(Positioned([fit])(epoch))[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_loop([fit], interrupted)
    again = adding(1, keeps.states[-1])
    assert again.first_block == (0, 2)


def test_a_half_learned_block_is_not_kept():
    class HalfWay(Adds):
        def partial_fit(self, X, y=None):
            super().partial_fit(X)
            if len(self.learned) == 3:
                raise KeyboardInterrupt

    keeps = KeepsEvery()
    fit = IncrementalFit(HalfWay(), checkpoint=keeps)
    with pytest.raises(KeyboardInterrupt):
        fit_loop([fit], Positioned([fit]))
    assert keeps.states[-1] is None
    again = adding(1, keeps.states[-2])
    assert again.estimator.learned == [0.0, 1.0]


def test_the_window_of_the_progressive_score_the_schedule_and_the_callbacks_go_on_too(held_out_of):
    def parts():
        return {
            "score": Progressive(lambda model, X, y, w: {"last": float(X[0, 0])}, window=3),
            "held_out": held_out_of(lambda model: {"n": float(len(model.learned))}, 15),
            "callbacks": {"stop": EarlyStopping(patience=100, by="progressive")},
        }

    keeps = KeepsEvery()
    whole = adding(3, checkpoint=keeps, **parts())
    fit_loop([whole], Positioned([whole]))
    for state in keeps.states:
        fit = adding(3, state, **parts())
        fit_loop([fit], Positioned([fit]))
        assert counts(fit) == counts(whole)


def test_a_fit_that_owes_a_score_of_held_out_rows_is_not_kept_until_it_has_it(held_out_of):
    whole_at = []

    class Looks(Callback):
        def on_held_out(self, progress):
            whole_at.append(fit.is_whole)

    held_out = held_out_of(lambda model: {"n": 1.0}, 10)
    fit = fit_of(1, held_out=held_out, callbacks={"looks": Looks()})
    for block in list(Epochs()(0))[:2]:
        fit.step(block)
    assert not fit.is_whole  # an interrupt may come before the score is begun
    fit_loop([fit], Epochs())
    assert whole_at[0] is False
    assert fit.is_whole
