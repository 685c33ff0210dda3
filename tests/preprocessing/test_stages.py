"""Stateless stages, and the one model they make with the estimator."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import Binarizer, Normalizer, StandardScaler

from runner.errors import ConfigError
from runner.preprocessing.stages import check_stages, pipeline, transform_by


def test_the_pipeline_predicts_from_raw_rows_what_the_estimator_does_from_prepared_ones():
    lines = np.array(["a b", "b c", "a", "c"], dtype=object)
    stages = {"hashing": HashingVectorizer(n_features=16)}
    transform = transform_by(stages)
    estimator = SGDClassifier(random_state=0).partial_fit(
        transform(lines), [0, 1, 0, 1], classes=[0, 1]
    )
    model = pipeline(stages, estimator)
    assert list(model.named_steps) == ["hashing", "estimator"]
    np.testing.assert_array_equal(model.predict(lines), estimator.predict(transform(lines)))


def test_without_stages_the_model_is_the_estimator_itself():
    estimator = SGDClassifier()
    assert pipeline({}, estimator) is estimator
    assert transform_by({}) is None


@pytest.mark.parametrize("stage", [HashingVectorizer(), Normalizer(), Binarizer()])
def test_stages_that_need_no_fitting_pass(stage):
    check_stages({"stage": stage})


@pytest.mark.parametrize("stage", [StandardScaler(), SGDClassifier(), object()])
def test_any_other_stage_is_refused(stage):
    with pytest.raises(ConfigError) as caught:
        check_stages({"first": Normalizer(), "scaler": stage})
    assert str(caught.value) == (
        "preprocessing.scaler must be a transformer that needs no fitting, such as "
        f"HashingVectorizer or Normalizer; got {type(stage).__name__}. Choose a stateless one, "
        "or prepare these features at the source."
    )
