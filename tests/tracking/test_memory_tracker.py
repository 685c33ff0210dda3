import subprocess
import sys

import pytest

from runner.base import Remark
from runner.errors import TrackingError
from runner.records import Evaluated, Recipe
from runner.tracking.memory_tracker import MemoryTracker


def test_everything_is_an_attribute(learn, make_part, points):
    tracker = MemoryTracker()
    recipe = Recipe("a", {"seed": 1})
    with tracker.start_run("a", command="runner run a") as run:
        run.log_params(recipe)
        run.log_remark(Remark("inert-setting", "a"))
        run.log_labels([{0: 50, 1: 50}])
        run.log_dataset("rows", {"path": "a.csv"}, {"train": make_part(*points)})
        model, part, progress = learn(run.callbacks())
        run.log_scores(Evaluated({"accuracy": 0.5}, 10))
        run.log_model(model, part, progress)
    assert tracker.runs == [run]
    assert (run.name, run.command, run.status) == ("a", "runner run a", "FINISHED")
    assert run.recipe is recipe
    assert run.source == {"name": "rows", "path": "a.csv"}
    assert run.remarks == [Remark("inert-setting", "a")]
    assert run.labels == [{0: 50, 1: 50}]
    assert run.model is model
    assert run.progress is progress
    assert run.curves["holdout/accuracy"] == [(0, 0.5)]
    assert [step for step, _ in run.curves["progress/blocks"]] == [25, 50, 75, 100]
    assert run.ledger["block"].to_pylist() == [0, 1, 2, 3]


def test_it_is_no_run_of_any_store():
    with MemoryTracker().start_run("a") as run:
        assert (run.run_id, run.url) == ("", "")


def test_a_member_belongs_to_the_sweep_that_it_names():
    tracker = MemoryTracker()
    with tracker.start_sweep("s") as sweep:
        with tracker.start_run("a", parent=sweep) as one:
            pass
        with tracker.start_run("b", parent=sweep.run_id) as other:
            pass
    assert sweep.runs == [one, other]
    assert tracker.sweeps == [sweep]
    assert one.run_id != other.run_id


def test_a_member_with_a_tracker_of_its_own_joins_the_sweep_it_is_given():
    with MemoryTracker().start_sweep("s") as sweep:
        with MemoryTracker().start_run("a", parent=sweep) as run:
            pass
        with (
            pytest.raises(TrackingError, match="be a sweep of this tracker; got none"),
            MemoryTracker().start_run("b", parent=sweep.run_id),
        ):
            pytest.fail("the run began")
    assert sweep.runs == [run]


def test_an_error_is_kept_and_goes_on():
    tracker = MemoryTracker()
    error = ValueError("no")
    with pytest.raises(ValueError, match="no"), tracker.start_run("a"):
        raise error
    assert (tracker.runs[0].status, tracker.runs[0].error) == ("FAILED", error)


def test_it_does_not_import_mlflow():
    code = """
import sys
from runner.tracking.memory_tracker import MemoryTracker
with MemoryTracker().start_run("a") as run:
    run.callbacks()
assert "mlflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_run_is_gone_on_with_by_its_name_and_a_member_by_its_id():
    tracker = MemoryTracker()
    with tracker.start_sweep("s") as sweep:
        for parent in (None, sweep):
            with (
                pytest.raises(ValueError, match="no"),
                tracker.start_run("a", parent=parent, tags={"try": "1"}),
            ):
                raise ValueError("no")
        alone, member = tracker.runs
        with tracker.start_run("a", parent=sweep, resumed=member.run_id) as again:
            assert again is member
    alone.name = "b"
    with tracker.start_run("b", resumed="b", tags={"try": "2"}) as again:
        assert (again, again.tags["try"]) == (alone, "2")
    assert [run.status for run in tracker.runs] == ["FINISHED"] * 2
    assert len(sweep.runs) == 1
    with (
        pytest.raises(TrackingError, match="be a run of this tracker; got none"),
        tracker.start_run("a", resumed="c"),
    ):
        pytest.fail("it began")
