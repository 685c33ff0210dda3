"""Going on with a sweep: what is left is run, and nothing twice."""

import json
from collections import Counter

import pytest

import runner
from runner.errors import ConfigError, TrackingError
from runner.sweeps.job import Job
from runner.sweeps.resume import known_scores_of, resume
from runner.tracking.client import connect
from runner.tracking.record import find_run, recent_runs
from runner.tracking.store import resolve
from runner.tracking.tags import HALVING, KEY
from tests.sweeps.conftest import Heard, members_of, read_of, runs_by_key

SIZES = "dataset.arguments.size"


def statuses(job):
    return [outcome.status for outcome in job.outcomes]


def gone_on(run_id, **options):
    job = Job(
        Heard(), fail_fast=options.pop("fail_fast", False), dry_run=options.pop("dry_run", False)
    )
    resume(run_id, job, **options)
    return job


def test_only_what_did_not_finish_is_run(swept, project):
    sweep = {"grid": {"estimator.how": ["", "mended"], "estimator.alpha": [0.1, 0.2]}}
    first = swept(sweep)
    assert statuses(first) == ["FINISHED", "FINISHED", "FAILED", "FAILED"]
    (project / "mended").touch()
    again = gone_on(first.run_id[:8])
    assert again.run_id == first.run_id
    assert statuses(again) == ["FINISHED"] * 4
    for before, after in zip(first.outcomes[:2], again.outcomes[:2], strict=True):
        assert (after.run_id, after.scores) == (before.run_id, before.scores)
    assert {outcome.number for outcome in again.teller.ended} == {2, 3}
    assert sorted(runs_by_key(first.run_id).values()) == [1, 1, 2, 2]
    assert [run.status for run in members_of(again)] == ["FINISHED"] * 4
    (whole,) = recent_runs()
    assert whole.status == "FINISHED"
    assert "runner.error" not in whole.tags


def test_a_member_that_fails_again_is_failed_again(swept):
    first = swept({"grid": {"estimator.how": ["", "raise"]}})
    again = gone_on(first.run_id)
    assert statuses(again) == ["FINISHED", "FAILED"]
    assert find_run(first.run_id).status == "FAILED"
    assert sorted(runs_by_key(first.run_id).values()) == [1, 2]


def test_members_learn_when_resumed_what_they_learn_otherwise(swept, project):
    sweep = {"grid": {"estimator.how": ["once raise"], "estimator.alpha": [0.1, 0.2, 0.3]}}
    first = swept(sweep, "stream.shuffle=true")
    assert statuses(first).count("FAILED") == 1
    again = gone_on(first.run_id)
    whole = swept(sweep)
    assert [outcome.scores for outcome in again.outcomes] == [
        outcome.scores for outcome in whole.outcomes
    ]


def test_a_member_that_could_not_begin_is_run_when_it_can(swept, project):
    """What a file says is kept with the sweep; what the project's own code does may change."""
    runs = [{}, {"estimator.how": "unbuildable"}]
    first = swept({"runs": runs})
    assert statuses(first) == ["FINISHED", "FAILED"]
    again = gone_on(first.run_id, only_failed=True)
    assert statuses(again) == ["FINISHED", "FAILED"]
    assert sorted(runs_by_key(first.run_id).values()) == [1, 2]


def test_failed_ones_alone_can_be_run(swept, project):
    sweep = {"grid": {SIZES: [20, 40, 60], "estimator.how": ["", "raise"]}}
    first = swept(sweep, fail_fast=True)
    assert Counter(statuses(first)) == {"KILLED": 1, "FAILED": 1, "PENDING": 4}
    again = gone_on(first.run_id, only_failed=True)
    assert [outcome.number for outcome in again.teller.ended] == [1]
    assert Counter(statuses(again)) == {"KILLED": 1, "FAILED": 1, "PENDING": 4}
    rest = gone_on(first.run_id)
    assert statuses(rest) == ["FINISHED", "FAILED"] * 3


def test_a_resumed_sweep_can_fail_fast_too(swept):
    sweep = {"grid": {SIZES: [20, 40], "estimator.how": ["", "raise"]}}
    first = swept(sweep, fail_fast=True)
    again = gone_on(first.run_id, fail_fast=True)
    assert Counter(statuses(again)) == {"KILLED": 1, "FAILED": 1, "PENDING": 2}


def test_a_dry_run_of_a_resumption_does_nothing(swept, project):
    first = swept({"grid": {"estimator.how": ["", "raise"]}})
    before = read_of(project)
    job = gone_on(first.run_id, dry_run=True)
    (plan,) = job.teller.plans
    assert [each.member.number for each in plan.built] == [1]
    assert read_of(project) == before
    assert sorted(runs_by_key(first.run_id).values()) == [1, 1]
    assert find_run(first.run_id).status == "FAILED"


def test_what_is_left_shares_its_pass(swept, project):
    sweep = {"grid": {"estimator.how": ["mended"], "estimator.alpha": [0.1, 0.2, 0.3]}}
    first = swept(sweep)
    before = read_of(project)
    (project / "mended").touch()
    again = gone_on(first.run_id)
    assert statuses(again) == ["FINISHED"] * 3
    assert read_of(project) - before == 10


def test_there_must_be_something_left(swept):
    first = swept({"grid": {"estimator.alpha": [0.1, 0.2]}})
    for only_failed, told in ((False, "did not finish"), (True, "failed")):
        with pytest.raises(ConfigError) as refused:
            gone_on(first.run_id, only_failed=only_failed)
        assert f"have members that {told}; got 2 finished of 2" in str(refused.value)


def test_a_single_run_is_no_sweep(swept):
    job = swept({}, "seed=3")
    assert job.outcomes == []
    (run,) = recent_runs()
    with pytest.raises(ConfigError, match="be a sweep to be resumed; got odd, which is one run"):
        gone_on(run.run_id)


def test_a_sweep_that_is_not_there_is_told(store):
    with pytest.raises(TrackingError, match="be the beginning of one run's id"):
        gone_on("abc")


def test_a_sweep_that_a_process_still_runs_is_left_to_it(swept):
    client = connect(resolve())
    first = swept({"grid": {"estimator.how": ["", "raise"]}})
    from runner.tracking.process import Process
    from runner.tracking.tags import PROCESS

    client.update_run(first.run_id, status="RUNNING")
    client.set_tag(first.run_id, PROCESS, str(Process.current()))
    with pytest.raises(TrackingError, match="have ended before it is resumed"):
        gone_on(first.run_id)


HALVED = {
    "grid": {"estimator.alpha": [1e-4, 1e-2, 1.0, 10.0, 100.0, 1000.0]},
    "halving": {"first_rows": 40, "factor": 2},
}


@pytest.mark.parametrize("by", ["progressive", "held_out"])
def test_halving_decides_when_resumed_as_it_did_before(swept, by):
    halving = HALVED["halving"] | {"by": by}
    whole = swept(HALVED | {"halving": halving})
    rungs = [outcome.rung for outcome in whole.outcomes]
    assert Counter(rungs) == {1: 3, 2: 2, None: 1}
    client = connect(resolve())
    left = [rungs.index(None), rungs.index(2)]
    for number in left:
        client.set_terminated(whole.outcomes[number].run_id, "KILLED")
    client.set_terminated(whole.run_id, "KILLED")
    again = gone_on(whole.run_id)
    assert {outcome.number for outcome in again.teller.ended} == set(left)
    for before, after in zip(whole.outcomes, again.outcomes, strict=True):
        assert (after.rung, after.rows, after.stop_reason, after.scores) == (
            before.rung,
            before.rows,
            before.stop_reason,
            before.scores,
        )
    assert again.teller.verdicts == whole.teller.verdicts


def test_the_verdict_of_a_halving_is_the_same_when_only_a_failure_is_left(swept):
    sweep = {
        "runs": [{"estimator.alpha": alpha} for alpha in (1e-4, 1.0, 100.0)]
        + [{"estimator.how": "raise", "estimator.at": 1}],
        "halving": {"first_rows": 40},
    }
    first = swept(sweep)
    assert statuses(first) == ["FINISHED"] * 3 + ["FAILED"]
    again = gone_on(first.run_id)
    assert again.teller.verdicts == first.teller.verdicts


def test_scores_at_rungs_are_read_from_the_tags_that_hold_some(swept):
    job = swept(HALVED)
    runs = {run.tags[KEY]: run for run in members_of(job)}
    known = known_scores_of(runs)
    for key, run in runs.items():
        records = json.loads(run.tags[HALVING])
        assert known[key] == {record["rung"]: record["score"] for record in records}
        run.tags[HALVING] = "no JSON"
    assert set(map(str, known_scores_of(runs).values())) == {"{}"}


def test_what_is_resumed_may_come_from_a_file_that_is_gone(swept, project):
    first = swept({"grid": {"estimator.how": ["", "raise"]}})
    (project / "experiments" / "odd.yaml").unlink()
    assert statuses(gone_on(first.run_id)) == ["FINISHED", "FAILED"]


def test_a_run_alone_of_the_same_file_is_no_member(swept, project):
    first = swept({"grid": {"estimator.how": ["", "raise"]}})
    runner.run("odd")
    again = gone_on(first.run_id)
    assert len(again.outcomes) == 2
