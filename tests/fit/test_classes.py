import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.multioutput import MultiOutputClassifier

from runner.errors import ConfigError
from runner.fit.classes import check_classes, check_inferred, check_weighted, infers, listed

INFER = {"classes": "infer"}


@pytest.fixture
def part(make_part):
    return make_part(np.ones((50, 3)), np.arange(50) % 2)


@pytest.fixture
def two_targets(make_part):
    return make_part(np.ones((50, 3)), np.zeros((50, 2), int))


@pytest.mark.parametrize(
    ("classes", "expected"),
    [("infer", True), ("infre", False), (None, False), ([0], False), (np.array([0, 1]), False)],
)
def test_classes_are_inferred_when_the_word_is_said(classes, expected):
    assert infers(classes) is expected


def test_labels_are_known_before_the_fit_where_they_are_listed(part, two_targets, make_part):
    assert listed({"classes": [0, 1]}, part) == [0, 1]
    assert listed(INFER, part) is None
    assert listed({}, part) is None
    assert listed({"classes": [[0, 1], [0, 1]]}, two_targets) is None
    assert listed({"classes": [0, 1]}, make_part(np.ones((4, 1)))) is None


def test_weights_of_labels_that_are_not_known_yet_wait():
    check_weighted({7: 1.0}, None)
    check_weighted("balanced", [0, 1])
    check_weighted(None, [0, 1])
    check_weighted({0: 1.0}, np.array([0.0, 1.0]))


@pytest.mark.parametrize(("others", "subject"), [([], "y"), ([np.array([0, 1])], "Column 1 of y")])
@pytest.mark.parametrize(("found", "got"), [([3], "only 3"), ([], "none"), (["a"], "only 'a'")])
def test_a_target_of_a_single_label_is_refused(found, got, others, subject):
    check_inferred([np.array([0, 1]), np.array(["a", "b", "c"])])
    with pytest.raises(ConfigError) as caught:
        check_inferred([*others, np.array(found)])
    assert str(caught.value) == (
        f"{subject} must have two labels or more in the training blocks; got {got}. Name "
        "another target under dataset, or choose a regressor."
    )


def test_quantities_are_no_labels():
    check_inferred([np.array([0.0, 1.0, -3.0])])
    with pytest.raises(ConfigError) as caught:
        check_inferred([np.array([-3.0, -2.75, 1.5])])
    assert str(caught.value) == (
        "y must hold labels, which are whole numbers, text or booleans; got quantities such as "
        "-2.75. Choose a regressor, or name another target under dataset."
    )
    with pytest.raises(ConfigError, match=r"^Column 1 of y must hold .* such as 0\.5\."):
        check_inferred([np.array([0, 1]), np.array([0.5, 1.0], np.float32)])


def test_a_word_that_is_not_infer_is_answered_with_infer(part, two_targets):
    several = MultiOutputClassifier(SGDClassifier())
    for estimator, y in ((SGDClassifier(), part.y), (several, two_targets.y)):
        with pytest.raises(ConfigError, match=r"got 'inferr'\. Did you mean 'infer'\?$"):
            check_classes(estimator, "inferr", y)
    with pytest.raises(ConfigError, match=r"got 'all'\. Choose one of: infer\.$"):
        check_classes(SGDClassifier(), "all", part.y)
