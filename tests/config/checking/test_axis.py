"""One key of a sweep, and the values that it takes."""

import pytest

from runner.config.checking.axis import Axis, params_axes


def test_only_a_list_of_names_of_a_group_chooses_options():
    assert Axis("estimator", ["a", "b"], "").chooses
    assert not Axis("estimator", [{"alpha": 1}], "").chooses
    assert not Axis("estimator.alpha", ["a"], "").chooses
    assert not Axis("seed", ["a"], "").chooses


@pytest.mark.parametrize(
    ("value", "values"), [([1, 2], [1, 2]), ("1,2", [1, 2]), ("'a','b'", ["a", "b"]), ("(", [])]
)
def test_params_of_hydras_sweeper_are_lists_or_text_of_its_own(value, values):
    (axis,) = params_axes({"estimator": {"alpha": value}})
    assert (axis.key, axis.values) == ("estimator.alpha", values)
