"""What is refused before the first block."""

import numpy as np
import pytest
from sklearn.cluster import Birch, MiniBatchKMeans
from sklearn.linear_model import SGDClassifier, SGDOneClassSVM, SGDRegressor
from sklearn.metrics import get_scorer_names

from runner.errors import ConfigError
from runner.evaluation.scorers import scorer
from runner.evaluation.suitability import check_defined, check_suitable

REFUSED = [
    (
        SGDClassifier(),
        True,
        "r2",
        "name scorers that suit a classifier; got 'r2', of regression, for SGDClassifier. "
        "Choose others, or set evaluation.scoring=null for accuracy.",
    ),
    (
        SGDRegressor(),
        True,
        "accuracy",
        "name scorers that suit a regressor; got 'accuracy', of classification, for "
        "SGDRegressor. Choose others, or set evaluation.scoring=null for r2 and "
        "neg_root_mean_squared_error.",
    ),
    (
        MiniBatchKMeans(),
        False,
        "accuracy",
        "name scorers that suit a clusterer; got 'accuracy', of classification, for "
        "MiniBatchKMeans. Choose others, or set evaluation.scoring=null for neg_inertia.",
    ),
    (
        SGDOneClassSVM(),
        True,
        "r2",
        "name scorers that suit an outlier detector; got 'r2', of regression, for "
        "SGDOneClassSVM. Leave r2 out.",
    ),
    (
        object(),
        True,
        "neg_inertia",
        "name scorers that suit this estimator; got 'neg_inertia', of inertia, for object. "
        "Leave neg_inertia out.",
    ),
    (
        SGDClassifier(),
        False,
        "accuracy",
        "name only scorers that need no y where the dataset has none; got 'accuracy'. "
        "Leave accuracy out.",
    ),
    (
        MiniBatchKMeans(),
        False,
        "rand_score",
        "name only scorers that need no y where the dataset has none; got 'rand_score'. "
        "Choose others, or set evaluation.scoring=null for neg_inertia.",
    ),
    (
        Birch(),
        False,
        "neg_inertia",
        "name scorers that Birch can answer as it is set; got 'neg_inertia', which needs score. "
        "Leave neg_inertia out, or take another estimator.",
    ),
]


@pytest.mark.parametrize(("estimator", "has_target", "name", "told"), REFUSED)
def test_a_scorer_that_does_not_fit_is_refused(estimator, has_target, name, told):
    with pytest.raises(ConfigError) as raised:
        check_suitable(scorer(name), estimator, has_target)
    assert str(raised.value) == f"evaluation.scoring must {told}"


def test_an_outlier_detector_is_scored_as_a_classifier():
    check_suitable(scorer("f1"), SGDOneClassSVM(), has_target=True)
    check_suitable(scorer("roc_auc"), SGDOneClassSVM(), has_target=True)


def test_any_scorer_is_allowed_where_the_kind_is_unknown():
    class Bare:
        def predict(self, X):
            return X

    for name in ("accuracy", "r2", "rand_score"):
        check_suitable(scorer(name), Bare(), has_target=True)


@pytest.mark.parametrize(
    ("name", "classes", "told"),
    [
        (
            "f1",
            [0, 1, 2],
            "3 classes such as 0; got 'f1' (Target is multiclass but average='binary'. Please "
            "choose another average setting, one of [None, 'micro', 'macro', 'weighted']). "
            "Try f1_macro or f1_micro or f1_weighted.",
        ),
        (
            "precision",
            ["no", "yes"],
            "2 classes such as 'no'; got 'precision' (pos_label=1 is not a valid label: It should "
            "be one of ['no' 'yes']). Try precision_macro or precision_micro or "
            "precision_weighted.",
        ),
        (
            "roc_auc",
            [0, 1, 2],
            "3 classes such as 0; got 'roc_auc' (multi_class must be in ('ovo', 'ovr')). Try "
            "roc_auc_ovo or roc_auc_ovo_weighted or roc_auc_ovr or roc_auc_ovr_weighted.",
        ),
        (
            "positive_likelihood_ratio",
            [0, 1, 2],
            "3 classes such as 0; got 'positive_likelihood_ratio' (class_likelihood_ratios only "
            "supports binary classification problems, got targets of type: multiclass). Leave "
            "positive_likelihood_ratio out.",
        ),
    ],
)
def test_a_scorer_that_is_not_defined_for_the_labels_is_refused(name, classes, told):
    with pytest.raises(ConfigError) as raised:
        check_defined(scorer(name), SGDClassifier(loss="log_loss"), classes)
    start = "evaluation.scoring must name scorers that are defined for "
    assert str(raised.value) == start + told


def test_what_is_proposed_instead_can_be_answered():
    with pytest.raises(ConfigError, match=r"Leave roc_auc out\.$"):
        check_defined(scorer("roc_auc"), SGDClassifier(loss="hinge"), [0, 1, 2])
    with pytest.raises(ConfigError, match=r"Try f1_macro or"):
        check_defined(scorer("f1_samples"), SGDClassifier(), [0, 1, 2])


def test_two_numbered_classes_are_refused_by_no_scorer_of_one_column():
    for name in get_scorer_names():
        if not name.endswith("_samples"):
            check_defined(scorer(name), SGDClassifier(loss="log_loss"), np.array([0, 1]))


def test_one_class_is_left_to_the_rows():
    check_defined(scorer("f1"), SGDClassifier(), ["only"])
