"""Each remedy answers what scikit-learn really says, and helps."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import LatentDirichletAllocation, MiniBatchNMF
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, OneHotEncoder, StandardScaler

from runner.remedies import REMEDIES, remedy_of

X = np.random.default_rng(0).normal(size=(20, 4))
Y = np.arange(20) % 2
CODES = np.array([[0], [1]])
WORDS = pd.DataFrame({"word": ["red", "blue"], "n": [1.0, 2.0]})
FRAME = pd.DataFrame({"m": X[:, 0], "n": X[:, 1]})
LINES = ["a red cat", "a blue dog"]
BOTH = {"classes": [0, 1]}


def learned_codes(**settings):
    return CategoricalNB(**settings).partial_fit(CODES, [0, 1], **BOTH)


CASES = [
    (MultinomialNB(), lambda e: e.partial_fit(X, Y, **BOTH), "min_max_scaler"),
    (ComplementNB(), lambda e: e.partial_fit(X, Y, **BOTH), "alternate_sign=false"),
    (LatentDirichletAllocation(2), lambda e: e.partial_fit(X), "min_max_scaler"),
    (MiniBatchNMF(2), lambda e: e.partial_fit(X), "min_max_scaler"),
    (CategoricalNB(), lambda e: e.partial_fit(-CODES, [0, 1], **BOTH), "ordinal_encoder"),
    (learned_codes(), lambda e: e.predict([[5]]), "min_categories"),
    (Pipeline([("nb", learned_codes())]), lambda e: e.predict([[5]]), "min_categories"),
    (StandardScaler(), lambda e: e.partial_fit(sparse.csr_array(X)), "with_mean=false"),
    (SGDRegressor(), lambda e: e.partial_fit(X, X[:, :2]), "multi_output_regressor"),
    (GaussianNB(), lambda e: e.partial_fit(X, np.c_[Y, Y], **BOTH), "multi_output_classifier"),
    (MultiOutputRegressor(SGDRegressor()), lambda e: e.partial_fit(X, X[:, 0]), "alone"),
    (
        MultiOutputClassifier(SGDClassifier()),
        lambda e: e.partial_fit(X, Y, classes=[[0, 1]]),
        "alone",
    ),
    (SGDRegressor(), lambda e: e.partial_fit(WORDS, [0, 1]), "one_hot_encoder"),
    (SGDRegressor(), lambda e: e.partial_fit(CODES, ["a", "b"]), "choose a classifier"),
    (GaussianNB(), lambda e: e.partial_fit(X, Y, **BOTH).predict(X[:, 1:]), "same columns"),
    (SGDRegressor(), lambda e: e.partial_fit(FRAME, Y).predict(FRAME[["n", "m"]]), "same order"),
    (HashingVectorizer(), lambda e: e.transform(X), "lines of text"),
    (HashingVectorizer(), lambda e: e.transform(WORDS.to_numpy(object)), "ColumnTransformer"),
]


@pytest.mark.parametrize(("estimator", "call", "remedy"), CASES)
def test_what_scikit_learn_says_is_answered(estimator, call, remedy):
    with pytest.raises((ValueError, IndexError, AttributeError)) as caught:
        call(estimator)
    assert remedy in remedy_of(caught.value, estimator, "nothing")


def test_each_row_answers_something_that_scikit_learn_says():
    met = set()
    for estimator, call, _ in CASES:
        with pytest.raises((ValueError, IndexError, AttributeError)) as caught:
            call(estimator)
        met.add(remedy_of(caught.value, estimator, "nothing"))
    assert met == {remedy for _, remedy in REMEDIES}


def test_an_index_error_of_another_estimator_has_no_remedy_here():
    assert remedy_of(IndexError("index 5"), SGDClassifier(), "Mend it.") == "Mend it."


HELP = [
    lambda: MultinomialNB().partial_fit(MinMaxScaler(clip=True).fit_transform(X), Y, **BOTH),
    lambda: ComplementNB().partial_fit(
        HashingVectorizer(alternate_sign=False).transform(LINES), [0, 1], **BOTH
    ),
    lambda: learned_codes(min_categories=6).predict([[5]]),
    lambda: StandardScaler(with_mean=False).partial_fit(sparse.csr_array(X)),
    lambda: MaxAbsScaler().partial_fit(sparse.csr_array(X)),
    lambda: MultiOutputRegressor(SGDRegressor()).fit(X, X[:, :2]),
    lambda: SGDRegressor().partial_fit(OneHotEncoder().fit_transform(WORDS), [0, 1]),
    lambda: ColumnTransformer([("word", HashingVectorizer(), "word")]).fit_transform(WORDS),
]


@pytest.mark.parametrize("helps", HELP)
def test_what_is_advised_is_accepted(helps):
    assert helps() is not None
