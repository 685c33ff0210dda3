"""Sweeps on real worker processes: dealt, killed, interrupted, gone on with."""

import _thread
import json
import os
import signal
from collections import Counter
from contextlib import contextmanager

import pytest
from omegaconf import OmegaConf

import runner
from runner.cli import main
from runner.errors import ClusterError, ConfigError
from runner.sweeps.job import Job
from runner.sweeps.launch import SharedPass
from runner.sweeps.resume import resume
from runner.sweeps.shards import Shards, expected_workers, launch_of
from runner.tracking.record import find_run, recent_runs
from runner.tracking.tags import MODEL_HASH, RESUMED
from tests.cluster.conftest import Processes
from tests.sweeps.conftest import (
    Heard,
    members_of,
    read_of,
    runs_by_key,
    when,
    write_experiment,
)

HERE = {"_target_": "runner.cluster.none.NoCluster"}
LOCAL = {"_target_": "runner.cluster.local.LocalCluster", "n_workers": 2}
NO_PAGES = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
KEPT = """\
callbacks:
  keep: {_target_: runner.callbacks.checkpoint.Checkpoint, after_s: 0, every_s: 0, cost: 1000}
"""
DELAY = "dataset.arguments.delay=0.05"


@pytest.fixture(scope="module")
def cluster():
    """Start a scheduler and two worker processes for the tests of this module."""
    from distributed import LocalCluster, Security

    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs=NO_PAGES,
        security=Security(require_encryption=False),
        protocol="tcp://",
        memory_limit=None,
        silence_logs="CRITICAL",
    ) as cluster:
        yield cluster


@pytest.fixture
def on(cluster):
    """Return the overrides that choose the cluster, once both workers are ready."""
    from distributed import Client

    with Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(2)
        client.run(__import__, "runner.sweeps.shard")
    return ("cluster=address", f"cluster.address={cluster.scheduler_address}")


def pids(cluster):
    """Return the process of each worker that is there."""
    nannies = [nanny for nanny in cluster.workers.values() if nanny.process is not None]
    return [nanny.pid for nanny in nannies if nanny.pid is not None]


def gone_on(run_id, **options):
    job = Job(Heard())
    resume(run_id, job, **options)
    return job


def facts(job):
    """Return what does not depend on where a member was run."""
    return [
        (run.name, run.status, run.scores, run.rows, run.tags[MODEL_HASH])
        for run in members_of(job)
    ]


def statuses(job):
    return [outcome.status for outcome in job.outcomes]


def twelve():
    """Return members of two groups, of which a half ends after one of three epochs."""
    return [
        {
            "dataset.arguments.size": (20, 30)[number % 2],
            "estimator.alpha": 10.0 ** -(number % 5),
            "estimator.at": number,
            "fit.epochs": 1 if number < 6 else 3,
        }
        for number in range(12)
    ]


def test_a_killed_worker_costs_no_member_and_none_is_run_twice(swept, project, cluster, on):
    local = swept({"runs": twelve()}, more=KEPT)
    ended, done = [], set()

    def kill():
        done.update(outcome.number for outcome in ended)
        os.kill(pids(cluster)[0], signal.SIGKILL)

    with when(lambda: len(ended) >= 3, kill):
        job = swept({"runs": twelve()}, *on, DELAY, more=KEPT, told=ended)
    assert statuses(job) == ["FINISHED"] * 12
    assert find_run(job.run_id).status == "FINISHED"
    assert set(runs_by_key(job.run_id).values()) == {1}
    assert facts(job) == facts(local)
    resumed = {int(run.name.partition(":")[0]) for run in members_of(job) if RESUMED in run.tags}
    assert resumed
    assert not resumed & done
    assert done <= set(range(6))
    told = Counter(outcome.number for outcome in ended if outcome.status == "FINISHED")
    assert told == Counter(range(12))


def test_each_shard_reads_the_blocks_once(swept, project, on):
    write_experiment(project, {"grid": {"estimator.alpha": [0.1 * n for n in range(1, 7)]}})
    table = runner.sweep("odd", list(on))
    assert list(table["status"]) == ["FINISHED"] * 6
    assert read_of(project) == 2 * 10
    assert find_run(table.attrs["run_id"]).status == "FINISHED"


@pytest.mark.slow
def test_a_member_that_kills_its_worker_costs_no_other(swept, cluster, on, monkeypatch):
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    job = swept({"runs": [{}, {"estimator.alpha": 0.1}, {"estimator.how": "kill"}]}, *on)
    assert statuses(job) == ["FINISHED", "FINISHED", "KILLED"]
    assert "leave its worker alive" in job.outcomes[2].error
    assert set(runs_by_key(job.run_id).values()) == {1}
    assert [run.status for run in members_of(job)] == statuses(job)
    assert find_run(job.run_id).status == "FAILED"


def test_ctrl_c_keeps_states_that_can_be_gone_on_from(swept, project, on):
    sweep = {"grid": {"estimator.alpha": [0.1, 0.2, 0.3]}}
    local = swept(sweep, "fit.epochs=3", more=KEPT)
    before = read_of(project)
    with (
        when(lambda: read_of(project) - before > 10, _thread.interrupt_main),
        pytest.raises(KeyboardInterrupt),
    ):
        swept(sweep, "fit.epochs=3", *on, "dataset.arguments.delay=0.2", more=KEPT)
    (run,) = [run for run in recent_runs() if run.status == "KILLED"]
    (*members,) = runs_by_key(run.run_id).values()
    assert members == [1, 1, 1]
    before = read_of(project)
    job = gone_on(run.run_id, overrides=["cluster=none"])
    assert statuses(job) == ["FINISHED"] * 3
    assert read_of(project) - before < 26
    assert facts(job) == facts(local)
    assert set(runs_by_key(run.run_id).values()) == {1}


def test_a_halving_decides_on_a_worker_as_it_does_here(swept, on):
    sweep = {
        "grid": {"estimator.alpha": [1e-4, 1e-2, 1.0, 10.0, 100.0, 1000.0]},
        "halving": {"first_rows": 40, "factor": 2},
    }
    local, there = swept(sweep), swept(sweep, *on)
    assert facts(there) == facts(local)
    assert [each.rung for each in there.outcomes] == [each.rung for each in local.outcomes]
    assert there.verdicts == local.verdicts
    assert [group.n_shards for group in there.teller.plans[0].groups] == [1]


def test_the_first_failure_may_end_a_sweep(swept, on):
    runs = [{"estimator.how": "raise"}, {"fit.epochs": 40}, {"fit.epochs": 50}]
    job = swept({"runs": runs}, *on, DELAY, fail_fast=True)
    assert statuses(job) == ["FAILED", "KILLED", "KILLED"]
    assert [run.status for run in members_of(job)] == statuses(job)


@pytest.fixture
def bare(tmp_path):
    """Yield a scheduler's address, its process, and that of a worker that nobody starts again."""
    processes = Processes(tmp_path)
    try:
        scheduler = processes.start_scheduler()
        yield processes.address, scheduler, processes.start_worker("--no-nanny")
    finally:
        processes.end()


@pytest.mark.parametrize("lost", ["workers", pytest.param("scheduler", marks=pytest.mark.slow)])
def test_a_sweep_whose_cluster_is_lost_is_finished_later(swept, project, lost, bare):
    sweep = {"grid": {"estimator.alpha": [0.1, 0.2], "fit.epochs": [1, 3]}}
    local = swept(sweep, more=KEPT)
    before = read_of(project)
    address, scheduler, worker = bare
    broken = worker if lost == "workers" else scheduler
    on = ("cluster=address", f"cluster.address={address}", "cluster.patience_s=3")
    with when(lambda: read_of(project) - before > 16, broken.kill), lost_cluster() as raised:
        swept(sweep, *on, DELAY, more=KEPT)
    (run,) = [run for run in recent_runs() if run.status == "FAILED"]
    assert f"runner resume {run.run_id[:8]}" in "".join(raised[0].__notes__)
    assert "RUNNING" not in runs_of(run)
    assert main(["resume", run.run_id[:8], "cluster=none"]) == 0
    job = Job()
    job.run_id = run.run_id
    assert facts(job) == facts(local)
    assert set(runs_by_key(run.run_id).values()) == {1}


@contextmanager
def lost_cluster():
    """Keep the error of a sweep that cannot go on."""
    raised = []
    try:
        yield raised
    except ClusterError as error:
        raised.append(error)
    assert raised


def runs_of(run):
    job = Job()
    job.run_id = run.run_id
    return [member.status for member in members_of(job)]


@pytest.mark.slow
def test_the_command_line_starts_a_cluster_of_its_own(swept, project, capsys):
    file = write_experiment(project, {"grid": {"estimator.alpha": [0.1, 0.2, 0.3]}})
    asked = ["run", file, "cluster=local", "cluster.n_workers=2"]
    assert main([*asked, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "sweep of 3 members in 1 group, in 2 shards on 2 workers" in out
    assert "30 block reads become 20" in out
    assert read_of(project) == 0
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["plan"]["workers"] == 2
    assert [member["status"] for member in found["members"]] == ["FINISHED"] * 3
    assert read_of(project) == 20


def test_a_worker_that_does_not_see_the_project_is_told_by_name(swept, on, monkeypatch):
    monkeypatch.setattr("runner.sweeps.shards._paths", lambda *_: ["/nowhere/at/all"])
    with pytest.raises(ClusterError, match=r"The worker tcp://127.* got no /nowhere/at/all"):
        swept({"grid": {"estimator.alpha": [0.1, 0.2]}}, *on)
    (run,) = recent_runs()
    assert run.status == "FAILED"
    assert runs_of(run) == []


def test_a_sweep_without_a_record_runs_on_workers_too(swept, on):
    job = swept(
        {"grid": {"estimator.alpha": [0.1, 0.2]}}, *on, "tracking=none", "~tracking.log_model"
    )
    assert statuses(job) == ["FINISHED", "FINISHED"]


def test_one_cluster_runs_all_members():
    nodes = [OmegaConf.create(LOCAL), OmegaConf.create(LOCAL)]
    assert isinstance(launch_of(nodes), Shards)
    with pytest.raises(ConfigError, match=r"be the same for all members .* got 2 different"):
        launch_of([*nodes, OmegaConf.create(HERE)])


@pytest.mark.parametrize("nodes", [[], [None], [OmegaConf.create(HERE)]])
def test_without_a_cluster_members_share_a_pass_in_this_process(nodes):
    assert launch_of(nodes, 3) == SharedPass(3)


class Ssh:
    n_workers = 2
    hosts = ("first", "second", "third")


@pytest.mark.parametrize(("cluster", "n"), [(Ssh(), 4), (object(), None)])
def test_how_many_workers_there_will_be_is_told_by_the_settings(cluster, n):
    assert expected_workers(cluster) == n
