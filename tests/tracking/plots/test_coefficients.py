from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from runner.base import Part
from runner.tracking.plots.coefficients import (
    coefficients,
    coefficients_of,
    feature_names,
    largest,
)

X = np.random.default_rng(0).normal(size=(60, 4))
NAMES = ("age", "s$x", "a very long name of a column of the table", "bmi")


def part(names=None, frame=None):
    return Part(X, None, None, (), names, frame)


def linear(n_classes=2, n_features=4):
    rows = np.random.default_rng(1).normal(size=(90, n_features))
    labels = np.arange(90) % n_classes
    return SGDClassifier(random_state=0).partial_fit(rows, labels, classes=np.unique(labels))


@pytest.mark.parametrize("n_classes", [2, 3, 40])
@pytest.mark.parametrize("n_features", [1, 4, 3000])
def test_coefficients_are_drawn_of_any_number_of_labels_and_features(
    n_classes, n_features, pixels
):
    image = pixels(coefficients(linear(n_classes, n_features), part()))
    assert image.std() > 5
    assert max(image.shape) < 1300


def test_the_largest_come_first_by_the_names_of_the_columns(figures):
    drawn, model = figures("coefficients"), SGDRegressor().partial_fit(X, X[:, 0])
    model.coef_ = np.array([1.0, -5.0, 0.0, 2.0])
    coefficients(Pipeline([("scaler", StandardScaler().fit(X)), ("linear", model)]), part(NAMES))
    (axes,) = drawn[0].axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [r"s\$x", "bmi", "age", "a very long name of a column ..."]
    assert [bar.get_width() for bar in axes.patches] == [-5, 2, 1, 0]
    assert axes.get_title() == "The coefficients of 4 features"


def test_several_labels_are_the_columns_of_a_table_of_colours(figures):
    drawn, model = figures("coefficients"), linear(3, 50)
    coefficients(model, part())
    axes = drawn[0].axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "2"]
    assert axes.images[0].get_array().shape == (20, 3)
    assert axes.get_title() == "The 20 of 50 features with the largest coefficients"
    first = int(axes.get_yticklabels()[0].get_text().removeprefix("x"))
    assert abs(model.coef_[:, first]).max() == abs(model.coef_).max()


def test_sparse_coefficients_are_those_of_the_dense_ones():
    rows = np.random.default_rng(2).normal(size=(30, 500))
    for found, expected in zip(largest(sparse.csr_array(rows)), largest(rows), strict=True):
        assert (found == expected).all()
    outputs, features = largest(rows)
    assert (len(outputs), len(features)) == (25, 20)
    assert set(features) == set(np.argsort(-abs(rows).max(axis=0))[:20])


def test_what_is_not_finite_is_no_large_coefficient():
    _, features = largest(np.array([[np.nan, 1.0, np.inf, 2.0]]))
    assert features.tolist()[:2] == [3, 1]


def test_only_what_has_coefficients_has_a_picture():
    class Broken:
        @property
        def coef_(self):
            raise RuntimeError

    assert coefficients_of(GaussianNB()) is None
    assert coefficients_of(SGDClassifier()) is None
    assert coefficients_of(Broken()) is None
    for strange in ([1.0], "much", 3.0, pd.Series([1.0]), np.empty((0, 3)), np.zeros((1, 1, 1))):
        assert coefficients_of(SimpleNamespace(coef_=strange)) is None
    assert coefficients_of(linear(3)).shape == (3, 4)


def test_names_are_those_of_the_columns_of_a_frame_behind_its_stages():
    frame = pd.DataFrame({"colour": ["red", "blue"], "size": [1.0, 2.0]})
    table = ColumnTransformer(
        [("hot", OneHotEncoder(), ["colour"]), ("same", "passthrough", ["size"])]
    ).fit(frame)
    model = Pipeline([("table", table), ("linear", linear(2, 3))])
    names = feature_names(model, part(None, frame.iloc[:0]))
    assert names == ["hot__colour_blue", "hot__colour_red", "same__size"]
    assert feature_names(linear(), part(None, frame.iloc[:0])) == ["colour", "size"]


@pytest.mark.parametrize(
    "stage", [HashingVectorizer(n_features=4), FunctionTransformer(), OneHotEncoder()]
)
def test_features_without_names_are_numbered(stage, figures):
    drawn, model = figures("coefficients"), Pipeline([("stage", stage), ("linear", linear())])
    assert feature_names(model, part(NAMES)) is None
    coefficients(model, part(NAMES))
    labels = {label.get_text() for label in drawn[0].axes[0].get_yticklabels()}
    assert labels == {"x0", "x1", "x2", "x3"}


def test_names_of_which_there_is_another_number_are_not_taken(figures):
    drawn = figures("coefficients")
    coefficients(linear(2, 3), part(NAMES))
    assert {text.get_text() for text in drawn[0].axes[0].get_yticklabels()} == {"x0", "x1", "x2"}
