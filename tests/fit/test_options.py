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
    ],
)
def test_numbers_that_mean_nothing_are_refused(key, value, least):
    with pytest.raises(ConfigError) as caught:
        FitOptions(**{key: value})
    assert str(caught.value) == (
        f"fit.{key} must be an integer of at least {least}; got {value!r}. Correct it, or leave "
        f"it out for the default, {getattr(FitOptions(), key)}."
    )


def test_one_pass_with_a_progressive_score_is_the_default():
    assert FitOptions() == FitOptions(epochs=1, progressive_window=20)
