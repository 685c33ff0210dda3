"""The estimator as it was when it was best."""

import threading
from copy import deepcopy
from math import nan

import joblib
import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from runner.base import Progress
from runner.callbacks.best_snapshot import BestSnapshot
from runner.errors import ConfigError, FitError
from runner.preprocessing.running import RunningPipeline


def fit(estimator, scores, snapshot=None, points=None):
    """Learn a block before each held-out score; return copies of each state, and the progress."""
    X, y = points
    snapshot, progress, states = snapshot or BestSnapshot(), Progress(), []
    snapshot.on_fit_begin(progress, estimator)
    for number, score in enumerate(scores):
        rows = slice(10 * number, 10 * number + 10)
        estimator.partial_fit(X[rows], y[rows], classes=[0, 1])
        progress.rows += 10
        states.append(deepcopy(estimator))
        progress.held_out = {"accuracy": score}
        snapshot.on_held_out(progress)
    snapshot.on_fit_end(progress)
    return states, progress


def learners():
    return [
        SGDClassifier(average=True, random_state=0),
        MLPClassifier((5,), random_state=0),
        RunningPipeline(
            [("scaler", StandardScaler()), ("estimator", SGDClassifier(random_state=0))]
        ),
    ]


@pytest.mark.parametrize("estimator", learners(), ids=lambda e: type(e).__name__)
def test_the_estimator_is_set_back_to_its_best_state_to_the_bit(estimator, points):
    states, progress = fit(estimator, [0.5, 0.9, nan, 0.7], points=points)
    assert joblib.hash(estimator) == joblib.hash(states[1])
    assert joblib.hash(estimator) != joblib.hash(states[3])
    assert progress.best_rows == 20


def test_the_steps_of_a_pipeline_are_set_back_in_place(points):
    scaler, last = StandardScaler(), SGDClassifier(random_state=0)
    states, _ = fit(
        RunningPipeline([("scaler", scaler), ("estimator", last)]), [0.9, 0.5], points=points
    )
    assert joblib.hash(scaler) == joblib.hash(states[0]["scaler"])
    assert joblib.hash(last) == joblib.hash(states[0]["estimator"])


@pytest.mark.parametrize("estimator", learners(), ids=lambda e: type(e).__name__)
def test_what_was_set_back_goes_on_as_it_would_have_then(estimator, points):
    states, _ = fit(estimator, [0.9, 0.5, 0.4], points=points)
    for each in (estimator, states[0]):
        each.partial_fit(points[0][50:60], points[1][50:60])
    assert joblib.hash(estimator) == joblib.hash(states[0])


def test_of_equal_scores_the_first_is_kept(points):
    assert fit(SGDClassifier(), [0.5, 0.5, 0.5], points=points)[1].best_rows == 10


def test_a_little_better_is_no_better(points):
    _, progress = fit(SGDClassifier(), [0.5, 0.55], BestSnapshot(min_delta=0.1), points)
    assert progress.best_rows == 10


@pytest.mark.parametrize("scores", [[], [nan, nan]])
def test_without_a_score_the_estimator_is_left_as_it_is(scores, points):
    estimator = SGDClassifier(random_state=0)
    states, progress = fit(estimator, scores, points=points)
    assert progress.best_rows is None
    assert hasattr(estimator, "coef_") == bool(scores)
    assert joblib.hash(estimator) == joblib.hash([*states, estimator][-1 if not scores else 1])


def test_a_state_of_another_fit_is_forgotten(points):
    snapshot = BestSnapshot()
    fit(SGDClassifier(), [0.9], snapshot, points)
    _, progress = fit(SGDClassifier(), [0.1, 0.2], snapshot, points)
    assert progress.best_rows == 20
    snapshot.on_fit_end(again := Progress())
    assert again.best_rows is None


def test_what_cannot_be_copied_is_told():
    class Own:
        def __init__(self):
            self.lock = threading.Lock()

    snapshot = BestSnapshot()
    snapshot.on_fit_begin(Progress(), Own())
    with pytest.raises(FitError) as caught:
        snapshot.on_held_out(Progress(held_out={"r2": 0.5}))
    assert str(caught.value) == (
        "callbacks.best_snapshot must be left out where Own cannot be copied; got TypeError: "
        "cannot pickle '_thread.lock' object. Remove it from callbacks."
    )


def test_the_copy_shares_no_array_with_what_learns_on(points):
    estimator, snapshot = SGDClassifier(random_state=0), BestSnapshot()
    estimator.partial_fit(*(part[:10] for part in points), classes=[0, 1])
    snapshot.on_fit_begin(Progress(), estimator)
    snapshot.on_held_out(Progress(held_out={"r2": 0.5}))
    before = estimator.coef_.copy()
    estimator.coef_ += 1
    snapshot.on_fit_end(Progress())
    assert np.array_equal(estimator.coef_, before)


def test_the_progressive_score_cannot_choose():
    with pytest.raises(TypeError, match="by"):
        BestSnapshot(by="progressive")


def test_settings_that_mean_nothing_are_refused():
    with pytest.raises(ConfigError, match=r"callbacks\.best_snapshot\.min_delta must be"):
        BestSnapshot(min_delta=-1)
