"""Fitted estimators of every kind, and arrays cut into blocks."""

import warnings
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.cluster import Birch, MiniBatchKMeans
from sklearn.linear_model import SGDClassifier, SGDOneClassSVM, SGDRegressor
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import Normalizer

from runner.base import Block, Place

N_ROWS = 157
RNG = np.random.default_rng(3)
X = RNG.normal(size=(N_ROWS, 6))
WEIGHT = RNG.uniform(0.1, 3, N_ROWS)
SIGNAL = X[:, 0] + RNG.normal(scale=0.8, size=N_ROWS)
BINARY = (SIGNAL > 0).astype(int)
THREE = np.digitize(SIGNAL, [-0.7, 0.6])
TEXT = np.array(["no", "yes"])[BINARY]
ANIMALS = np.array(["cat", "dog", "eel"])[THREE]
TWO_LABELS = np.column_stack([BINARY, X[:, 1] > 0]).astype(int)
TWO_VALUES = np.column_stack([SIGNAL, X[:, 1]])


class Exponential(SGDRegressor):
    """Predicts positive numbers, which some scorers ask for."""

    def predict(self, X):
        return np.exp(super().predict(X) / 3)


def linear(**params):
    return SGDClassifier(random_state=0, **params)


def mlp():
    return MLPClassifier((4,), random_state=0)


# name: what learns, the y it learns, the arguments of partial_fit, and the y it is scored on
CASES = {
    "sgd_log_loss": (linear(loss="log_loss"), BINARY, {"classes": [0, 1]}, BINARY),
    "sgd_hinge": (linear(), BINARY, {"classes": [0, 1]}, BINARY),
    "sgd_text": (linear(loss="log_loss"), TEXT, {"classes": ["no", "yes"]}, TEXT),
    "sgd_objects": (linear(), ANIMALS, {"classes": np.unique(ANIMALS)}, ANIMALS.astype(object)),
    "sgd_floats": (linear(), BINARY, {"classes": [0, 1]}, BINARY.astype(np.float32)),
    "naive_bayes": (GaussianNB(), THREE, {"classes": [0, 1, 2]}, THREE),
    "naive_bayes_bool": (GaussianNB(), BINARY == 1, {"classes": [False, True]}, BINARY == 1),
    "mlp": (mlp(), ANIMALS, {"classes": np.unique(ANIMALS)}, ANIMALS),
    "mlp_multilabel": (mlp(), TWO_LABELS, {"classes": [0, 1]}, TWO_LABELS),
    "multi_output": (
        MultiOutputClassifier(linear(loss="log_loss")),
        TWO_LABELS,
        {"classes": [np.array([0, 1])] * 2},
        TWO_LABELS,
    ),
    "pipeline": (GaussianNB(), THREE, {"classes": [0, 1, 2]}, THREE),
    "sgd_regressor": (SGDRegressor(random_state=0), SIGNAL, {}, SIGNAL),
    "positive_regressor": (Exponential(random_state=0), SIGNAL, {}, np.exp(SIGNAL / 3)),
    "column_regressor": (SGDRegressor(random_state=0), SIGNAL, {}, SIGNAL[:, None]),
    "mlp_regressor": (
        MLPRegressor(hidden_layer_sizes=(4,), random_state=0),
        TWO_VALUES,
        {},
        TWO_VALUES,
    ),
    "multi_output_regressor": (
        MultiOutputRegressor(SGDRegressor(random_state=0)),
        TWO_VALUES,
        {},
        TWO_VALUES,
    ),
    "k_means": (MiniBatchKMeans(4, random_state=0, n_init=1), None, {}, THREE),
    "birch": (Birch(n_clusters=3), None, {}, ANIMALS),
    "outliers": (SGDOneClassSVM(random_state=0), None, {}, 2 * BINARY - 1),
}

_fitted = {}


def fit(name):
    if name not in _fitted:
        estimator, y, arguments, scored_on = CASES[name]
        target = () if y is None else (y,)
        for _ in range(3):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                estimator.partial_fit(X, *target, **arguments)
        if name == "multi_output":
            # As `fit` sets it and `partial_fit` does not; scikit-learn's scorers want it.
            estimator.classes_ = [output.classes_ for output in estimator.estimators_]
        if name == "pipeline":
            estimator = Pipeline([("norm", Normalizer()), ("bayes", estimator)])
        _fitted[name] = estimator, scored_on
    return _fitted[name]


@pytest.fixture(scope="session")
def fitted():
    """Return what gives a fitted estimator, not to be changed, and the y to score it on."""
    return fit


@pytest.fixture(params=CASES)
def case(request):
    """Return each fitted estimator and its y in turn."""
    return fit(request.param)


@pytest.fixture(scope="session")
def rows():
    """Return the features and the weights of the rows."""
    return SimpleNamespace(X=X, weight=WEIGHT, n=N_ROWS)


@pytest.fixture(scope="session")
def blocks_of():
    """Return what cuts arrays into blocks at the given rows."""

    def cut(X, y=None, sample_weight=None, at=()):
        edges = [0, *sorted(at), X.shape[0]]
        for number, (start, stop) in enumerate(pairwise(edges)):
            rows = slice(start, stop)
            yield Block(
                X[rows],
                None if y is None else y[rows],
                None if sample_weight is None else sample_weight[rows],
                Place(number, start, stop),
            )

    return cut


class Blockwise:
    """The estimator itself, asked block by block, for scikit-learn's scorers on the whole X."""

    def __init__(self, estimator, at):
        self._estimator = estimator
        self._at = sorted(at)

    def __sklearn_tags__(self):
        return self._estimator.__sklearn_tags__()

    def __getattr__(self, name):
        method = getattr(self._estimator, name)
        if name not in ("predict", "predict_proba", "decision_function"):
            return method

        def by_block(X):
            edges = [0, *self._at, X.shape[0]]
            answers = [method(X[a:b]) for a, b in pairwise(edges) if b > a]
            if isinstance(answers[0], list):
                return [np.concatenate(column) for column in zip(*answers, strict=True)]
            return np.concatenate(answers)

        by_block.__name__ = name
        return by_block


@pytest.fixture(scope="session")
def blockwise():
    """Return what makes an estimator that answers for a whole X block by block."""
    return Blockwise
