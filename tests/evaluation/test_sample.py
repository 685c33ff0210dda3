"""A bounded sample for pictures, the same whatever the blocks, and at no score's cost."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline

from runner.base import Block, Place
from runner.evaluation import sample as module
from runner.evaluation.evaluation import Evaluation
from runner.evaluation.sample import Sampling, numbers_of, splitmix64


@pytest.fixture
def few(monkeypatch):
    """Let a sample be of 40 rows at most."""
    monkeypatch.setattr(module, "MOST_ROWS", 40)


def taken(estimator, blocks, n_rows=157):
    sampling = Sampling(estimator, n_rows)
    for block in blocks:
        sampling.add(block, {})
    return sampling.sample()


def same(one, other):
    assert one.method == other.method
    assert one.n_rows == other.n_rows
    assert np.allclose(one.answers, other.answers, rtol=1e-12, atol=0)
    assert (one.true is None) == (other.true is None)
    assert one.true is None or (one.true == other.true).all()


@given(
    cuts=st.lists(st.integers(0, 157), max_size=8),
    n_rows=st.sampled_from([1, 100, 157]),
    case=st.sampled_from(["sgd_log_loss", "sgd_hinge", "naive_bayes", "k_means"]),
)
@settings(deadline=None, max_examples=40)
def test_the_sample_is_the_same_however_the_rows_are_cut(
    fitted, rows, blocks_of, *, cuts, n_rows, case
):
    estimator, y = fitted(case)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_ROWS", 40)
        blocks = [block for block in blocks_of(rows.X, y, at=cuts) if block.n_rows]
        found, whole = taken(estimator, blocks, n_rows), taken(estimator, blocks_of(rows.X, y))
    same(found, whole)
    assert len(found.answers) == 40


@pytest.mark.usefixtures("few")
def test_it_is_of_the_rows_with_the_smallest_hashes(fitted, rows, blocks_of):
    estimator, y = fitted("naive_bayes")
    found = taken(estimator, blocks_of(rows.X, y, at=(31, 90)))
    smallest = np.argsort(splitmix64(np.arange(157)))[:40]
    assert (found.true == y[smallest]).all()
    assert np.allclose(found.answers, estimator.predict_proba(rows.X)[smallest])
    assert found.n_rows == 157


@pytest.mark.parametrize(
    ("case", "method"),
    [
        ("sgd_log_loss", "predict_proba"),
        ("sgd_text", "predict_proba"),
        ("sgd_hinge", "decision_function"),
        ("sgd_objects", "decision_function"),
        ("pipeline", "predict_proba"),
        ("k_means", "predict"),
        ("birch", "predict"),
    ],
)
def test_an_estimator_is_asked_for_the_best_that_it_has(case, method, fitted, rows, blocks_of):
    estimator, y = fitted(case)
    found = taken(estimator, blocks_of(rows.X, y, at=(50,)))
    assert found.method == method
    assert (found.true is None) == (method == "predict")
    assert found.true is None or found.classes.tolist() == estimator.classes_.tolist()


@pytest.mark.parametrize("case", ["mlp_multilabel", "multi_output", "sgd_regressor", "outliers"])
def test_of_others_there_is_none(case, fitted, rows, blocks_of):
    estimator, y = fitted(case)
    assert taken(estimator, blocks_of(rows.X, y)) is None


def test_no_row_is_no_sample(fitted):
    assert taken(fitted("naive_bayes")[0], []) is None


class Counting(SGDClassifier):
    """Counts the rows that it is asked about, by method."""

    def _count(self, name, X):
        self.asked = getattr(self, "asked", {})
        self.asked[name] = self.asked.get(name, 0) + len(X)

    def predict(self, X):
        self._count("predict", X)
        return super().predict(X)

    def predict_proba(self, X):
        self._count("predict_proba", X)
        return super().predict_proba(X)


@pytest.mark.parametrize("scoring", [["accuracy"], ["accuracy", "neg_log_loss"]])
def test_nothing_else_is_asked_for_the_scores_and_little_for_the_sample(
    scoring, rows, fitted, blocks_of, monkeypatch
):
    y, asked = fitted("sgd_log_loss")[1], []
    monkeypatch.setattr(module, "MOST_ROWS", 40)
    monkeypatch.setattr(module, "_untouched", lambda estimator: estimator)
    for pictures_of in (0, 157):
        counting = Counting(loss="log_loss", random_state=0)
        counting.partial_fit(rows.X, y, classes=[0, 1])
        measurement = Evaluation(scoring=scoring).measure(counting, pictures_of=pictures_of)
        for block in blocks_of(rows.X, y, at=range(0, 157, 10)):
            measurement.add(block)
        asked.append((counting.asked, measurement.evaluated()))
    (without, plain), (with_it, pictured) = asked
    assert plain.sample is None
    assert len(pictured.sample.answers) == 40
    assert repr(pictured.scores) == repr(plain.scores)
    assert with_it["predict"] == without["predict"] == 157
    if "neg_log_loss" in scoring:
        assert with_it == without
    else:
        assert 40 <= with_it["predict_proba"] <= 90


class Fickle(ClassifierMixin, BaseEstimator):
    """Changes whenever it is asked, as a classifier that draws lots does."""

    def __init__(self):
        self.classes_ = np.array([0, 1])
        self.rng = np.random.default_rng(0)

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.rng.integers(0, 2, len(X))

    def predict_proba(self, X):
        first = self.rng.uniform(size=len(X))
        return np.column_stack([first, 1 - first])


class Bare:
    """Knows nothing of scikit-learn, and has a pencil to draw lots with."""

    def __init__(self):
        self.fickle = Fickle()
        self.classes_ = self.fickle.classes_

    def predict(self, X):
        return self.fickle.predict(X)

    def predict_proba(self, X):
        return self.fickle.predict_proba(X)


@pytest.mark.parametrize("make", [Fickle, Bare, lambda: Pipeline([("last", Fickle())])])
def test_an_estimator_that_changes_when_asked_gives_the_same_scores(make, rows, blocks_of):
    y, found = (rows.X[:, 0] > 0).astype(int), []
    for pictures_of in (0, 157):
        measurement = Evaluation(scoring=["accuracy"]).measure(make(), pictures_of=pictures_of)
        for block in blocks_of(rows.X, y, at=(30, 60, 90)):
            measurement.add(block)
        found.append(measurement.evaluated())
    assert repr(found[0].scores) == repr(found[1].scores)
    assert found[1].sample is not None


class Broken(GaussianNB):
    """Cannot say how sure it is."""

    answer = None

    def predict_proba(self, X):
        if self.answer is None:
            msg = "no idea"
            raise RuntimeError(msg)
        return self.answer(X)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        lambda X: np.zeros((len(X), 7)),
        lambda X: np.zeros((len(X) + 1, 2)),
        lambda X: [np.zeros((len(X), 2))] * 2,
        lambda X: np.full((len(X), 2), np.nan),
        lambda X: np.full((len(X), 2), "much"),
        lambda X: scipy.sparse.csr_array(np.zeros((len(X), 2))),
    ],
)
def test_an_answer_that_fails_costs_a_picture_and_no_score(answer, rows, blocks_of, monkeypatch):
    y = (rows.X[:, 0] > 0).astype(int)
    broken = Broken().partial_fit(rows.X, y, classes=[0, 1])
    monkeypatch.setattr(Broken, "answer", answer and staticmethod(answer))
    measurement = Evaluation(scoring=["accuracy"]).measure(broken, pictures_of=157)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in blocks_of(rows.X, y, at=(30, 60)):
            measurement.add(block)
    found = measurement.evaluated()
    assert found.sample is None
    assert found.scores["accuracy"] > 0.5


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    "rows_as", [scipy.sparse.csr_array, scipy.sparse.csr_matrix, pd.DataFrame, np.asfortranarray]
)
def test_rows_are_picked_from_every_kind_of_block(rows_as, rows, fitted, blocks_of):
    y = fitted("sgd_log_loss")[1]
    linear = SGDClassifier(loss="log_loss", random_state=0).partial_fit(rows.X, y, classes=[0, 1])
    expected = taken(linear, blocks_of(rows.X, y, at=(50,)))
    if rows_as is pd.DataFrame:
        linear = Pipeline([("frame", Values()), ("linear", linear)])
    edges = (0, 50, 157)
    blocks = [
        Block(rows_as(rows.X[start:stop]), y[start:stop], None, Place(number, start, stop))
        for number, (start, stop) in enumerate(pairwise(edges))
    ]
    same(taken(linear, blocks), expected)


class Values(BaseEstimator):
    """Turns a DataFrame into an array."""

    def transform(self, X):
        assert isinstance(X, pd.DataFrame)
        return X.to_numpy()


@pytest.mark.usefixtures("few")
def test_rows_are_picked_from_lines_of_text(blocks_of):
    lines = np.array([f"line {number} of {number % 7}" for number in range(90)], dtype=object)
    y, hashing = np.arange(90) % 2, HashingVectorizer(n_features=32)
    linear = SGDClassifier(random_state=0).partial_fit(hashing.transform(lines), y, classes=[0, 1])
    model = Pipeline([("hashing", hashing), ("linear", linear)])
    found = taken(model, blocks_of(lines, y, at=(40,)), 90)
    smallest = np.argsort(splitmix64(np.arange(90)))[:40]
    assert np.allclose(found.answers, model.decision_function(lines)[smallest])


def test_many_labels_take_no_more_memory_than_few():
    class Many(ClassifierMixin, BaseEstimator):
        classes_ = np.arange(5000)

        def predict_proba(self, X):
            return np.full((len(X), 5000), 1 / 5000)

    blocks = [
        Block(np.zeros((90, 1)), np.zeros(90), None, Place(number, 90 * number, 90 * number + 90))
        for number in range(9)
    ]
    assert taken(Many(), blocks, 810).answers.shape == (200, 5000)


def test_the_numbers_are_those_in_the_dataset():
    X = np.zeros((3, 1))
    assert numbers_of(Block(X, None, None, Place(1, 10, 13))).tolist() == [10, 11, 12]
    some = Block(X, None, None, Place(1, 10, 20), rows=np.array([11, 14, 19]))
    assert numbers_of(some).tolist() == [11, 14, 19]


@given(st.lists(st.integers(0, 2**62), unique=True, min_size=2, max_size=50))
def test_different_numbers_have_different_hashes(numbers):
    assert len(set(splitmix64(np.array(numbers)).tolist())) == len(numbers)


def test_the_global_random_state_is_left_alone(fitted, rows, blocks_of):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002  (it is what is looked at)
    taken(fitted("naive_bayes")[0], blocks_of(rows.X, fitted("naive_bayes")[1]))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
