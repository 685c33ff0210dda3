"""Columns that gradient descent cannot learn from."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_regression,
)
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import Perceptron, SGDClassifier, SGDRegressor
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import BernoulliRBM, MLPClassifier, MLPRegressor
from sklearn.preprocessing import Binarizer, MaxAbsScaler, MinMaxScaler, StandardScaler

from runner.base import Remark
from runner.fit.scale import column_scales, wild_scale

CANCER, WINE, IRIS, DIGITS = (
    load() for load in (load_breast_cancer, load_wine, load_iris, load_digits)
)
LINES = [f"def f{i % 7}(x): return x + {i}" for i in range(300)]


def standardised(X):
    return StandardScaler().fit_transform(X)


@pytest.mark.parametrize(
    "estimator",
    [SGDClassifier(), Perceptron(), MLPClassifier(), OneVsRestClassifier(Perceptron())],
)
@pytest.mark.parametrize("data", [CANCER, WINE])
def test_columns_of_unlike_scales_are_told(estimator, data):
    assert wild_scale(estimator, data.data[:100]) is not None


def test_the_worst_columns_are_named():
    remark = wild_scale(SGDClassifier(), CANCER.data[:100], list(CANCER.feature_names))
    assert remark == Remark(
        "wild-scale",
        "SGDClassifier learns little from columns around 0.0742 beside worst area (1,146), mean "
        "area (772), worst perimeter (121) and 6 more. Put standard_scaler into preprocessing.",
    )
    wine = wild_scale(SGDClassifier(), WINE.data)
    assert "beside column 12 (810)." in wine.text


@pytest.mark.parametrize(
    ("estimator", "X"),
    [
        (SGDClassifier(), DIGITS.data),
        (SGDClassifier(), DIGITS.data * 16),
        (MLPClassifier(), DIGITS.data[:50]),
        (SGDClassifier(), IRIS.data),
        (SGDClassifier(), standardised(CANCER.data)),
        (SGDRegressor(), standardised(DIGITS.data)),
        (SGDRegressor(), load_diabetes().data),
        (SGDRegressor(), make_regression(n_features=300, random_state=0)[0]),
        (MLPRegressor(), load_diabetes(scaled=False).data),
        (SGDRegressor(loss="huber"), load_diabetes(scaled=False).data),
        (SGDRegressor(eta0=1e-5), load_diabetes(scaled=False).data),
        (SGDClassifier(), HashingVectorizer(n_features=512).transform(LINES)),
        (SGDClassifier(), HashingVectorizer(n_features=512, norm=None).transform(LINES)),
        (GaussianNB(), CANCER.data),
        (SGDClassifier(), np.array(LINES)),
        (SGDClassifier(), np.array(LINES, dtype=object)[:, None]),
        (SGDClassifier(), LINES),
        (SGDClassifier(), np.zeros((5, 2))),
        (SGDClassifier(), np.full((5, 2), np.nan)),
    ],
)
def test_nothing_is_said_of_columns_that_can_be_learned_from(estimator, X):
    assert wild_scale(estimator, X) is None


def test_a_squared_loss_on_large_values_is_told_and_does_diverge():
    data = load_diabetes(scaled=False)
    remark = wild_scale(SGDRegressor(), data.data, tuple(data.feature_names))
    assert remark == Remark(
        "wild-scale",
        "SGDRegressor diverges on columns as large as s1 (192), s2 (119), bp (95.7) and 4 more "
        "with estimator.eta0=0.01. Put standard_scaler into preprocessing.",
    )
    raw = SGDRegressor(random_state=0).partial_fit(data.data, data.target)
    scaled = SGDRegressor(random_state=0).partial_fit(standardised(data.data), data.target)
    assert raw.score(data.data, data.target) < -1e6
    assert scaled.score(standardised(data.data), data.target) > 0


@pytest.mark.parametrize("data", [CANCER, WINE])
def test_what_is_advised_is_what_helps(data):
    scores = []
    for X in (data.data, standardised(data.data)):
        model = SGDClassifier(random_state=0)
        for block in np.array_split(np.random.default_rng(0).permutation(len(X)), 5):
            model.partial_fit(X[block], data.target[block], classes=np.unique(data.target))
        scores.append(model.score(X, data.target))
    assert scores[1] > scores[0] + 0.05


def test_sparse_columns_are_measured_without_their_zeros_and_told_of_another_scaler():
    X = sparse.random(200, 50, density=0.05, format="csr", random_state=0)
    dense = X.toarray()
    np.testing.assert_allclose(column_scales(X), column_scales(dense))
    assert wild_scale(SGDClassifier(), X) is None
    X[:, 3] = X[:, 3] * 10_000
    remark = wild_scale(SGDClassifier(), X.tocsr())
    assert remark.text.endswith("Put max_abs_scaler into preprocessing.")
    assert "column 3 (" in remark.text
    assert wild_scale(SGDClassifier(), MaxAbsScaler().fit_transform(X)) is None


def test_a_frame_of_numbers_is_measured_and_one_of_anything_else_is_not():
    frame = load_wine(as_frame=True).data.astype({"proline": "int64"})
    remark = wild_scale(SGDClassifier(), frame, tuple(frame.columns))
    assert "beside proline (810)." in remark.text
    assert wild_scale(SGDClassifier(), frame.assign(kind="red")) is None
    assert wild_scale(SGDClassifier(), np.arange(5.0)) is None


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_numbers_of_every_type_are_measured_in_double_precision(dtype):
    X = np.array([[200, 0], [100, 1]]).astype(dtype)
    values = X.astype(float)
    expected = [np.sqrt((values[:, 0] ** 2).mean()), 1.0]
    np.testing.assert_allclose(column_scales(X), expected)


def test_a_single_column_is_compared_with_the_intercept():
    income = np.linspace(3000, 5000, 50)[:, None]
    assert wild_scale(SGDClassifier(), income, ["income"]).text == (
        "SGDClassifier learns little from an intercept around 1 beside income (4,043). Put "
        "standard_scaler into preprocessing."
    )
    assert wild_scale(MLPClassifier(), income) is not None
    assert "diverges on columns as large as column 0 (4,043)" in (
        wild_scale(SGDRegressor(), income).text
    )
    assert wild_scale(SGDClassifier(), standardised(income)) is None
    assert wild_scale(SGDClassifier(), income / 100) is None


def test_a_boltzmann_machine_is_told_of_what_is_not_from_0_to_1():
    X = np.array([[0.0, 0.5], [1.0, -2.25]])
    assert wild_scale(BernoulliRBM(), X) == Remark(
        "wild-scale",
        "BernoulliRBM takes numbers from 0 to 1, and there are such as -2.25. Put min_max_scaler "
        "into preprocessing.",
    )
    assert "such as 5." in wild_scale(BernoulliRBM(), DIGITS.data).text
    assert wild_scale(BernoulliRBM(), sparse.csr_array(X)).text.endswith(
        "Put binarizer into preprocessing."
    )
    for scaled in (MinMaxScaler().fit_transform(X), Binarizer().transform(sparse.csr_array(X))):
        assert wild_scale(BernoulliRBM(), scaled) is None
    for none in (np.array(LINES), X[:0], pd.DataFrame({"word": ["a"]})):
        assert wild_scale(BernoulliRBM(), none) is None
