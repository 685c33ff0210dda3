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

from runner.base import Block, Place, Remark
from runner.fit.scale import Scales, column_scales, wild_scale

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


def blocks_of(*Xs):
    return [Block(X, None, None, Place(i, 50 * i, 50 * i + 50)) for i, X in enumerate(Xs)]


def told_of(estimator, *Xs, names=None):
    scales = Scales(estimator, names)
    return [scales(block) for block in blocks_of(*Xs)]


def normal(scale=1.0, column=None, seed=0):
    X = np.random.default_rng(seed).normal(size=(50, 4))
    X[:, slice(None) if column is None else column] *= scale
    return X


@pytest.mark.parametrize(
    "as_held", [np.asarray, np.asfortranarray, pd.DataFrame, sparse.csr_array]
)
@pytest.mark.parametrize("estimator", [SGDClassifier(), MLPClassifier(), Perceptron()], ids=str)
def test_a_column_that_grows_in_a_later_block_is_told_once(estimator, as_held):
    Xs = [normal(), normal(seed=1), normal(1e6, column=2), normal(1e6, column=2)]
    first, second, third, fourth = told_of(estimator, *map(as_held, Xs))
    assert first is second is fourth is None
    scale = np.sqrt(np.mean(Xs[2][:, 2] ** 2))
    assert third.text.startswith(
        f"Block 2 (rows 100 to 149) holds column 2 ({scale:,.0f}), and the first block columns "
        "around 0.846: "
    )
    assert f"{type(estimator).__name__} forgets" in third.text


def test_a_column_of_a_later_block_is_named():
    *_, told = told_of(SGDClassifier(), normal(), normal(1e3, column=1), names=list("abcd"))
    assert "holds b (" in told.text


def test_the_first_block_is_told_of_as_before_and_no_other_after_it():
    wild = normal(1e6, column=2)
    assert told_of(SGDClassifier(), wild, wild) == [wild_scale(SGDClassifier(), wild), None]


def test_a_later_block_on_which_a_squared_loss_diverges_is_told():
    estimator = SGDRegressor()
    assert told_of(estimator, normal(), normal(5.0)) == [None, None]
    assert "forgets" in told_of(estimator, normal(), normal(50.0))[1].text
    assert told_of(SGDClassifier(), normal(), normal(50.0)) == [None, None]


@pytest.mark.parametrize(
    ("estimator", "X"),
    [
        (GaussianNB(), normal(1e6)),
        (SGDClassifier(), normal(20.0, column=2)),
        (SGDClassifier(), np.zeros((50, 4))),
        (SGDClassifier(), np.array([["a"] * 4] * 50, dtype=object)),
        (SGDClassifier(), np.where(np.eye(50, 4) > 0, np.nan, 1.0)),
    ],
    ids=["no gradient", "twenty times", "zeros", "text", "NaN, which is refused elsewhere"],
)
def test_nothing_is_said_of_later_blocks_that_are_no_worse(estimator, X):
    assert told_of(estimator, normal(), X, X) == [None] * 3


def test_nothing_is_said_after_a_first_block_without_a_scale():
    assert told_of(SGDClassifier(), np.zeros((50, 4)), normal(1e6)) == [None, None]


def test_what_is_told_of_a_later_block_is_true():
    Xs = [normal(seed=i) for i in range(8)]
    ys = [(X[:, 0] > 0).astype(int) for X in Xs]
    alone, spoiled = (SGDClassifier(random_state=0) for _ in range(2))
    for i, (X, y) in enumerate(zip(Xs, ys, strict=True)):
        alone.partial_fit(X, y, classes=[0, 1])
        wild = X * np.where(i == 7, [1, 1, 1e4, 1], 1.0)
        spoiled.partial_fit(wild, y, classes=[0, 1])
    X, y = np.concatenate(Xs), np.concatenate(ys)
    assert alone.score(X, y) > 0.9
    assert spoiled.score(X, y) < 0.7
