"""What scorers there are and which suit what."""

import warnings
from inspect import signature

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import Birch, MiniBatchKMeans
from sklearn.decomposition import (
    IncrementalPCA,
    LatentDirichletAllocation,
    MiniBatchDictionaryLearning,
    MiniBatchNMF,
)
from sklearn.linear_model import Perceptron, SGDClassifier, SGDOneClassSVM, SGDRegressor
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.utils import all_estimators

from runner.errors import ConfigError
from runner.evaluation.scorers import (
    CLUSTERING,
    LIKELIHOOD,
    OWN,
    PERPLEXITY,
    RECONSTRUCTION,
    REGRESSION,
    defaults,
    scorer,
)
from runner.evaluation.suitability import check_suitable
from runner.kinds import kind_of


class Bare:
    """A third-party estimator that knows nothing of scikit-learn."""

    def partial_fit(self, X, y):
        pass

    def predict(self, X):
        return np.zeros(X.shape[0])


class TakesClasses(Bare):
    def partial_fit(self, X, y, classes=None):
        pass


class Says(Bare):
    _estimator_type = "regressor"


class Tagged(BaseEstimator, TakesClasses):
    """One that has scikit-learn's tags and leaves its kind open."""


def behind_normalizer(estimator):
    return Pipeline([("norm", Normalizer()), ("last", estimator)])


@pytest.mark.parametrize(
    ("estimator", "kind"),
    [
        (SGDClassifier(), "classifier"),
        (OneVsRestClassifier(SGDClassifier()), "classifier"),
        (MultiOutputRegressor(SGDRegressor()), "regressor"),
        (MiniBatchKMeans(), "clusterer"),
        (SGDOneClassSVM(), "outlier_detector"),
        (LatentDirichletAllocation(), None),
        (behind_normalizer(GaussianNB()), "classifier"),
        (behind_normalizer(behind_normalizer(SGDRegressor())), "regressor"),
        (behind_normalizer(TakesClasses()), "classifier"),
        (behind_normalizer("passthrough"), None),
        (Bare(), None),
        (TakesClasses(), "classifier"),
        (Says(), "regressor"),
        (Tagged(), "classifier"),
        (object(), None),
    ],
)
def test_the_kind_of_an_estimator(estimator, kind):
    assert kind_of(estimator) == kind


def test_classes_tell_a_fitted_classifier():
    estimator = Bare()
    estimator.classes_ = np.array([0, 1])
    assert kind_of(estimator) == "classifier"


@pytest.mark.parametrize(
    ("estimator", "has_target", "names"),
    [
        (SGDClassifier(), True, ["accuracy"]),
        (SGDClassifier(), False, []),
        (Perceptron(), True, ["accuracy"]),
        (behind_normalizer(GaussianNB()), True, ["accuracy"]),
        (TakesClasses(), True, ["accuracy"]),
        (SGDRegressor(), True, ["r2", "neg_root_mean_squared_error"]),
        (MiniBatchKMeans(), True, ["adjusted_rand_score", "v_measure_score"]),
        (MiniBatchKMeans(), False, ["neg_inertia"]),
        (behind_normalizer(MiniBatchKMeans()), False, ["neg_inertia"]),
        (Birch(), True, ["adjusted_rand_score", "v_measure_score"]),
        (Birch(), False, []),
        (SGDOneClassSVM(), True, []),
        (IncrementalPCA(), True, [RECONSTRUCTION]),
        (IncrementalPCA(), False, [RECONSTRUCTION]),
        (behind_normalizer(MiniBatchNMF()), False, []),
        (
            Pipeline([("scale", StandardScaler()), ("pca", IncrementalPCA())]),
            True,
            [RECONSTRUCTION],
        ),
        (MiniBatchDictionaryLearning(), False, [RECONSTRUCTION]),
        (LatentDirichletAllocation(), False, [PERPLEXITY]),
        (BernoulliRBM(), False, [LIKELIHOOD]),
        (StandardScaler(), False, []),
        (Bare(), True, []),
    ],
)
def test_the_default_scorers(estimator, has_target, names):
    assert defaults(estimator, has_target) == names
    for name in names:
        assert hasattr(estimator, scorer(name).method(estimator))
        check_suitable(scorer(name), estimator, has_target)


def test_the_estimators_of_scikit_learn_without_a_default_score():
    unscored = set()
    for name, kind in all_estimators():
        if hasattr(kind, "partial_fit"):
            inner = (
                {"estimator": SGDRegressor()} if "estimator" in signature(kind).parameters else {}
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)
                if not defaults(kind(**inner), has_target=True):
                    unscored.add(name)
    assert unscored == {
        "HashingVectorizer",
        "MaxAbsScaler",
        "MinMaxScaler",
        "SGDOneClassSVM",
        "SelectFromModel",
        "StandardScaler",
    }


def test_the_families_name_only_scorers_of_scikit_learn():
    names = set(get_scorer_names())
    assert names >= CLUSTERING
    assert names >= REGRESSION
    assert not CLUSTERING & REGRESSION


def test_each_scorer_is_of_the_family_that_scikit_learn_files_it_under():
    modules = {
        "sklearn.metrics._classification": "classification",
        "sklearn.metrics._ranking": "classification",
        "sklearn.metrics._scorer": "classification",
        "sklearn.metrics._regression": "regression",
        "sklearn.metrics.cluster._supervised": "clustering",
    }
    for name in get_scorer_names():
        theirs = get_scorer(name)
        assert scorer(name).family == modules[theirs._score_func.__module__], name


def test_our_accuracy_is_asked_as_scikit_learns():
    ours, theirs = scorer("accuracy"), get_scorer("accuracy")
    assert ours.methods == (theirs._response_method,)
    assert ours.weighted
    assert ours.counts_labels


@pytest.mark.parametrize("name", OWN)
def test_scorers_of_our_own_need_no_target(name):
    assert not scorer(name).needs_target
    assert not scorer(name).counts_labels
    assert scorer(name).name == name
    assert scorer("accuracy").needs_target


def test_a_scorer_takes_the_first_method_that_the_estimator_has():
    assert scorer("roc_auc").method(SGDClassifier()) == "decision_function"
    assert scorer("roc_auc").method(GaussianNB()) == "predict_proba"


@pytest.mark.parametrize(
    ("name", "meant"),
    [("acuracy", "accuracy"), ("neg_inertias", "neg_inertia"), ("log_loss", "neg_log_loss")],
)
def test_an_unknown_name_gets_the_nearest_ones(name, meant):
    with pytest.raises(ConfigError) as raised:
        scorer(name)
    assert str(raised.value).startswith(
        "evaluation.scoring must name scorers of scikit-learn, or neg_inertia, "
        "neg_reconstruction_error, neg_perplexity, mean_log_likelihood; "
        f"got '{name}'. "
    )
    assert f"'{meant}'" in str(raised.value)


@pytest.mark.parametrize(
    ("estimator", "name", "told"),
    [
        (
            SGDClassifier(),
            "neg_log_loss",
            "must name scorers that SGDClassifier can answer as it is set; got 'neg_log_loss', "
            "which needs predict_proba. Set estimator.loss=log_loss, or leave neg_log_loss out.",
        ),
        (
            Perceptron(),
            "roc_auc_ovr",
            "must name scorers that Perceptron can answer as it is set; got 'roc_auc_ovr', which "
            "needs predict_proba. Take an estimator that gives probabilities, such as "
            "SGDClassifier with loss=log_loss, or leave roc_auc_ovr out.",
        ),
        (
            Bare(),
            "roc_auc",
            "must name scorers that Bare can answer as it is set; got 'roc_auc', which needs "
            "decision_function or predict_proba. Leave roc_auc out, or take another estimator.",
        ),
        (
            IncrementalPCA(),
            "accuracy",
            "must name scorers that IncrementalPCA can answer as it is set; got 'accuracy', which "
            "needs predict. Leave accuracy out, or take another estimator.",
        ),
    ],
)
def test_a_method_that_is_missing_is_told_with_what_to_set(estimator, name, told):
    with pytest.raises(ConfigError) as raised:
        scorer(name).method(estimator)
    assert str(raised.value) == f"evaluation.scoring {told}"
