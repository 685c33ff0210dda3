"""The same members by our launcher, by Hydra's own and by joblib's."""

import json
import threading
from collections import Counter

import pytest
from joblib.externals.loky import get_reusable_executor

from runner.sweeps.job import Job
from runner.sweeps.launch import SharedPass
from runner.sweeps.resume import resume
from runner.tracking.checkup import check_record
from runner.tracking.record import children, find_run, kept_file, recent_runs
from tests.sweeps.conftest import members_of, read_of, runs_by_key

SWEEP = {"grid": {"estimator.alpha": [0.1, 0.01], "estimator.how": ["", "raise"]}}
ONE_BY_ONE = pytest.mark.parametrize(
    "launcher", ["basic", pytest.param("joblib", marks=pytest.mark.slow)]
)


@pytest.fixture(autouse=True)
def workers_of_one_project():
    """End the workers of joblib, which would keep the environment of an earlier test."""
    yield
    get_reusable_executor().shutdown(wait=True, kill_workers=True)


def told(job):
    return [
        (each.number, each.name, each.key, each.params, each.status, each.scores, each.rows)
        for each in job.outcomes
    ]


def recorded(job):
    """Return what the record holds of each member but when, where and by which command."""
    return [
        (
            run.name,
            run.status,
            run.scores,
            run.rows,
            run.params,
            {key: run.tags[key] for key in run.tags if key.startswith("runner.member")},
        )
        for run in members_of(job)
    ]


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_other_launchers_give_the_same_scores_and_params(swept, project, launcher):
    ours = swept(SWEEP)
    shared = read_of(project)
    theirs = swept(SWEEP, f"hydra/launcher={launcher}")
    assert read_of(project) - shared > 2 * shared
    assert told(theirs) == told(ours)
    assert recorded(theirs) == recorded(ours)
    assert [run.run_id for run in members_of(theirs)] == [each.run_id for each in theirs.outcomes]
    assert find_run(theirs.run_id).status == "FAILED"
    assert not theirs.teller.plans[0].is_shared


@ONE_BY_ONE
@pytest.mark.parametrize("how", ["exit", "memory"])
def test_a_member_that_fails_does_so_alone_there_too(swept, launcher, how):
    sweep = {"runs": [{}, {"estimator.how": how}, {"estimator.alpha": 0.1}]}
    job = swept(sweep, f"hydra/launcher={launcher}")
    assert [each.status for each in job.outcomes] == ["FINISHED", "FAILED", "FINISHED"]
    assert {"exit": "SystemExit", "memory": "MemoryError"}[how] in job.outcomes[1].error
    assert [run.status for run in members_of(job)] == ["FINISHED", "FAILED", "FINISHED"]


@ONE_BY_ONE
def test_a_member_that_is_wrong_from_the_start_is_in_the_record_there_too(swept, launcher):
    runs = [{}, {"estimator.how": "unbuildable"}, {"partial_fit.classes": None}]
    job = swept({"runs": runs}, f"hydra/launcher={launcher}")
    assert [each.status for each in job.outcomes] == ["FINISHED", "FAILED", "FAILED"]
    assert "cannot be built" in job.outcomes[1].error
    assert "partial_fit.classes" in job.outcomes[2].error
    assert [run.status for run in members_of(job)] == ["FINISHED", "FAILED", "FAILED"]
    assert [run.run_id for run in members_of(job)] == [each.run_id for each in job.outcomes]


@ONE_BY_ONE
def test_the_first_failure_ends_the_sweep_where_that_is_asked(swept, launcher):
    runs = [{}, {"estimator.how": "raise"}, {"estimator.alpha": 0.1}]
    job = swept({"runs": runs}, f"hydra/launcher={launcher}", fail_fast=True)
    assert [each.status for each in job.outcomes] == ["FINISHED", "FAILED", "PENDING"]
    assert len(members_of(job)) == 2


def test_a_worker_that_is_killed_leaves_what_the_others_did(swept):
    runs = [{}, {"estimator.alpha": 0.1}, {"estimator.how": "kill", "estimator.at": 6}]
    runs += [{"estimator.alpha": alpha} for alpha in (0.2, 0.3, 0.4)]
    job = swept({"runs": runs}, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    statuses = [each.status for each in job.outcomes]
    assert statuses[2] == "KILLED"
    assert Counter(statuses)["FINISHED"] >= 1
    assert set(statuses) <= {"FINISHED", "KILLED", "PENDING"}
    assert all(each.run_id for each in job.outcomes if each.status != "PENDING")
    assert find_run(job.run_id).status == "FAILED"
    assert all(finding.ok for finding in check_record())
    assert Counter(run.status for run in members_of(job)) == {
        status: n for status, n in Counter(statuses).items() if status != "PENDING"
    }


@pytest.mark.slow
def test_what_a_killed_worker_left_is_resumed(swept, project):
    runs = [{}, {"estimator.how": "once kill"}, {"estimator.alpha": 0.1}]
    first = swept({"runs": runs}, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    done = {each.key for each in first.outcomes if each.status == "FINISHED"}
    job = Job()
    resume(first.run_id, job)
    assert [each.status for each in job.outcomes] == ["FINISHED"] * 3
    counted = runs_by_key(first.run_id)
    assert all(counted[key] == 1 for key in done)


def test_a_sweep_that_keeps_no_record_runs_there_too(swept):
    memory = ("tracking=none", "~tracking.log_model")
    job = swept(SWEEP, "hydra/launcher=basic", *memory)
    assert [each.status for each in job.outcomes] == ["FINISHED", "FAILED"] * 2
    assert job.outcomes[0].scores


def test_an_interrupt_leaves_what_a_launcher_had_done(swept):
    runs = [{}, {"estimator.how": "interrupt"}, {"estimator.alpha": 0.1}]
    with pytest.raises(KeyboardInterrupt):
        swept({"runs": runs}, "hydra/launcher=basic")
    (run,) = recent_runs()
    assert run.status == "KILLED"
    assert [each.status for each in children(run)] == ["FINISHED", "KILLED"]
    board = json.loads(kept_file(run, "sweep/leaderboard.json"))
    place = board["columns"].index("status")
    assert Counter(row[place] for row in board["data"]) == {
        "FINISHED": 1,
        "KILLED": 1,
        "PENDING": 1,
    }


def test_a_launcher_that_breaks_before_any_member_began_is_told(swept):
    job = swept(SWEEP, "hydra/launcher=joblib", "hydra.launcher.batch_size=no")
    assert {each.status for each in job.outcomes} == {"FAILED"}
    assert all(each.error for each in job.outcomes)
    assert members_of(job) == []


def test_the_shared_pass_takes_its_threads_from_the_config(swept, monkeypatch):
    before = threading.active_count()
    job = swept({"grid": {"estimator.alpha": [0.1, 0.2]}}, "hydra.launcher.threads=1")
    assert [each.status for each in job.outcomes] == ["FINISHED"] * 2
    assert threading.active_count() <= before + 1
    assert SharedPass(threads=3).is_shared
