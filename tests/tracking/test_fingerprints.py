import joblib
import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from runner.base import Block, Place, Progress
from runner.tracking.fingerprints import content_tags, has_labels, ledger_tags, model_tags
from runner.tracking.ledger import Ledger


def test_models_that_learned_the_same_have_the_same_hash(points):
    X, y = points
    one, other, third = (
        SGDClassifier(random_state=seed).partial_fit(X, y, classes=[0, 1]) for seed in (0, 0, 1)
    )
    assert model_tags(one) == model_tags(other) != model_tags(third)
    assert list(model_tags(one)) == ["runner.model_hash"]


def test_how_an_array_lies_in_memory_makes_no_difference(points):
    X, _ = points
    layouts = [X[:9], np.asfortranarray(X)[:9], np.asfortranarray(X[:9]), X[:9].copy()]
    model = SGDClassifier()
    tags = [model_tags(model.set_params(l1_ratio=layout)) for layout in layouts]
    assert all(each == tags[0] for each in tags)
    assert model_tags(model.set_params(l1_ratio=X[1:10])) != tags[0]
    assert model_tags(X[:9]) == {"runner.model_hash": joblib.hash(X[:9])}


def test_a_model_that_cannot_be_pickled_has_no_hash():
    assert model_tags(make_pipeline(FunctionTransformer(lambda rows: rows))) == {}


def test_a_ledger_tells_the_order():
    ledger = Ledger(lambda table: None)
    ledger.on_block_end(
        Progress(), Block(np.zeros((5, 1)), None, None, Place(0, 0, 5), content=17)
    )
    assert ledger_tags(ledger) == {"runner.order_hash": ledger.order_hash()}


def test_each_part_of_the_data_has_a_tag():
    hashes = {"train": "1", "all": "2"}
    assert content_tags(hashes) == {"runner.content.train": "1", "runner.content.all": "2"}


@pytest.mark.parametrize(
    ("y", "are_labels"),
    [
        *(([0, 1], True), ([True, False], True), (["a", "b"], True)),
        *(([0.5, 1.5], False), (None, False)),
    ],
)
def test_labels_are_integers_booleans_or_text(make_part, y, are_labels):
    part = make_part(np.zeros((2, 1)), y)
    assert has_labels({"train": part}) is are_labels


def test_without_data_there_are_no_labels():
    assert not has_labels({})


def test_an_address_in_memory_makes_no_difference():
    words = HashingVectorizer(n_features=64, alternate_sign=False)
    model = make_pipeline(words, MultinomialNB()).fit(["a b", "b c"], [0, 1])
    here = model_tags(model)
    words._stop_words_id += 16  # as in another process
    assert model_tags(model) == here
    words.n_features = 32
    assert model_tags(model) != here
