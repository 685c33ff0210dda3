"""Lazy answers have the shapes, the types and the blocks that they say they have."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import IncrementalPCA, LatentDirichletAllocation
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import CategoricalNB
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from runner.blockwise import METHODS, Computed, answer
from runner.errors import DatasetError, FitError

rng = np.random.default_rng(0)
X = rng.integers(0, 3, size=(60, 6)).astype(float)
y = np.arange(60) % 3
Y = np.column_stack([y, y % 2])
ROWS = da.from_array(X, chunks=((25, 0, 25, 10), (3, 3)))

FITTED = [
    SGDClassifier(loss="log_loss", random_state=0).fit(X, y),
    SGDClassifier(random_state=0).fit(X, y % 2),
    SGDClassifier(random_state=0).fit(X, np.array(["a", "bcd", "ef"])[y]),
    MLPClassifier((3,), max_iter=300, tol=1.0, random_state=0).fit(X.astype("f4"), y),
    SGDRegressor(random_state=0).fit(X, y),
    MultiOutputClassifier(SGDClassifier(loss="log_loss", random_state=0)).fit(X, Y),
    MultiOutputRegressor(SGDRegressor(random_state=0)).fit(X, Y),
    MiniBatchKMeans(4, random_state=0).fit(X),
    LatentDirichletAllocation(3, random_state=0).fit(X),
    IncrementalPCA(2).fit(X),
    OneHotEncoder(categories=[[0.0, 1.0, 2.0]] * 6).fit(X),
    OneHotEncoder().fit(X + 1),
    StandardScaler().set_output(transform="pandas").fit(X),
    CategoricalNB().fit(X, y),
]


def same(lazy, whole, rows=ROWS):
    """See that a lazy answer is what it declares, and what the estimator says of all rows."""
    if isinstance(whole, list):
        for one, other in zip(lazy, whole, strict=True):
            same(one, other, rows)
        return
    assert isinstance(lazy, da.Array)
    assert lazy.chunks[0] == rows.chunks[0]
    assert lazy.shape == whole.shape
    computed = lazy.compute(scheduler="sync")
    assert type(computed) is (type(whole) if scipy.sparse.issparse(whole) else np.ndarray)
    assert lazy.dtype == computed.dtype
    if scipy.sparse.issparse(whole):
        computed, whole = computed.toarray(), whole.toarray()
    assert computed.shape == whole.shape
    np.testing.assert_allclose(computed, whole) if computed.dtype.kind == "f" else (
        np.testing.assert_array_equal(computed, whole)
    )


@pytest.mark.parametrize("estimator", FITTED, ids=str)
def test_a_lazy_answer_is_that_of_the_whole_in_the_blocks_of_the_rows(estimator):
    codes = X + 1 if getattr(estimator, "categories", "") == "auto" else X
    dtype = "f4" if isinstance(estimator, MLPClassifier) else "f8"
    rows, whole = (ROWS + (codes - X)).astype(dtype), codes.astype(dtype)
    asked = [m for m in METHODS if hasattr(estimator, m) and m != "inverse_transform"]
    assert asked
    for method in asked:
        told = getattr(estimator, method)(whole)
        same(answer(estimator, method, rows), getattr(told, "to_numpy", lambda t=told: t)())


def test_rows_can_be_had_back():
    pca = IncrementalPCA(2).fit(X)
    codes = answer(pca, "transform", ROWS)
    same(answer(pca, "inverse_transform", codes), pca.inverse_transform(pca.transform(X)))


def test_lines_of_text_become_rows():
    lines = da.from_array(np.array(["a b", "c", "d e"], dtype=object), chunks=2)
    stage = HashingVectorizer(n_features=8)
    same(answer(stage, "transform", lines), stage.transform(lines.compute()), lines)


def test_sparse_blocks_are_answered():
    rows = da.from_array(X, chunks=(20, 6)).map_blocks(scipy.sparse.csr_matrix)
    model = SGDClassifier(random_state=0).fit(X, y)
    same(answer(model, "predict", rows), model.predict(X), rows)


def test_of_a_dataframe_the_sizes_stay_unknown_and_names_are_passed():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = SGDClassifier(random_state=0).fit(frame, y)
    told = answer(model, "decision_function", dd.from_pandas(frame, npartitions=3))
    assert [len(sizes) for sizes in told.chunks] == [3, 1]
    assert np.isnan(told.shape[0])
    assert told.shape[1] == 3
    np.testing.assert_allclose(told.compute(), model.decision_function(frame))


def test_rows_in_memory_are_answered_at_once():
    model = SGDRegressor(random_state=0).fit(X, y)
    assert isinstance(answer(model, "predict", X), np.ndarray)


def test_a_lazy_answer_is_that_of_the_estimator_as_it_was():
    model = SGDRegressor(random_state=0).partial_fit(X, y)
    before, lazy = model.predict(X), answer(model, "predict", ROWS)
    model.partial_fit(X, -100 * y)
    np.testing.assert_allclose(lazy.compute(), before)


def test_a_given_example_is_believed_and_nothing_asked():
    class Silent:
        def predict(self, X):
            raise AssertionError("asked")

    told = answer(Silent(), "predict", ROWS, meta=pd.Series([1], dtype="int8"))
    assert (told.dtype, told.shape) == (np.int8, (60,))


def test_a_row_of_the_data_is_asked_about_only_where_zeros_are_refused():
    read = []

    def load(i):
        read.append(i)
        return X[:10] + 1

    from dask import delayed

    rows = da.concatenate([da.from_delayed(delayed(load)(i), (10, 6), float) for i in range(3)])
    answer(StandardScaler().fit(X), "transform", rows)
    assert read == []
    answer(OneHotEncoder().fit(X + 1), "transform", rows)
    assert read == [0]


def test_a_block_that_is_refused_is_named():
    wrong = X.copy()
    wrong[30] = np.nan
    told = answer(FITTED[0], "predict", da.from_array(wrong, chunks=(25, 6)))
    with pytest.raises(FitError, match="Block 1 must hold rows as SGDClassifier learned them"):
        told.compute(scheduler="sync")
    with pytest.raises(FitError, match="Block 0 must hold rows"):
        answer(FITTED[0], "predict", ROWS[:, :4])


def test_without_rows_there_is_nothing_to_ask_about():
    with pytest.raises(DatasetError, match="X must have at least one row"):
        answer(FITTED[11], "transform", da.zeros((0, 6)))


def test_a_scorer_gets_arrays_in_memory():
    stand_in = Computed(FITTED[0])
    np.testing.assert_array_equal(stand_in.predict(ROWS), FITTED[0].predict(X))
    np.testing.assert_array_equal(stand_in.classes_, [0, 1, 2])
    lists = Computed(FITTED[5]).predict_proba(ROWS)
    assert [type(each) for each in lists] == [np.ndarray] * 2
    assert not hasattr(Computed(FITTED[4]), "predict_proba")
