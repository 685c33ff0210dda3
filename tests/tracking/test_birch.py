import numpy as np
import pytest
import skops.io
from sklearn.cluster import Birch, MiniBatchKMeans
from sklearn.datasets import load_iris
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from runner.tracking.birch import without_tree

X = load_iris().data


@pytest.fixture
def birch():
    model = Birch(n_clusters=3)
    mixed = np.random.default_rng(0).permutation(X)
    for rows in np.array_split(mixed, 5):
        model.partial_fit(rows)
    return model


def read_back(model):
    written = skops.io.dumps(model)
    assert skops.io.get_untrusted_types(data=written) == []
    return skops.io.loads(written)


def test_a_birch_without_its_tree_is_written_and_answers_the_same_bits(birch):
    kept = read_back(without_tree(birch))
    assert (kept.predict(X) == birch.predict(X)).all()
    assert (kept.transform(X) == birch.transform(X)).all()


def test_the_birch_that_learned_keeps_its_tree_and_learns_on(birch):
    without_tree(birch)
    assert birch.partial_fit(X[:20]) is birch


def test_a_birch_at_the_end_of_a_pipeline_is_written_too(birch):
    model = Pipeline([("scaler", MinMaxScaler().fit(X)), ("estimator", birch)])
    kept = read_back(without_tree(model))
    assert (kept.predict(X) == model.predict(X)).all()
    assert hasattr(model[-1], "root_")


def test_any_other_model_is_left_as_it_is():
    model = Pipeline([("estimator", MiniBatchKMeans())])
    assert without_tree(model) is model
    assert without_tree(model[-1]) is model[-1]
