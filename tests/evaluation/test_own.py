"""Our own scorers over blocks are what scikit-learn says of the whole array."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.decomposition import (
    IncrementalPCA,
    LatentDirichletAllocation,
    MiniBatchDictionaryLearning,
    MiniBatchNMF,
)
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, mean_squared_error
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler

from runner.base import Block, Place
from runner.errors import ConfigError
from runner.evaluation import own
from runner.evaluation.evaluation import Evaluation

DIGITS, DIGIT = load_digits(return_X_y=True)
DIGITS, DIGIT = DIGITS[:240], DIGIT[:240]
WEIGHT = np.random.default_rng(0).uniform(0.1, 3, len(DIGITS))
CUTS = (70, 71, 71, 200)

DECOMPOSITIONS = {
    "pca": IncrementalPCA(5),
    "whitened pca": IncrementalPCA(5, whiten=True),
    "nmf": MiniBatchNMF(5, random_state=0, max_iter=20, tol=0),
    "dictionary": MiniBatchDictionaryLearning(5, random_state=0, transform_algorithm="lars"),
    "scaled pca": make_pipeline(StandardScaler(), IncrementalPCA(5)),
}


def over(estimator, blocks, scoring=None):
    return Evaluation(scoring=scoring).over(estimator, blocks).scores


@pytest.fixture(scope="module")
def decomposition():
    """Return what gives a fitted decomposition by its name in the table."""
    fitted = {}

    def give(name):
        if name not in fitted:
            fitted[name] = DECOMPOSITIONS[name].fit(DIGITS)
        return fitted[name]

    return give


def reconstructed(estimator):
    return estimator.inverse_transform(estimator.transform(DIGITS))


@pytest.mark.parametrize("name", DECOMPOSITIONS)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_the_reconstruction_error_is_that_of_the_whole_array(
    name, weight, decomposition, blocks_of
):
    estimator = decomposition(name)
    expected = -mean_squared_error(DIGITS, reconstructed(estimator), sample_weight=weight)
    scores = over(estimator, blocks_of(DIGITS, None, weight, at=CUTS))
    # NMF's transform is iterative, and starts from the mean of the block.
    assert scores == {"neg_reconstruction_error": pytest.approx(expected, rel=1e-3)}
    if name != "nmf":
        assert scores["neg_reconstruction_error"] == pytest.approx(expected, rel=1e-12)


@given(cuts=st.lists(st.integers(0, len(DIGITS)), max_size=8), most=st.integers(1, 10_000))
@settings(deadline=None, max_examples=25)
def test_no_cut_changes_the_reconstruction_error(decomposition, blocks_of, *, cuts, most):
    estimator = decomposition("pca")
    at_once = over(estimator, blocks_of(DIGITS))["neg_reconstruction_error"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own, "MOST_NUMBERS", most)
        by_block = over(estimator, blocks_of(DIGITS, at=cuts))["neg_reconstruction_error"]
    assert by_block == pytest.approx(at_once, rel=1e-12)


@pytest.fixture(scope="module")
def parts():
    """Return digits as sums of a few parts."""
    return MiniBatchNMF(5, random_state=0, max_iter=20, tol=0).fit(DIGITS)


@pytest.mark.parametrize("form", [scipy.sparse.csr_array, scipy.sparse.csr_matrix])
def test_sparse_rows_give_what_dense_rows_give(form, parts, blocks_of):
    dense = own.ask_errors(parts, DIGITS)
    np.testing.assert_allclose(own.ask_errors(parts, form(DIGITS)), dense, rtol=1e-6)
    scores = over(parts, blocks_of(form(DIGITS), at=CUTS))
    assert scores["neg_reconstruction_error"] == pytest.approx(-dense.mean(), rel=1e-3)


def test_a_table_gives_what_its_numbers_give():
    table = pd.DataFrame(DIGITS, columns=[f"pixel {i}" for i in range(DIGITS.shape[1])])
    pca = IncrementalPCA(5).fit(table)
    expected = ((DIGITS - pca.inverse_transform(pca.transform(table))) ** 2).mean(axis=1)
    np.testing.assert_array_equal(own.ask_errors(pca, table), expected)


def test_wide_sparse_rows_are_made_dense_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(own, "MOST_NUMBERS", 1000)
    X = scipy.sparse.random_array((50, 300), density=0.05, rng=0).tocsr()
    estimator = MiniBatchNMF(3, random_state=0).partial_fit(X)
    made = []
    inverse = estimator.inverse_transform
    estimator.inverse_transform = lambda codes: made.append(len(codes)) or inverse(codes)
    errors = own.ask_errors(estimator, X)
    assert max(made) == 3
    np.testing.assert_allclose(
        errors, ((X.toarray() - inverse(estimator.transform(X))) ** 2).mean(axis=1), rtol=1e-9
    )


def test_single_precision_is_summed_in_double():
    X = DIGITS.astype(np.float32)
    assert own.ask_errors(IncrementalPCA(5).fit(X), X).dtype == np.float64


@pytest.mark.parametrize("scaler", [MaxAbsScaler(), StandardScaler(), MinMaxScaler()])
def test_a_scaler_has_no_error_and_is_scored_only_if_asked(scaler, blocks_of):
    scaler.fit(DIGITS)
    assert over(scaler, blocks_of(DIGITS, at=CUTS)) == {}
    asked = over(scaler, blocks_of(DIGITS, at=CUTS), "neg_reconstruction_error")
    assert asked["neg_reconstruction_error"] == pytest.approx(0, abs=1e-20)


def test_a_transformer_that_leaves_sparse_rows_sparse_is_scored(blocks_of):
    linear = SGDClassifier(random_state=0)
    selection = SelectFromModel(linear).fit(DIGITS, DIGIT)
    X = scipy.sparse.csr_array(DIGITS)
    left_out = DIGITS[:, ~selection.get_support()]
    asked = over(selection, blocks_of(X, DIGIT, at=CUTS), "neg_reconstruction_error")
    expected = -(left_out**2).sum() / DIGITS.size
    assert asked["neg_reconstruction_error"] == pytest.approx(expected, rel=1e-12)


@pytest.fixture(scope="module")
def topics():
    return LatentDirichletAllocation(4, random_state=0, learning_method="online").fit(DIGITS)


@given(cuts=st.lists(st.integers(0, len(DIGITS)), max_size=6), sparse=st.booleans())
@settings(deadline=None, max_examples=10)
def test_the_perplexity_is_that_of_the_whole_array(topics, blocks_of, *, cuts, sparse):
    X = scipy.sparse.csr_matrix(DIGITS) if sparse else DIGITS
    scores = over(topics, blocks_of(X, at=cuts))
    assert scores == {"neg_perplexity": pytest.approx(-topics.perplexity(DIGITS), rel=1e-9)}


def test_documents_without_words_have_no_perplexity(topics):
    block = np.zeros((3, DIGITS.shape[1]))
    assert math.isnan(Evaluation().score_block(topics, block, None, None)["neg_perplexity"])


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_the_likelihood_is_the_mean_of_the_rows(weight, blocks_of):
    X = (DIGITS > 8).astype(float)
    machine = BernoulliRBM(8, random_state=0).fit(X)
    at = [0, *CUTS, len(X)]
    answers = [machine.score_samples(X[a:b]) for a, b in pairwise(at) if b > a]
    expected = np.average(np.concatenate(answers), weights=weight)
    scores = over(machine, blocks_of(X, None, weight, at=CUTS))
    assert scores == {"mean_log_likelihood": expected}


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (SGDClassifier(), "neg_reconstruction_error"),
        (BernoulliRBM(), "neg_reconstruction_error"),
        (IncrementalPCA(), "neg_perplexity"),
        (StandardScaler(), "mean_log_likelihood"),
        (LatentDirichletAllocation(), "neg_inertia"),
    ],
)
def test_a_scorer_that_the_estimator_cannot_answer_is_refused(estimator, name):
    with pytest.raises(ConfigError, match=rf"^evaluation\.scoring must .* got '{name}', "):
        Evaluation(scoring=name).check(estimator, has_target=False)


PARTS = np.column_stack([DIGIT % 3, DIGIT // 4, DIGIT > 4]).astype(int)


@pytest.fixture(scope="module")
def several():
    """Return a classifier of three outputs, one of which has two classes."""
    estimator = MultiOutputClassifier(SGDClassifier(random_state=0))
    return estimator.partial_fit(DIGITS, PARTS, classes=[[0, 1, 2], [0, 1, 2], [0, 1]])


@pytest.mark.parametrize("text", [False, True])
def test_accuracy_of_several_outputs_is_that_of_the_classifier(text, several, blocks_of):
    y = PARTS
    if text:
        y = np.array(["low", "mid", "top"])[PARTS]
        several = MultiOutputClassifier(SGDClassifier(random_state=0)).fit(DIGITS, y)
    found = Evaluation().over(several, blocks_of(DIGITS, y, at=CUTS))
    assert found.scores == {"accuracy": several.score(DIGITS, y)}
    assert 0.3 < found.scores["accuracy"] < 1


def test_a_row_of_several_outputs_counts_by_its_weight(several, blocks_of):
    right = (several.predict(DIGITS) == PARTS).all(axis=1)
    scores = over(several, blocks_of(DIGITS, PARTS, WEIGHT, at=CUTS))
    assert scores == {"accuracy": np.average(right, weights=WEIGHT)}
    block = Evaluation().score_block(several, DIGITS, PARTS, WEIGHT)
    assert block == scores


@given(st.data(), st.integers(1, 30), st.integers(1, 4), st.booleans())
@settings(deadline=None, max_examples=40)
def test_accuracy_has_the_bits_of_scikit_learn_where_it_is_defined(data, size, outputs, weighted):
    draw = st.lists(st.integers(0, 1), min_size=size * outputs, max_size=size * outputs)
    y, predicted = (np.array(data.draw(draw)).reshape(size, outputs) for _ in range(2))
    weight = WEIGHT[:size] if weighted else None
    for pair in ((y, predicted), (y[:, 0], predicted[:, 0])):
        expected = accuracy_score(*pair, sample_weight=weight)
        assert own.accuracy(*pair, sample_weight=weight) == expected


def test_a_block_of_one_row_is_enough(several):
    block = Block(DIGITS[:1], PARTS[:1], None, Place(0, 0, 1))
    assert over(several, iter([block]))["accuracy"] in (0, 1)
