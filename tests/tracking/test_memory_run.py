import joblib
import pytest

from runner.base import Remark
from runner.errors import TrackingError
from runner.records import Evaluated
from runner.tracking.memory_run import MemoryRun


def test_a_run_keeps_what_it_is_told():
    run = MemoryRun("a")
    run.log_tags({"runner.halving": "1"})
    run.log_tags({"runner.rung": "2"})
    run.log_remark(Remark("inert-setting", "a"))
    run.log_labels([{0: 1}])
    run.log_scores(Evaluated({"r2": 0.5}, 10))
    assert run.tags == {"runner.halving": "1", "runner.rung": "2"}
    assert run.curves == {"holdout/r2": [(0, 0.5)]}
    assert run.evaluated.scores == {"r2": 0.5}
    assert (run.remarks, run.labels) == ([Remark("inert-setting", "a")], [{0: 1}])


def test_two_runs_share_nothing():
    one, other = MemoryRun("a"), MemoryRun("b")
    one.log_tags({"a": "1"})
    one.log_scores(Evaluated({"r2": 0.5}, 10))
    assert (other.tags, other.points) == ({}, [])


def test_what_is_logged_again_after_an_end_is_kept_once():
    run = MemoryRun("a")
    run._log({"r2": 0.5}, 10)
    run._log({"time/fit_s": 1.0}, 0)
    run.end(KeyboardInterrupt())
    assert run.status == "KILLED"
    run.reopen()
    assert (run.status, run.error) == ("RUNNING", None)
    assert [point.value for point in run._log({"r2": 0.75, "new": 1.0}, 10)] == [0.5, 1.0]
    run._log({"time/fit_s": 2.0}, 0)
    assert run.curves == {"r2": [(10, 0.5)], "time/fit_s": [(0, 1.0), (0, 2.0)], "new": [(10, 1)]}


def test_it_is_told_how_often_and_from_where_it_goes_on():
    run = MemoryRun("a")
    for rows in (10, 20):
        run.end(ValueError("no"))
        run.reopen()
        run.log_resumed(rows)
    assert (run.tags["runner.resumed"], run.tags["runner.resumed_at"]) == ("2", "10,20")


@pytest.mark.parametrize("status", ["RUNNING", "FINISHED"])
def test_what_runs_or_finished_is_not_reopened(status):
    run = MemoryRun("a", status=status)
    with pytest.raises(TrackingError, match="The run a must have been ended before it was fini"):
        run.reopen()


def test_a_remark_is_told_once_in_all_sittings():
    run, remark = MemoryRun("a"), Remark("inert-setting", "a")
    run.log_remark(remark)
    run.end(ValueError("no"))
    run.reopen()
    run.log_remark(remark)
    assert run.remarks == [remark]


def test_what_it_is_compared_by_are_tags(learn, make_part, points):
    run = MemoryRun("a")
    run.log_dataset("a", {}, {"train": make_part(*points)})
    model, part, progress = learn(run.callbacks())
    run.log_model(model, part, progress)
    run.log_content({"train": "5f"})
    assert run.tags["runner.model_hash"] == joblib.hash(model)
    assert run.tags["runner.order_hash"]
    assert run.content == {"train": "5f"}
    assert run.tags["runner.content.train"] == "5f"


def test_bad_blocks_are_told(learn):
    def spoil(progress):
        progress.bad_blocks = 2

    run = MemoryRun("a")
    learn(run.callbacks(), spoil)
    run.end()
    assert run.tags["runner.bad_blocks"] == "2"
    assert run.curves["progress/bad_blocks"] == [(0, 2)]
