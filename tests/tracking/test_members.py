import pytest

from runner.base import Progress
from runner.records import Evaluated, Recipe
from runner.tracking.members import outcome_of
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import children, find_run
from runner.tracking.tags import DIFFERS, RUNG, STOP_REASON, member_tags


def test_a_member_is_read_back_as_it_ended(tracker):
    tags = member_tags(4, "5f", {"a.b": 1e-4})
    with tracker.start_sweep("grid") as sweep:
        with tracker.start_run("a.b=0.0001", parent=sweep, tags=tags) as run:
            run.log_params(Recipe("a", {"evaluation.scoring": ["r2", "max_error"]}))
            recorder = run.callbacks()["recorder"]
            recorder.on_fit_begin(Progress(), None)
            recorder.on_fit_end(Progress(rows=75))
            run.log_scores(Evaluated({"r2": 0.5, "max_error": -2.0}, 10))
            run.log_tags({STOP_REASON: "rung 1", RUNG: "1"})
        (found,) = map(outcome_of, children(find_run(sweep.run_id)))
    assert (found.number, found.name, found.key) == (4, "a.b=0.0001", "5f")
    assert (found.params, found.rows, found.status) == ({"a.b": 1e-4}, 75, "FINISHED")
    assert list(found.scores.items()) == [("r2", 0.5), ("max_error", -2.0)]
    assert (found.stop_reason, found.rung, found.run_id) == ("rung 1", 1, run.run_id)


def test_a_member_that_failed_says_why_and_one_that_goes_on_is_pending(tracker):
    with tracker.start_sweep("grid") as sweep:
        with (
            pytest.raises(ValueError, match="no"),
            tracker.start_run("a", parent=sweep, tags=member_tags(0, "a", {})),
        ):
            raise ValueError("no")
        with tracker.start_run("b", parent=sweep, tags=member_tags(1, "b", {})):
            failed, going_on = map(outcome_of, children(find_run(sweep.run_id)))
    assert (failed.status, failed.error) == ("FAILED", "ValueError: no")
    assert going_on.status == "PENDING"


@pytest.mark.parametrize("differs", ["{", "[1]", ""])
def test_tags_of_somebody_else_are_no_trouble(store, differs):
    tags = {DIFFERS: differs, RUNG: "x", "runner.member": "first"}
    with MlflowTracker().start_run("a", tags=tags) as run:
        pass
    found = outcome_of(find_run(run.run_id), "http://h")
    assert (found.number, found.params, found.rung, found.url) == (0, {}, None, "http://h")
