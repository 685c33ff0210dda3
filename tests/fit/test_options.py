"""What the fit section decides."""

import pytest

from runner.errors import ConfigError
from runner.fit.options import FitOptions


@pytest.mark.parametrize(
    ("key", "value", "least"),
    [
        ("epochs", 0, 1),
        ("epochs", 1.5, 1),
        ("epochs", True, 1),
        ("epochs", "3", 1),
        ("progressive_window", -1, 0),
        ("max_classes", 1, 2),
        ("max_classes", None, 2),
    ],
)
def test_numbers_that_mean_nothing_are_refused(key, value, least):
    with pytest.raises(ConfigError) as caught:
        FitOptions(**{key: value})
    assert str(caught.value) == (
        f"fit.{key} must be an integer of at least {least}; got {value!r}. Correct it, or leave "
        f"it out for the default, {getattr(FitOptions(), key)}."
    )


@pytest.mark.parametrize(
    ("policy", "remedy"),
    [
        ("runing", "Did you mean 'running'?"),
        ({"scale": 1}, 'Correct it, or leave it out for the default, "first_pass".'),
    ],
)
def test_a_policy_that_means_nothing_is_refused(policy, remedy):
    with pytest.raises(ConfigError) as caught:
        FitOptions(preprocessing=policy)
    assert str(caught.value) == (
        "fit.preprocessing must be first_pass or running, or a mapping, each value first_pass or "
        f"running; got {policy!r}. {remedy}"
    )


def test_one_pass_with_a_progressive_score_is_the_default():
    assert FitOptions() == FitOptions(epochs=1, progressive_window=20)


@pytest.mark.parametrize(
    "weights", [None, "balanced", {0: 1.0, 1: 5}, {"yes": 0, "no": 0.5}, {True: 2}, {}]
)
def test_weights_are_balanced_or_one_for_each_label(weights):
    assert FitOptions(class_weight=weights).class_weight == weights


@pytest.mark.parametrize(
    "weights",
    ["balance", 2.0, [1, 2], {0: -1}, {0: "2"}, {0: None}, {0: True}, {0: float("nan")}],
)
def test_weights_that_mean_nothing_are_refused(weights):
    with pytest.raises(ConfigError) as caught:
        FitOptions(class_weight=weights)
    assert str(caught.value) == (
        "fit.class_weight must be balanced, or a weight of at least 0 for each label; got "
        f"{weights!r}. Write fit.class_weight=balanced, or fit: {{class_weight: {{0: 1.0, 1: "
        "5.0}}."
    )
