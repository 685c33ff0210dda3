"""A bad block leaves no trace, whatever it had done before it failed."""

from dataclasses import replace

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from runner.base import Block, Callback, Place, Progress
from runner.callbacks.best_snapshot import BestSnapshot
from runner.errors import ConfigError, DatasetError, FitError, RunnerWarning
from runner.evaluation.evaluation import Evaluation
from runner.fit.bad_blocks import BadBlocks
from runner.fit.held_out import HeldOut
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import fit_loop
from runner.fit.progressive import Progressive
from runner.preprocessing.running import RunningPipeline

CLASSES = {"classes": [0, 1]}


def block_of(number, epoch=0, **changes):
    rng = np.random.default_rng(number)
    X = rng.normal(size=(20, 3))
    made = {"X": X, "y": (X[:, 0] > 0).astype(int), "sample_weight": None}
    place = Place(number, 20 * number, 20 * number + 20)
    return Block(**made | changes, place=place, epoch=epoch, position=number)


class Epoch:
    """Yields blocks of which some are bad, and counts what is read."""

    def __init__(self, bad=(), n_blocks=6):
        self.bad = set(bad)
        self.n_blocks = n_blocks
        self.reads = 0

    def __call__(self, epoch, start=0):
        for number in range(start, self.n_blocks):
            self.reads += 1
            changes = {}
            if number in self.bad:
                changes["X"] = np.full((20, 3), np.nan)
            yield block_of(number, epoch, **changes)


class ChangesThenFails(SGDClassifier):
    """Learns a block that it then refuses, as an estimator may that checks too late."""

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        bad = np.isnan(X).any()
        super().partial_fit(np.nan_to_num(X), y, classes, sample_weight)
        if bad:
            raise ValueError("too late")
        return self

    def predict(self, X):
        return super().predict(np.nan_to_num(X))


class Hears(Callback):
    def __init__(self):
        self.told = []

    def on_bad_block(self, progress, place, epoch, position, error):
        self.told.append((place.number, epoch, position, type(error)))


def fitted(estimator, epochs, bad, n_epochs=1, most=10, **parts):
    fit = IncrementalFit(
        estimator,
        CLASSES,
        score=Progressive(Evaluation().score_block, 3),
        bad_blocks=BadBlocks(most, epochs),
        progress=Progress(epochs=n_epochs),
        **parts,
    )
    fit_loop([fit], epochs)
    return fit


def without(estimator, bad, n_epochs=1):
    for epoch in range(n_epochs):
        for number in range(6):
            if number not in bad:
                block = block_of(number, epoch)
                estimator.partial_fit(block.X, block.y, classes=[0, 1])
    return estimator


@pytest.mark.parametrize("kind", [SGDClassifier, ChangesThenFails, MLPClassifier])
@pytest.mark.parametrize("bad", [{0}, {3}, {1, 2}, {0, 5}])
@pytest.mark.filterwarnings("ignore::runner.errors.RunnerWarning")
def test_the_model_is_the_one_that_never_met_the_bad_blocks(kind, bad):
    fit = fitted(kind(random_state=0), Epoch(bad), bad, n_epochs=2)
    expected = without(kind(random_state=0), bad, n_epochs=2)
    assert joblib.hash(fit.estimator) == joblib.hash(expected)
    assert fit.progress.bad_blocks == len(bad)
    assert fit.progress.blocks == 2 * (6 - len(bad))


@given(bad=st.sets(st.integers(0, 5), max_size=4), n_epochs=st.integers(1, 3))
@pytest.mark.filterwarnings("ignore::runner.errors.RunnerWarning")
def test_whatever_blocks_are_bad_none_is_learned_twice(bad, n_epochs):
    fit = fitted(ChangesThenFails(random_state=0), Epoch(bad), bad, n_epochs)
    assert fit.estimator.t_ == 1 + 20 * (6 - len(bad)) * n_epochs


@pytest.mark.filterwarnings("ignore::runner.errors.RunnerWarning")
def test_stages_that_learn_along_are_set_back_too_and_so_is_the_best_snapshot():
    def pipeline():
        steps = [("scaler", StandardScaler()), ("estimator", ChangesThenFails(random_state=0))]
        return RunningPipeline(steps)

    held = HeldOut(Evaluation().measure, lambda then=None: (b for b in [block_of(77)]), every=20)
    fit = fitted(pipeline(), Epoch({3}), {3}, held_out=held, callbacks={"best": BestSnapshot()})
    best = fit.progress.best_rows
    expected = pipeline()
    for number in [n for n in range(6) if n != 3][: best // 20]:
        block = block_of(number)
        expected.partial_fit(block.X, block.y, classes=[0, 1])
    assert joblib.hash(fit.estimator.steps) == joblib.hash(expected.steps)


def test_a_bad_block_is_told_with_its_place_and_only_the_first_time():
    hears = Hears()
    with pytest.warns(RunnerWarning, match=r"Passed over: Block 3 \(rows 60 to 79\)") as said:
        fitted(GaussianNB(), Epoch({3}), {3}, n_epochs=2, callbacks={"hears": hears})
    assert len(said) == 1
    assert hears.told == [(3, 0, 3, FitError), (3, 1, 3, FitError)]


def test_a_block_that_could_not_be_read_is_passed_over():
    error = DatasetError("Block 2 (rows 40 to 59)", "be readable", got="EIO", remedy="Mend it.")

    def blocks(_epoch, start=0):
        for number in range(start, 4):
            if number == 2:
                empty = {"X": np.empty((0, 3)), "y": None, "error": error}
                yield block_of(number, **empty)
            else:
                yield block_of(number)

    with pytest.warns(RunnerWarning, match="Block 2"):
        fit = fitted(GaussianNB(), blocks, {2})
    assert fit.progress.blocks == 3
    assert fit.progress.empty_blocks == 0


def test_a_label_that_is_not_listed_is_passed_over_without_reading_again():
    def blocks(_epoch, start=0):
        for number in range(start, 4):
            changes = {"y": np.full(20, 9)} if number == 1 else {}
            yield block_of(number, **changes)

    with pytest.warns(RunnerWarning, match="hold only the labels"):
        fit = fitted(GaussianNB(), blocks, {1})
    assert fit.progress.rows == 60


@pytest.mark.filterwarnings("ignore::runner.errors.RunnerWarning")
def test_one_bad_block_too_many_ends_the_fit_with_the_reason():
    with pytest.raises(FitError, match=r"max_bad_blocks.*got 3, the last because block 4"):
        fitted(GaussianNB(), Epoch({0, 2, 4}), set(), most=2)


def test_without_the_policy_the_first_bad_block_ends_the_fit():
    fit = IncrementalFit(GaussianNB(), CLASSES)
    with pytest.raises(FitError, match=r"Block 3 .*hold only finite numbers"):
        fit_loop([fit], Epoch({3}))
    assert not fit.is_whole


def test_an_estimator_that_cannot_be_copied_is_refused_before_the_first_block():
    estimator = SGDClassifier()
    estimator.lock_ = (n for n in ())
    with pytest.raises(ConfigError, match="on_bad_block must be error where SGDClassifier"):
        fitted(estimator, Epoch(), set())


@pytest.mark.filterwarnings("ignore::runner.errors.RunnerWarning")
def test_held_out_rows_that_cannot_be_scored_are_passed_over():
    held_out = [block_of(50), block_of(51, X=np.full((20, 3), np.nan)), block_of(52)]
    held = HeldOut(Evaluation().measure, lambda then=None: (block for block in held_out), every=60)
    fit = fitted(GaussianNB(), Epoch(), set(), held_out=held)
    assert fit.progress.bad_blocks == 1
    assert fit.measurement.n_rows == 40


def test_a_block_that_was_read_before_and_cannot_be_read_again_ends_the_fit():
    class Flaky(Epoch):
        def __call__(self, epoch, start=0):
            for block in super().__call__(epoch, start):
                if self.reads > 5 and block.place.number == 1:
                    gone = DatasetError("Block 1", "be readable", got="EIO", remedy="Mend it.")
                    yield replace(block, X=np.empty((0, 1)), y=None, error=gone)
                else:
                    yield block

    with pytest.raises(DatasetError, match="Block 1 must be readable"):
        fitted(ChangesThenFails(random_state=0), Flaky({4}), {4})


@pytest.mark.filterwarnings("ignore::runner.errors.RunnerWarning")
def test_a_block_that_was_refused_twice_is_not_tried_again():
    class Counts(ChangesThenFails):
        calls = 0

        def partial_fit(self, *arguments, **options):
            Counts.calls += 1
            return super().partial_fit(*arguments, **options)

    fit = fitted(Counts(random_state=0), epochs := Epoch({0}), {0}, n_epochs=10)
    assert fit.progress.blocks == 50
    assert Counts.calls == 50 + 2 + (epochs.reads - 60 - 1)


@pytest.mark.filterwarnings("ignore::runner.errors.RunnerWarning")
def test_the_score_of_a_bad_block_does_not_stay_in_the_window():
    def scores_of(bad):
        curve = []

        class Follows(Callback):
            def on_block_end(self, progress, block):
                curve.append((block.place.number, dict(progress.scores)))

        epochs = Epoch(bad)
        if not bad:
            whole = epochs.__call__
            blocks = lambda epoch, start=0: (b for b in whole(epoch, start) if b.position != 3)  # noqa: E731
        else:
            blocks = epochs
        fitted(ChangesThenFails(random_state=0), blocks, bad, callbacks={"follows": Follows()})
        return curve

    assert scores_of({3}) == scores_of(set())
