"""What is refused before the first block."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import MiniBatchKMeans
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor

from runner.errors import ConfigError, RunnerWarning
from runner.fit.preflight import check_fit, check_text


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
            "data, or classes: infer to have them found in one pass over y.",
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


INFER = {"classes": "infer"}


def refused(*arguments):
    with pytest.raises(ConfigError) as caught:
        check_fit(*arguments)
    return str(caught.value)


def test_classes_may_be_found_in_y(part, two_targets):
    check_fit(SGDClassifier(), INFER, part)
    check_fit(MultiOutputClassifier(SGDClassifier()), INFER, two_targets)


def test_classes_may_be_an_array(part):
    check_fit(SGDClassifier(), {"classes": np.array([0, 1])}, part, {1: 2.0})


def test_another_word_is_no_list_of_classes(part):
    said = refused(SGDClassifier(), {"classes": "infre"}, part)
    assert said.startswith("partial_fit.classes must list two labels or more; got 'infre'.")


def test_without_y_there_is_nothing_to_infer_from(make_part):
    class Own:
        def partial_fit(self, X, y=None, classes=None):
            return self

    assert refused(Own(), INFER, make_part(np.ones((4, 1)))) == (
        "partial_fit.classes must be infer only where there is a y to find them in; got X without "
        "y. Name the target under dataset."
    )


def test_inferring_does_not_make_several_targets_of_one(two_targets):
    said = refused(SGDClassifier(), INFER, two_targets)
    assert said.startswith("The dataset must have one target for SGDClassifier; got a y of 2 col")


def test_the_labels_of_a_multilabel_target_are_the_numbers_of_its_columns(two_targets):
    assert refused(MLPClassifier(), INFER, two_targets) == (
        "partial_fit.classes must list the numbers of the 2 columns of y, which are the labels of "
        "a row; got 'infer'. Write partial_fit: {classes: [0, 1]}."
    )


@pytest.mark.parametrize("weights", ["balanced", {0: 1.0, 1: 2.0}])
@pytest.mark.parametrize("arguments", [INFER, {"classes": [0, 1]}])
def test_labels_may_have_weights(part, weights, arguments):
    check_fit(SGDClassifier(), arguments, part, weights)
    check_fit(GaussianNB(), arguments, part, weights)


def test_weights_of_labels_need_labels(part, two_targets, make_part):
    said = "fit.class_weight must be left out where y are not the labels of one target; got weigh"
    assert refused(SGDRegressor(), {}, part, "balanced").startswith(said)
    assert refused(MiniBatchKMeans(), {}, part, "balanced").startswith(said)
    nested = MultiOutputClassifier(SGDClassifier())
    assert refused(nested, INFER, two_targets, "balanced").startswith(said)
    assert refused(MiniBatchKMeans(), {}, make_part(np.ones((4, 1))), {0: 1}).startswith(said)


@pytest.mark.parametrize("wrapper", [OneVsRestClassifier, OneVsOneClassifier])
def test_an_estimator_that_takes_any_argument_and_passes_none_on_takes_no_weights(part, wrapper):
    said = refused(wrapper(SGDClassifier()), {"classes": [0, 1]}, part, "balanced")
    assert said.startswith(f"fit.class_weight must be something {wrapper.__name__}.partial_fit")
    with pytest.raises(ValueError, match="sample_weight"):  # at the first block
        wrapper(SGDClassifier()).partial_fit([[0], [1]], [0, 1], [0, 1], sample_weight=[1, 1])


def test_weights_of_labels_need_an_estimator_that_takes_weights(part):
    class Own:
        def partial_fit(self, X, y, classes=None):
            return self

    assert refused(Own(), {"classes": [0, 1]}, part, "balanced") == (
        "fit.class_weight must be something Own.partial_fit can follow; got weights for an "
        "estimator that takes none. Leave it out, or choose an estimator that takes weights, as "
        "SGDClassifier."
    )


@pytest.mark.parametrize("weights", [{7: 1.0}, {"0": 1.0}, {0: 1.0, "1": 1.0}])
def test_weights_of_what_is_no_label_are_refused(part, weights):
    said = refused(SGDClassifier(), {"classes": [0, 1]}, part, weights)
    (strange,) = weights.keys() - {0, 1}
    assert said == (
        f"fit.class_weight must name only labels that there are; got {strange!r} beside 0, 1. In "
        "YAML, 0 is a number, '0' is text, and yes is true unless it is quoted."
    )


def test_a_parameter_of_an_estimator_inside_is_named(part):
    inside = OneVsRestClassifier(SGDClassifier(loss="nope"))
    with pytest.raises(ConfigError, match=r"estimator\.estimator must have parameters that SGD"):
        check_fit(inside, {"classes": [0, 1]}, part)


def test_rows_of_text_for_an_estimator_of_numbers_are_refused(make_part):
    lines = make_part(np.array(["a b", "c"]))
    with pytest.raises(ConfigError, match=r"got lines of text. Choose preprocessing=\[hashing\]"):
        check_text(SGDClassifier(), lines)
    check_text(HashingVectorizer(), lines)


def test_columns_of_text_for_an_estimator_of_numbers_are_named(make_part):
    frame = pd.DataFrame({"age": [1.0], "job": np.array(["x"], object)})
    part = replace(make_part(np.zeros((1, 2))), frame=frame[:0])
    with pytest.raises(ConfigError, match="got columns of text, job"):
        check_text(SGDClassifier(), part)
    check_text(SGDClassifier(), replace(part, frame=frame[["age"]][:0]))


@pytest.mark.parametrize(
    ("X", "kind"),
    [
        (np.ones((50, 3), complex), "complex128"),
        (np.full((50, 3), "2026-01-01", "datetime64[D]"), r"datetime64\[D\]"),
        (np.ones((50, 3)).astype("timedelta64[s]"), r"timedelta64\[s\]"),
    ],
)
def test_what_is_neither_numbers_nor_text_is_refused(make_part, X, kind):
    with pytest.raises(ConfigError, match=f"X must hold numbers for SGDClassifier; got .* {kind}"):
        check_text(SGDClassifier(), make_part(X))


def test_a_target_of_text_for_a_regressor_is_refused(make_part):
    part = make_part(np.ones((50, 3)), np.array(["low", "high"] * 25))
    with pytest.raises(ConfigError) as caught:
        check_fit(SGDRegressor(), {}, part)
    assert str(caught.value) == (
        "The target must be numbers for SGDRegressor; got text. Choose a classifier, or name "
        "another target under dataset."
    )
    check_fit(SGDClassifier(), {"classes": ["low", "high"]}, part)


@pytest.mark.parametrize("classes", [[0, 1], ["no", "yes"], [False, True]])
def test_labels_that_may_be_anything_are_left_to_the_blocks(make_part, classes):
    part = make_part(np.ones((50, 3)), np.array(classes * 25, dtype=object))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_fit(SGDClassifier(), {"classes": classes}, part)
