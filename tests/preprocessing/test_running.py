"""Stages that learn along with the estimator."""

import copy
import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import IncrementalPCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import Normalizer, StandardScaler

from runner.base import Part, Place
from runner.fit.preflight import check_fit
from runner.preprocessing.running import RunningPipeline


def pipeline():
    return RunningPipeline(
        [
            ("scaler", StandardScaler()),
            ("norm", Normalizer()),
            ("pca", IncrementalPCA(2)),
            ("estimator", SGDClassifier(random_state=0)),
        ]
    )


def blocks(rows):
    return list(zip(rows.cut(rows.X), rows.cut(rows.y), strict=True))


def test_it_is_a_loop_by_hand_bit_for_bit(rows, held):
    learner = pipeline()
    scaler, norm, pca = StandardScaler(), Normalizer(), IncrementalPCA(2)
    estimator = SGDClassifier(random_state=0)
    for X, y in blocks(rows):
        if hasattr(estimator, "coef_"):
            before = estimator.predict(pca.transform(norm.transform(scaler.transform(X))))
            np.testing.assert_array_equal(learner.predict(X), before)
        learner.partial_fit(X, y, classes=[0, 1])
        scaled = norm.transform(scaler.partial_fit(X).transform(X))
        estimator.partial_fit(pca.partial_fit(scaled).transform(scaled), y, classes=[0, 1])
    assert held(learner["scaler"]) == held(scaler)
    assert held(learner["pca"]) == held(pca)
    assert held(learner["estimator"]) == held(estimator)
    assert learner.score(rows.X, rows.y) > 0.5
    assert list(learner.classes_) == [0, 1]


def test_a_stage_behind_that_cannot_learn_by_block_is_fitted_on_the_first(rows, held):
    steps = [("scaler", StandardScaler()), ("fill", SimpleImputer()), ("estimator", GaussianNB())]
    learner = RunningPipeline(steps)
    X = np.where(rows.X > 20, np.nan, rows.X)
    for part, y in zip(rows.cut(X), rows.cut(rows.y), strict=True):
        learner.partial_fit(part, y, classes=[0, 1])
    first = rows.cut(X)[0]
    expected = SimpleImputer().fit(StandardScaler().fit(first).transform(first))
    assert held(learner["fill"]) == held(expected)


@pytest.mark.parametrize(
    "twin",
    [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))],  # noqa: S301
)
def test_a_copy_made_on_the_way_goes_on_alike(twin, rows, held):
    (X, y), *rest = blocks(rows)
    learner = pipeline().partial_fit(X, y, classes=[0, 1])
    copied = twin(learner)
    for X, y in rest:
        learner.partial_fit(X, y)
    for X, y in rest:
        copied.partial_fit(X, y)
    for one, other in zip(learner.steps, copied.steps, strict=True):
        assert held(one[1]) == held(other[1])


def test_a_clone_starts_anew(rows):
    X, y = blocks(rows)[0]
    learner = pipeline().partial_fit(X, y, classes=[0, 1])
    assert not hasattr(clone(learner)["scaler"], "mean_")


def test_its_arguments_are_those_of_the_estimator(rows):
    learner = pipeline()
    assert inspect.signature(learner.partial_fit) == inspect.signature(
        learner["estimator"].partial_fit
    )
    import dask.array as da

    X, y = da.from_array(rows.X), da.from_array(rows.y)
    check_fit(learner, {"classes": [0, 1]}, Part(X, y, None, (Place(0, 0, len(rows.X)),)))


def test_it_is_called_after_its_steps():
    assert pipeline().called == "StandardScaler, Normalizer, IncrementalPCA, SGDClassifier"


def test_its_state_may_be_set_back_in_place(rows, held):
    (X, y), *rest = blocks(rows)
    learner = pipeline().partial_fit(X, y, classes=[0, 1])
    kept, then = copy.deepcopy(vars(learner)), held(learner["scaler"])
    for X, y in rest:
        learner.partial_fit(X, y)
    vars(learner).clear()
    vars(learner).update(kept)
    assert held(learner["scaler"]) == then
    again = pipeline().partial_fit(*blocks(rows)[0], classes=[0, 1])
    for X, y in rest:
        learner.partial_fit(X, y)
        again.partial_fit(X, y)
    assert held(learner["scaler"]) == held(again["scaler"])
    assert held(learner["estimator"]) == held(again["estimator"])


def test_weights_reach_the_estimator_and_no_stage(rows, held):
    X, y = blocks(rows)[0]
    weights = np.linspace(0.1, 2.0, len(X))
    learner = RunningPipeline(
        [("scaler", StandardScaler()), ("estimator", SGDRegressor(random_state=0))]
    )
    learner.partial_fit(X, y, sample_weight=weights)
    by_hand = SGDRegressor(random_state=0).partial_fit(
        StandardScaler().fit_transform(X), y, sample_weight=weights
    )
    np.testing.assert_array_equal(learner["estimator"].coef_, by_hand.coef_)


def test_an_estimator_without_a_target_learns_too(rows):
    learner = RunningPipeline([("scaler", StandardScaler()), ("estimator", IncrementalPCA(1))])
    for X in rows.cut(rows.X)[:-1]:
        learner.partial_fit(X)
    assert learner.transform(rows.X).shape == (len(rows.X), 1)


def test_it_has_no_partial_fit_where_the_estimator_has_none():
    assert not hasattr(
        RunningPipeline([("a", StandardScaler()), ("b", Normalizer())]), "partial_fit"
    )
