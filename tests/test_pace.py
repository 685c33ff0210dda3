"""Where the time of a run went."""

import pytest

from runner.base import Progress
from runner.pace import Pace, pace
from runner.steps import Steps, Took


@pytest.mark.parametrize(
    ("wait_s", "fit_s", "bound"),
    [(0, 0, ""), (2, 1, "load"), (0.05, 1, "fit"), (0.9, 1, ""), (0, 1, "fit"), (1, 0, "load")],
)
def test_what_the_learner_does_most_of_its_time_bounds_the_run(wait_s, fit_s, bound):
    assert Pace(9.0, fit_s, wait_s).bound == bound


def test_who_looked_at_the_clock_knows_the_speed():
    steps = Steps()
    steps.took = {"fit": Took(100, 4.0), "evaluate": Took(10, 0.5)}
    found = pace(Progress(rows=100, load_s=1.0, fit_s=2.0), steps)
    assert found.rows_per_s == 25
    assert found.evaluate_s == 0.5
    assert found.total_s >= 0


def test_what_nobody_counted_is_not_made_up():
    found = pace(Progress(rows=1000, load_s=1.0, fit_s=2.0))
    assert (found.rows_per_s, found.evaluate_s, found.total_s) == (500, None, None)
    assert pace(Progress()).rows_per_s is None


def test_of_a_run_that_is_gone_on_with_nobody_knows_the_whole_time():
    steps = Steps()
    steps.took = {"fit": Took(100, 4.0)}
    found = pace(Progress(rows=1000, load_s=9.0, fit_s=8.0), steps)
    assert (found.rows_per_s, found.total_s) == (25, None)
