"""What kind of estimator something is; the whole table is beside the scorers."""

import pytest
from sklearn.cluster import MiniBatchKMeans
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from runner.kinds import kind_of, last_step, make_tuples


def test_the_last_step_of_a_pipeline_of_pipelines():
    last = SGDClassifier()
    inner = make_pipeline(Normalizer(), last)
    assert last_step(make_pipeline(Normalizer(), inner)) is last
    assert last_step(last) is last


@pytest.mark.parametrize(("model", "kind"), [(None, None), (MiniBatchKMeans(), "clusterer")])
def test_an_object_that_breaks_when_asked_for_its_kind_has_none(model, kind):
    assert kind_of(model) == kind


def test_what_scikit_learn_does_not_validate_is_left_alone():
    hashing = HashingVectorizer(ngram_range=[1, 2])
    make_tuples(hashing)
    assert hashing.ngram_range == (1, 2)
