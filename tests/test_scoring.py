"""Scores of a whole that is never in memory."""

import dask.array as da
import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import (
    fbeta_score,
    get_scorer,
    make_scorer,
    mean_absolute_error,
    roc_auc_score,
)
from sklearn.preprocessing import StandardScaler

from runner.dataset.given import given
from runner.errors import ConfigError
from runner.scoring import evaluation_of, scored
from runner.stream.stream import Stream


@pytest.fixture
def model(points):
    return SGDClassifier(loss="log_loss", random_state=0).fit(points[0][:30], points[1][:30])


@pytest.fixture
def ask(points, model):
    X, y = da.from_array(points[0], chunks=(15, 20)), da.from_array(points[1], chunks=15)

    def ask(scoring, sample_weight=None, estimator=model):
        return scored(estimator, scoring, X, given(X, y, sample_weight), Stream())

    return ask


def plain(estimator, X, y):
    return roc_auc_score(y, estimator.predict_proba(X)[:, 1])


EVERY = [
    *("accuracy", "f1", "roc_auc", "neg_log_loss", "average_precision", "balanced_accuracy"),
    make_scorer(fbeta_score, beta=2),
    make_scorer(roc_auc_score, response_method=("decision_function", "predict_proba")),
    make_scorer(mean_absolute_error, greater_is_better=False),
    plain,
]


@pytest.mark.parametrize("scoring", EVERY, ids=str)
def test_a_score_is_that_of_scikit_learn_on_the_whole(points, model, ask, scoring):
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    assert ask(scoring) == pytest.approx(scorer(model, *points), rel=1e-12)


@pytest.mark.parametrize("scoring", EVERY[:-1], ids=str)
def test_weights_count(points, model, ask, scoring):
    weight = np.random.default_rng(0).uniform(size=100)
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    expected = scorer(model, *points, sample_weight=weight)
    assert ask(scoring, weight) == pytest.approx(expected, rel=1e-12)
    assert ask(scoring, weight) != ask(scoring)


def test_a_score_is_the_same_bits_whatever_threads_ask(points, model):
    X, y = da.from_array(points[0], chunks=(15, 20)), da.from_array(points[1], chunks=15)
    names, part = [each for each in EVERY if isinstance(each, str)], given(X, y, None)
    here, *threads = (scored(model, names, X, part, Stream(prefetch=n)) for n in (0, 1, 3))
    assert threads == [here, here]


def test_several_scores_come_by_name(ask):
    names = ["roc_auc", "accuracy"]
    several = ask(names)
    assert list(several) == names
    assert several == ask(tuple(names)) == {name: ask(name) for name in names}
    mapped = ask({"area": "roc_auc", "ours": plain})
    assert mapped == {"area": ask("roc_auc"), "ours": ask(plain)}


def test_without_a_scorer_it_is_what_suits(ask):
    assert ask(None) == ask("accuracy")


def test_that_there_is_no_score_is_said(points, ask):
    with pytest.raises(ConfigError, match="scoring must be given, because StandardScaler has no"):
        ask(None, estimator=StandardScaler().fit(points[0]))


def test_only_names_are_evaluated_by_name():
    assert evaluation_of(plain).scoring == []
    assert evaluation_of(["r2"]).scoring == ["r2"]
    assert evaluation_of(None).scoring is None
    with pytest.raises(ConfigError, match="acuracy"):
        evaluation_of("acuracy").check(SGDClassifier(), has_target=True)
