import pytest

from runner.base import Progress
from runner.errors import TrackingError
from runner.records import Evaluated, Outcome, Recipe
from runner.tracking.memory_tracker import MemoryTracker
from runner.tracking.tags import member_tags


def test_everything_is_an_attribute():
    tracker, recipe = MemoryTracker(), Recipe("a", {"seed": 1})
    outcomes = [Outcome(number=0, name="a", key="a", status="FINISHED")]
    with tracker.start_sweep("s", command="runner run s") as sweep:
        sweep.log_sweep(recipe, {"sweep/members.json": "[]"})
        sweep.log_leaderboard(outcomes, final=True)
    assert (sweep.name, sweep.command, sweep.status) == ("s", "runner run s", "FINISHED")
    assert (sweep.recipe, sweep.files) == (recipe, {"sweep/members.json": "[]"})
    assert (sweep.outcomes, sweep.is_final, sweep.url) == (tuple(outcomes), True, "")


def test_a_member_tells_its_scores_rows_and_error():
    tracker = MemoryTracker()
    with tracker.start_sweep("s") as sweep:
        with tracker.start_run("a", parent=sweep, tags=member_tags(0, "a", {"x": 1})) as run:
            recorder = run.callbacks()["recorder"]
            recorder.on_fit_begin(Progress(), None)
            recorder.on_fit_end(Progress(rows=75))
            run.log_scores(Evaluated({"r2": 0.5}, 10))
        with (
            pytest.raises(ValueError, match="no"),
            tracker.start_run("b", parent=sweep, tags=member_tags(1, "b", {})),
        ):
            raise ValueError("no")
    found = sweep.members()
    assert (found["a"].scores, found["a"].rows, found["a"].params) == ({"r2": 0.5}, 75, {"x": 1})
    assert (found["b"].status, found["b"].error) == ("FAILED", "no")


def test_a_sweep_that_runs_is_not_resumed():
    tracker = MemoryTracker()
    with (
        tracker.start_sweep("s") as sweep,
        pytest.raises(TrackingError, match="must have ended before it is resumed"),
        tracker.start_sweep("s", resumed=sweep.run_id),
    ):
        pytest.fail("it was resumed")
