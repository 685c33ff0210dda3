"""An estimator that knows its answers by heart."""

import numpy as np
import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import get_scorer
from sklearn.utils import get_tags

from runner.evaluation.replay import Replay, ask, replay_of


def test_each_method_is_asked_once_and_score_with_the_weights(fitted, rows):
    k_means, _ = fitted("k_means")
    answers = ask(k_means, ["predict", "score"], rows.X, rows.weight)
    assert (answers["predict"] == k_means.predict(rows.X)).all()
    assert answers["score"].tolist() == [k_means.score(rows.X, sample_weight=rows.weight)]
    assert ask(k_means, ["score"], rows.X)["score"].tolist() == [k_means.score(rows.X)]


def test_a_replay_is_what_its_estimator_is(case, rows):
    estimator, _ = case
    replay = replay_of(estimator, ask(estimator, ["predict"], rows.X))
    assert get_tags(replay).estimator_type == get_tags(estimator).estimator_type
    assert (replay.predict(None) == estimator.predict(rows.X)).all()
    assert replay.predict.__name__ == "predict"
    assert not hasattr(replay, "predict_proba")
    assert not hasattr(replay, "decision_function")


def test_a_classifier_without_classes_is_not_asked_for_them():
    replay = Replay({"predict": np.array([0, 1])}, "classifier")
    assert not is_classifier(replay)
    assert not is_regressor(replay)
    assert get_scorer("accuracy")(replay, None, [0, 0]) == pytest.approx(0.5)


def test_the_classes_of_several_outputs_are_found_after_partial_fit_alone(fitted, rows):
    estimator, y = fitted("multi_output")
    classes = estimator.classes_
    del estimator.classes_
    try:
        replay = replay_of(estimator, ask(estimator, ["predict_proba"], rows.X))
    finally:
        estimator.classes_ = classes
    assert np.array_equal(replay.classes_, classes)
    assert get_scorer("roc_auc")(replay, None, y) > 0.5
