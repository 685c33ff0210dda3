import numpy as np
import pytest

from runner.errors import ConfigError
from runner.fit.classes import check_inferred, check_weighted, infers, listed

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


@pytest.mark.parametrize(("found", "got"), [([3], "only 3"), ([], "none"), (["a"], "only 'a'")])
def test_a_target_of_a_single_label_is_refused(found, got):
    check_inferred([np.array([0, 1]), np.array(["a", "b", "c"])])
    with pytest.raises(ConfigError) as caught:
        check_inferred([np.array([0, 1]), np.array(found)])
    assert str(caught.value) == (
        f"y must have two labels or more in the training blocks; got {got}. Name another target "
        "under dataset, or choose a regressor."
    )
