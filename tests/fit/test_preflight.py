"""What is refused before the first block."""

import warnings

import numpy as np
import pytest
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor

from runner.errors import ConfigError, RunnerWarning
from runner.fit.preflight import check_fit


@pytest.fixture
def part(make_part):
    return make_part(np.ones((50, 3)), np.arange(50) % 2)


@pytest.mark.parametrize(
    ("estimator", "arguments", "said"),
    [
        (
            KNeighborsClassifier(),
            {"classes": [0, 1]},
            "The estimator must learn block by block, with a partial_fit method; got "
            "KNeighborsClassifier, which has none. Choose one that has, such as SGDClassifier; "
            "`runner list` shows them.",
        ),
        (
            SGDClassifier(),
            {"clases": [0, 1]},
            "partial_fit.clases must be an argument of SGDClassifier.partial_fit; got 'clases'. "
            "Did you mean 'classes'?",
        ),
        (
            SGDClassifier(),
            {},
            "partial_fit.classes must list every label, because no single block need hold them "
            "all; got nothing. Write partial_fit: {classes: [0, 1]}, with the labels of your "
            "data.",
        ),
        (
            SGDClassifier(),
            {"classes": [1]},
            "partial_fit.classes must list two labels or more; got [1]. List every label "
            "SGDClassifier shall tell apart.",
        ),
        (
            SGDClassifier(),
            {"classes": ["0", "1"]},
            "partial_fit.classes must be of the labels' type, int64; got ['0', '1'] (text). "
            "In YAML, [0, 1] are numbers and ['0', '1'] are text.",
        ),
        (
            SGDClassifier(alpha=-1.0),
            {"classes": [0, 1]},
            "estimator must have parameters that SGDClassifier accepts; got The 'alpha' parameter "
            "of SGDClassifier must be a float in the range [0.0, inf). Got -1.0 instead. Mend it "
            "under estimator.",
        ),
    ],
)
def test_what_cannot_be_learned_is_refused(part, estimator, arguments, said):
    with pytest.raises(ConfigError) as caught:
        check_fit(estimator, arguments, part)
    assert str(caught.value) == said


@pytest.mark.parametrize("classes", [[[0, 1], [0]], [[0, 1]], [0, [1]], {"a": 1}, 1])
def test_classes_that_are_no_list_of_labels_are_refused_in_our_words(part, classes):
    with pytest.raises(ConfigError) as caught:
        check_fit(SGDClassifier(), {"classes": classes}, part)
    assert str(caught.value) == (
        f"partial_fit.classes must list two labels or more; got {classes!r}. List every label "
        "SGDClassifier shall tell apart."
    )


@pytest.fixture
def two_targets(make_part):
    return make_part(np.ones((50, 3)), np.arange(100).reshape(50, 2) % 2)


@pytest.mark.parametrize("estimator", [SGDClassifier(), GaussianNB()])
def test_several_targets_for_a_classifier_of_one_are_refused(two_targets, estimator):
    with pytest.raises(ConfigError) as caught:
        check_fit(estimator, {"classes": [0, 1]}, two_targets)
    name = type(estimator).__name__
    assert str(caught.value) == (
        f"The dataset must have one target for {name}; got a y of 2 columns. Name one target, or "
        "learn each by sklearn.multioutput.MultiOutputClassifier."
    )


@pytest.mark.parametrize("classes", [None, [0, 1], [[0, 1]], [[0, 1], [0]], [[0, 1], 1]])
def test_one_list_of_classes_for_each_of_several_targets_is_asked_for(two_targets, classes):
    with pytest.raises(ConfigError) as caught:
        check_fit(MultiOutputClassifier(SGDClassifier()), {"classes": classes}, two_targets)
    assert str(caught.value) == (
        "partial_fit.classes must list two labels or more for each of the 2 columns of y; got "
        f"{classes!r}. Write partial_fit: {{classes: [[0, 1], [0, 1]]}}, with the labels of each."
    )


def test_several_targets_with_their_classes_pass(two_targets):
    check_fit(MultiOutputClassifier(GaussianNB()), {"classes": [[0, 1], [0, 1, 2]]}, two_targets)
    check_fit(MLPClassifier(), {"classes": [0, 1]}, two_targets)


def test_an_estimator_without_tags_is_left_to_judge_several_targets(two_targets):
    class Own:
        def partial_fit(self, X, y, classes=None):
            return self

    check_fit(Own(), {"classes": [0, 1]}, two_targets)


def test_text_labels_and_number_classes_are_refused(make_part):
    part = make_part(np.ones((4, 1)), np.array(["a", "b", "a", "b"]))
    with pytest.raises(ConfigError, match="be of the labels' type, text; got"):
        check_fit(GaussianNB(), {"classes": [0, 1]}, part)


def test_a_missing_target_is_refused(make_part):
    with pytest.raises(ConfigError, match="must have a target for SGDRegressor; got X without y"):
        check_fit(SGDRegressor(), {}, make_part(np.ones((4, 1))))


def test_weights_for_an_estimator_that_takes_none_are_refused(make_part):
    from sklearn.cluster import Birch

    part = make_part(np.ones((4, 1)), None, np.ones(4))
    with pytest.raises(ConfigError, match=r"dataset\.sample_weight must be something Birch\.part"):
        check_fit(Birch(), {}, part)


def test_booleans_for_number_labels_are_told(part):
    with pytest.warns(RunnerWarning, match="the model will predict booleans"):
        check_fit(SGDClassifier(), {"classes": [False, True]}, part)


@pytest.mark.parametrize(
    ("estimator", "arguments"),
    [
        (SGDClassifier(), {"classes": [0, 1]}),
        (SGDClassifier(), {"classes": [0.0, 1.0]}),
        (SGDClassifier(), {"classes": [0, 1, 2]}),
        (SGDClassifier(), {"classes": [1, 0, 0]}),
        (SGDRegressor(), {}),
        (MLPRegressor(), {}),
        (MiniBatchKMeans(), {}),
    ],
)
def test_what_is_healthy_passes_without_a_word(part, estimator, arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_fit(estimator, arguments, part)


def test_weights_for_every_block_are_refused(part):
    with pytest.raises(ConfigError, match=r"partial_fit\.sample_weight must come with the rows"):
        check_fit(SGDClassifier(), {"classes": [0, 1], "sample_weight": [1.0, 2.0]}, part)
