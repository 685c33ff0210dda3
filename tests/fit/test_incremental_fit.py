"""One estimator, one step at a time."""

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from runner.base import Block, Callback, Place, Progress
from runner.errors import ConfigError, DatasetError, FitError, RunnerWarning
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.labels import LabelWeights
from runner.fit.progressive import Progressive


class Spy:
    """Records what ``partial_fit`` was given."""

    def __init__(self, error=None):
        self.calls = []
        self.error = error

    def partial_fit(self, *args, **kwargs):
        self.calls.append((args, kwargs))
        if self.error:
            raise self.error


class Told(Callback):
    def __init__(self):
        self.events = []

    def on_fit_begin(self, progress, estimator):
        self.events.append("begin")

    def on_block_end(self, progress, block):
        self.events.append(("block", progress.blocks, progress.rows))

    def on_epoch_end(self, progress):
        self.events.append(("epoch", progress.epoch))

    def on_fit_end(self, progress):
        self.events.append("end")


def block_of(X, y=None, sample_weight=None, number=0):
    return Block(X, y, sample_weight, Place(number, 10 * number, 10 * number + len(X)))


def test_the_estimator_is_given_the_block_and_the_arguments():
    spy, X, y = Spy(), np.ones((3, 2)), np.array([0, 1, 0])
    IncrementalFit(spy, {"classes": [0, 1]}).step(block_of(X, y))
    ((given_X, given_y), kwargs) = spy.calls[0]
    assert given_X is X
    assert given_y is y
    assert kwargs == {"classes": [0, 1]}


def test_without_a_target_the_estimator_is_given_x_alone():
    spy = Spy()
    IncrementalFit(spy).step(block_of(np.ones((3, 2))))
    assert len(spy.calls[0][0]) == 1


def test_weights_come_with_their_block():
    spy, weight = Spy(), np.array([1.0, 2.0, 3.0])
    IncrementalFit(spy).step(block_of(np.ones((3, 2)), np.ones(3), weight))
    assert spy.calls[0][1]["sample_weight"] is weight


def test_what_partial_fit_returns_is_not_used():
    spy = Spy()
    fit = IncrementalFit(spy)
    fit.step(block_of(np.ones((3, 2))))
    assert fit.estimator is spy


def test_labels_give_rows_weights_that_are_multiplied_with_their_own():
    spy, y = Spy(), np.array([0, 1, 0])
    fit = IncrementalFit(spy, weights=LabelWeights({1: 4.0}))
    fit.step(block_of(np.ones((3, 2)), y))
    fit.step(block_of(np.ones((3, 2)), y, np.array([1.0, 0.5, 3.0])))
    weights = [kwargs["sample_weight"].tolist() for _, kwargs in spy.calls]
    assert weights == [[1.0, 4.0, 1.0], [1.0, 2.0, 3.0]]


def test_weights_of_labels_are_not_those_of_the_progressive_score():
    seen = []

    def score(estimator, X, y, sample_weight):
        seen.append(sample_weight)
        return {}

    fit = IncrementalFit(Spy(), score=Progressive(score, 5), weights=LabelWeights({1: 4.0}))
    for _ in range(2):
        fit.step(block_of(np.ones((3, 2)), np.array([0, 1, 0])))
    assert seen == [None]


def test_each_block_is_inspected_before_it_is_scored_or_learned():
    spy, order = Spy(), []
    fit = IncrementalFit(
        spy,
        inspect=lambda block: order.append((block.place.number, len(spy.calls))),
        score=Progressive(lambda *_: order.append("score") or {}, 5),
    )
    for number, n_rows in enumerate((3, 0, 2)):
        fit.step(block_of(np.ones((n_rows, 2)), number=number))
    assert order == [(0, 0), (2, 1), "score"]


def test_what_an_inspection_refuses_is_not_learned():
    def refuse(block):
        raise ConfigError("a", "be b", got="c", remedy="D.")

    spy = Spy()
    with pytest.raises(ConfigError, match=r"a must be b; got c\. D\."):
        IncrementalFit(spy, inspect=refuse).step(block_of(np.ones((3, 2))))
    assert spy.calls == []


def test_held_out_scores_are_due_between_blocks_and_at_the_end_and_told(held_out_of):
    class Hears(Callback):
        def __init__(self):
            self.heard = []

        def on_held_out(self, progress):
            self.heard.append((progress.rows, progress.held_out))

    hears = Hears()
    held_out = held_out_of(lambda spy: {"calls": len(spy.calls)}, every=5)
    fit = IncrementalFit(Spy(), held_out=held_out, callbacks={"hears": hears})

    def test():
        fit.measure(fit.test)
        fit.end_test()

    for number in range(4):
        fit.step(block_of(np.ones((3, 2)), number=number))
        if fit.is_due():
            test()
    fit.end_pass()
    assert not fit.is_due_at_epoch_end(), "these rows were scored just now"
    assert hears.heard == [(6, {"calls": 2}), (12, {"calls": 4})]
    assert fit.progress.held_out == {"calls": 4}


def test_without_held_out_rows_nothing_is_due():
    fit = IncrementalFit(Spy())
    fit.step(block_of(np.ones((3, 2))))
    fit.end_pass()
    assert not fit.is_due()
    assert not fit.is_due_at_epoch_end()


def test_only_the_last_epoch_ends_with_a_score_that_was_not_asked_for(held_out_of):
    held_out = held_out_of(lambda _: {}, every=10**9)
    fit = IncrementalFit(Spy(), held_out=held_out, progress=Progress(epochs=3))
    due = []
    for _ in range(3):
        fit.step(block_of(np.ones((3, 2))))
        fit.end_pass()
        due.append(fit.is_due_at_epoch_end())
    assert due == [False, False, True]


def test_an_empty_block_is_skipped_and_counted():
    spy, told = Spy(), Told()
    fit = IncrementalFit(spy, callbacks={"told": told})
    fit.step(block_of(np.ones((0, 2)), np.ones(0)))
    assert spy.calls == []
    assert told.events == []
    assert (fit.progress.empty_blocks, fit.progress.blocks, fit.progress.rows) == (1, 0, 0)


def test_only_empty_blocks_are_an_error_at_the_end_of_the_epoch():
    fit = IncrementalFit(Spy())
    fit.step(block_of(np.ones((0, 2))))
    with pytest.raises(FitError, match="hold at least one row; got only empty ones, 1 of them"):
        fit.end_pass()


def test_callbacks_are_told_everything_in_order():
    told = Told()
    fit = IncrementalFit(Spy(), callbacks={"told": told})
    fit.begin()
    fit.step(block_of(np.ones((3, 2))))
    fit.step(block_of(np.ones((2, 2)), number=1))
    fit.end_pass()
    fit.end_epoch()
    fit.end()
    assert told.events == ["begin", ("block", 1, 3), ("block", 2, 5), ("epoch", 1), "end"]


def test_each_block_is_tested_before_it_is_learned_and_the_first_has_no_score():
    seen = []

    def score(estimator, X, y, sample_weight):
        seen.append((len(estimator.calls), len(X)))
        return {"accuracy": 1.0}

    fit = IncrementalFit(Spy(), score=Progressive(score, window=5))
    for number, n_rows in enumerate((3, 4, 5)):
        fit.step(block_of(np.ones((n_rows, 2)), number=number))
    assert seen == [(1, 4), (2, 5)]
    assert fit.progress.scores == {"accuracy": 1.0}


def test_a_refused_block_is_named_with_the_cause():
    fit = IncrementalFit(Spy(ValueError("no luck with data.\nmore")))
    with pytest.raises(FitError) as caught:
        fit.step(block_of(np.ones((3, 2)), number=4))
    assert str(caught.value) == (
        "Block 4 (rows 40 to 42) must be accepted by Spy.partial_fit; got ValueError: no luck "
        "with data. more. Check these rows, and the arguments under preprocessing, "
        "estimator and partial_fit."
    )
    assert fit.progress.blocks == 0


def test_an_error_of_ours_passes_as_it_is():
    wrong = DatasetError("a", "be b", got="c", remedy="D.")
    with pytest.raises(DatasetError, match=r"a must be b; got c\. D\."):
        IncrementalFit(Spy(wrong)).step(block_of(np.ones((3, 2))))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_is_not_taken_for_an_error(stop):
    with pytest.raises(stop):
        IncrementalFit(Spy(stop())).step(block_of(np.ones((3, 2))))


def test_nan_is_named_by_block_row_and_column():
    X = np.ones((5, 3))
    X[2, 1] = np.nan
    fit = IncrementalFit(SGDClassifier(), {"classes": [0, 1]})
    with pytest.raises(FitError) as caught:
        fit.step(block_of(X, np.array([0, 1, 0, 1, 0]), number=3))
    assert str(caught.value) == (
        "Block 3 (rows 30 to 34) must hold only finite numbers in X; got nan in row 32, column 1. "
        "Remove or fill in these rows at the source, or put an imputer into preprocessing."
    )


def test_a_strange_label_is_named_by_block_and_row():
    fit = IncrementalFit(Spy(), {"classes": [0, 1]})
    with pytest.raises(FitError) as caught:
        fit.step(block_of(np.ones((4, 2)), np.array([0, 1, 7, 1]), number=2))
    assert str(caught.value) == (
        "Block 2 (rows 20 to 23) must hold only the labels of partial_fit.classes, [0, 1]; got "
        "[7], first in row 22. Add the label to partial_fit.classes, or remove these rows."
    )


def test_a_stop_is_a_request_and_the_first_reason_is_kept():
    fit = IncrementalFit(Spy())
    assert fit.goes_on
    fit.progress.stop("patience")
    fit.progress.stop("time")
    assert not fit.goes_on
    assert fit.progress.stop_reason == "patience"


def test_a_callback_that_fails_at_the_end_hides_nothing_and_the_others_are_told():
    class Breaks(Callback):
        def on_fit_end(self, progress):
            raise BrokenPipeError("gone")

    told = Told()
    fit = IncrementalFit(Spy(), callbacks={"bar": Breaks(), "told": told})
    with pytest.warns(
        RunnerWarning, match="The callback bar failed at the end of the fit: Broken"
    ):
        fit.end()
    assert told.events == ["end"]
