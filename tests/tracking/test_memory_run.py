from runner.base import Remark
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
