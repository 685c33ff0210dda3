"""Whole experiments on worker processes: the same members as by any other launcher."""

import _thread
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from runner.cluster.local import NO_PAGES, LocalCluster
from runner.errors import ConfigError
from runner.sweeps.dask_jobs import cluster_of
from runner.sweeps.job import Job
from runner.sweeps.resume import resume
from runner.tracking.client import connect
from runner.tracking.record import children, find_all, find_run, recent_runs
from runner.tracking.store import resolve
from runner.tracking.tags import MODEL_HASH, RESUMED
from tests.sweeps.conftest import (
    members_of,
    read_of,
    runs_by_key,
    when,
    write_experiment,
    write_odd_parts,
)

ROOT = Path(__file__).resolve().parents[2]
SWEEP = {"grid": {"estimator.alpha": [0.1, 0.01], "estimator.how": ["", "raise"]}}
LOCAL = ("cluster=local", "cluster.n_workers=1")
DELAY = "dataset.arguments.delay=0.02"
SLOW = "dataset.arguments.delay=0.15"  # so that what is to be stopped has not ended before
CHECKPOINT = "callbacks=[checkpoint]"


@pytest.fixture(scope="module")
def started():
    """Start two worker processes, which are started anew when they die; one death is excused."""
    from distributed import LocalCluster as Started

    with Started(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
        scheduler_kwargs={**NO_PAGES, "allowed_failures": 1},
    ) as cluster:
        yield cluster


@pytest.fixture
def by_dask(swept, started):
    """Return what runs a sweep on these workers."""
    address = ("cluster=address", f"cluster.address={started.scheduler_address}")

    def by_dask(sweep, *overrides, **options):
        return swept(sweep, "hydra/launcher=dask", *address, *overrides, **options)

    return by_dask


def told(job):
    return [
        (each.number, each.name, each.params, each.status, each.scores, each.rows)
        for each in job.outcomes
    ]


def recorded(job):
    """Return what the record holds of each member but when and where, and the cluster."""
    return [
        (
            run.name,
            run.status,
            run.scores,
            run.rows,
            {key: run.params[key] for key in run.params if not key.startswith("cluster")},
            {key: run.tags[key] for key in run.tags if "hash" in key or "content" in key},
        )
        for run in members_of(job)
    ]


def every_status():
    return [run.status for run in find_all(connect(resolve()), resolve(), "")]


@pytest.mark.filterwarnings("ignore:The record keeps no model")  # its class is the test's own
def test_members_on_workers_are_those_of_the_basic_launcher(swept, by_dask):
    theirs = swept(SWEEP, "hydra/launcher=basic", "tracking.log_model=true")
    ours = by_dask(SWEEP, "tracking.log_model=true")
    assert told(ours) == told(theirs)
    assert recorded(ours) == recorded(theirs)
    assert MODEL_HASH in members_of(ours)[0].tags
    assert [each.status for each in ours.outcomes] == ["FINISHED", "FAILED"] * 2
    assert "RuntimeError: no more" in ours.outcomes[1].error
    assert [run.run_id for run in members_of(ours)] == [each.run_id for each in ours.outcomes]
    assert members_of(ours)[0].params["cluster.address"].startswith("tcp://")
    assert sorted(each.number for each in ours.teller.ended) == [0, 1, 2, 3]
    assert find_run(ours.run_id).status == "FAILED"


def test_a_member_that_ends_its_process_once_goes_on_in_its_run(swept, by_dask, project):
    text = (project / "odd_parts.py").read_text()
    (project / "odd_parts.py").write_text(
        text.replace("os.kill(os.getpid(), signal.SIGKILL)", "os._exit(1)")
    )
    runs = [{"estimator.how": "once kill", "estimator.at": 5}, {}, {"estimator.alpha": 0.1}]
    job = by_dask({"runs": runs}, CHECKPOINT)
    assert [each.status for each in job.outcomes] == ["FINISHED"] * 3
    assert set(runs_by_key(job.run_id).values()) == {1}
    assert job.outcomes[0].scores == job.outcomes[1].scores
    assert members_of(job)[0].tags[RESUMED] == "1"


@pytest.mark.slow
def test_a_member_that_kills_every_worker_fails_alone(by_dask):
    runs = [{}, {"estimator.how": "kill"}, {"estimator.alpha": 0.1}, {"estimator.alpha": 0.2}]
    job = by_dask({"runs": runs})
    assert [each.status for each in job.outcomes] == ["FINISHED", "KILLED", "FINISHED", "FINISHED"]
    assert "must leave its worker alive" in job.outcomes[1].error
    assert [run.status for run in members_of(job)] == [each.status for each in job.outcomes]
    assert set(runs_by_key(job.run_id).values()) == {1}


def test_members_of_a_killed_worker_are_run_again_and_no_other(by_dask, started, project):
    def kill():
        while read_of(project) < 12 and not ended.wait(0.01):
            pass
        os.kill(next(iter(started.workers.values())).pid, signal.SIGKILL)

    ended = threading.Event()
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        job = by_dask({"grid": {"estimator.alpha": [0.1, 0.2, 0.3, 0.4]}}, DELAY, CHECKPOINT)
    finally:
        ended.set()
        killer.join()
    assert [each.status for each in job.outcomes] == ["FINISHED"] * 4
    assert set(runs_by_key(job.run_id).values()) == {1}
    assert set(every_status()) == {"FINISHED"}


def test_the_first_failure_ends_the_sweep_where_that_is_asked(by_dask):
    runs = [{"estimator.how": "raise"}, *({"estimator.alpha": 0.1 * n} for n in range(1, 6))]
    job = by_dask({"runs": runs}, SLOW, fail_fast=True)
    assert job.outcomes[0].status == "FAILED"
    assert "PENDING" in [each.status for each in job.outcomes]


@pytest.mark.slow
def test_ctrl_c_stops_jobs_whose_states_can_be_gone_on_from(swept, by_dask, project):
    sweep = {"grid": {"estimator.alpha": [0.1, 0.2]}}
    local = swept(sweep, "fit.epochs=6", CHECKPOINT)
    before = read_of(project)
    with (
        when(lambda: read_of(project) - before > 20, _thread.interrupt_main),
        pytest.raises(KeyboardInterrupt),
    ):
        by_dask(sweep, "fit.epochs=6", SLOW, CHECKPOINT)
    stopped = read_of(project)
    (run,) = [run for run in recent_runs() if run.status == "KILLED"]
    assert [each.status for each in children(run)] == ["KILLED", "KILLED"]
    job = Job()
    resume(run.run_id, job, overrides=["cluster=none"])
    assert [each.status for each in job.outcomes] == ["FINISHED", "FINISHED"]
    assert [each.scores for each in job.outcomes] == [each.scores for each in local.outcomes]
    assert set(runs_by_key(run.run_id).values()) == {1}
    assert stopped - before < 70


def test_a_failure_stops_the_jobs_that_go_on_beside_it(by_dask, project):
    runs = [{"estimator.how": "raise", "estimator.at": 6}, {"estimator.alpha": 0.1}]
    job = by_dask({"runs": runs}, "fit.epochs=20", SLOW, CHECKPOINT, fail_fast=True)
    assert [run.status for run in members_of(job)] == ["FAILED", "KILLED"]
    assert read_of(project) < 150


def test_another_sweeper_may_make_the_members(by_dask):
    job = by_dask({}, "hydra/sweeper=basic", "seed=1,2", "-m")
    assert [each.status for each in job.outcomes] == ["FINISHED"] * 2
    assert [each.params for each in job.outcomes] == [{"seed": 1}, {"seed": 2}]
    assert set(runs_by_key(job.run_id).values()) == {1}
    assert job.called == {}


def test_where_no_cluster_is_named_the_workers_are_on_this_machine():
    none = {"_target_": "runner.cluster.none.NoCluster"}
    local = {"_target_": "runner.cluster.local.LocalCluster", "n_workers": 1}
    assert cluster_of(OmegaConf.create({"cluster": none})) == LocalCluster()
    assert cluster_of(OmegaConf.create({"cluster": local})) == LocalCluster(n_workers=1)
    with pytest.raises(ConfigError, match=r"cluster\._target_"):
        cluster_of(OmegaConf.create({"cluster": {"_target_": "os.system"}}))
    hidden = {**local, "adaptive": {"minimum": {"_target_": "os.getpid"}}}
    with pytest.raises(ConfigError, match=r"cluster\.adaptive\.minimum\._target_"):
        cluster_of(OmegaConf.create({"cluster": hidden}))


@pytest.mark.slow
def test_the_command_line_says_no_more_than_with_another_launcher(project, schema):
    shutil.copy(schema, project / "mlflow.db")
    write_odd_parts(project)
    file = write_experiment(project, {"grid": {"estimator.alpha": [0.1, 0.01]}})
    done = subprocess.run(
        [sys.executable, "-m", "runner", "run", file, "hydra/launcher=dask", *LOCAL],
        env={**os.environ, "PYTHONPATH": str(ROOT), "RUNNER_ALLOW": "odd_parts"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "distributed" not in done.stdout + done.stderr
    assert done.stderr.count("finished") == 2, done.stderr
    assert every_status() == ["FINISHED"] * 3
