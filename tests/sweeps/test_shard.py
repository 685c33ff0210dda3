"""A shard, run in this process as a worker runs it."""

import os
import pickle
from pathlib import Path

import pytest

from runner.callbacks.progress_bar import ProgressBar
from runner.cluster.local import LocalCluster
from runner.cluster.none import NoCluster
from runner.errors import ClusterError
from runner.sweeps.begun import Sitting, recorded_runs
from runner.sweeps.home import home_of
from runner.sweeps.shard import Shard, ShardWork, silent, threads_here
from runner.sweeps.shared_pass import run_group
from runner.tracking.memory_tracker import MemoryTracker
from runner.tracking.record import children, find_run
from runner.tracking.tags import RESUMED, member_tags
from tests.sweeps.conftest import (
    Counted,
    experiment_of,
    read_of,
    runs_by_key,
    share_pass,
)

KEPT = """\
callbacks:
  keep: {_target_: runner.callbacks.checkpoint.Checkpoint, after_s: 0, every_s: 0, cost: 1000}
"""


class Swept:
    """A sweep that is open in the record, whose shards are run by hand."""

    def __init__(self, job, sweep):
        (self.group,) = job.teller.plans[0].groups
        self.run_id = sweep.run_id
        self.tracking = self.group.lead.tracking

    def shard(self, **changes):
        members = tuple(built.member for built in self.group.built)
        known = {"members": members, "before": {}, "tournament": self.group.tournament}
        return Shard(**known | changes)

    def run(self, shard=None, **options):
        work = ShardWork(home_of((), os.environ), self.run_id, "topic", **options)
        return work(pickle.dumps(shard or self.shard()))

    def statuses(self):
        return [run.status for run in children(find_run(self.run_id))]


@pytest.fixture
def begun(swept):
    """Return what plans a sweep and opens it."""
    opened = []

    def begun(sweep, *overrides, more=KEPT):
        job = swept(sweep, *overrides, more=more, dry_run=True)
        tracking = job.teller.plans[0].groups[0].lead.tracking
        context = tracking.start_sweep("by hand")
        opened.append(context)
        return Swept(job, context.__enter__())

    yield begun
    for context in opened:
        context.__exit__(None, None, None)


def test_a_shard_is_a_shared_pass_below_the_sweep(begun, project):
    sweep = begun({"grid": {"estimator.alpha": [0.1, 0.2, 0.3]}})
    came = sweep.run()
    assert [outcome.status for outcome in came.outcomes] == ["FINISHED"] * 3
    assert sweep.statuses() == ["FINISHED"] * 3
    assert read_of(project) == 10
    assert Path.cwd() == project


def test_what_was_finished_is_returned_and_not_run_again(begun, project):
    sweep = begun({"grid": {"estimator.alpha": [0.1, 0.2, 0.3]}})
    whole = sweep.shard()
    first = sweep.run(whole._replace(members=whole.members[:2]))
    before = read_of(project)
    again = sweep.run(whole._replace(members=whole.members[:2]))
    assert read_of(project) == before
    assert again.outcomes == first.outcomes
    all_of_it = sweep.run(whole)
    assert all_of_it.outcomes[:2] == first.outcomes
    assert set(runs_by_key(sweep.run_id).values()) == {1}


def test_a_member_that_failed_is_not_tried_again_in_the_same_sweep(begun, project):
    sweep = begun({"runs": [{"estimator.how": "once raise"}, {}]})
    first = sweep.run()
    assert [outcome.status for outcome in first.outcomes] == ["FAILED", "FINISHED"]
    again = sweep.run()
    assert [outcome.status for outcome in again.outcomes] == ["FAILED", "FINISHED"]
    assert again.outcomes[0].error == first.outcomes[0].error
    assert set(runs_by_key(sweep.run_id).values()) == {1}


@pytest.mark.parametrize(("more", "n_reads"), [(KEPT, 9), ("", 10)])
def test_what_was_begun_goes_on_in_the_run_that_it_has(begun, project, more, n_reads):
    """Without a state it begins anew, in the same run too."""
    sweep = begun(
        {"runs": [{"estimator.how": "once interrupt", "estimator.at": 4}, {}]}, more=more
    )
    with pytest.raises(KeyboardInterrupt):
        sweep.run()
    assert sweep.statuses() == ["KILLED", "KILLED"]
    before = read_of(project)
    came = sweep.run()
    assert read_of(project) - before <= n_reads  # of which two compare a block that was learned
    assert sorted(outcome.status for outcome in came.outcomes) == ["FINISHED", "FINISHED"]
    runs = children(find_run(sweep.run_id))
    assert [run.tags[RESUMED] for run in runs] == ["1", "1"]
    assert set(runs_by_key(sweep.run_id).values()) == {1}


def test_what_was_before_the_launch_is_done_as_a_resumption_does_it(begun):
    """A member that had failed without a state gets a new run."""
    sweep = begun({"runs": [{"estimator.how": "once raise"}]}, more="")
    sweep.run()
    runs = recorded_runs(sweep.tracking, sweep.run_id)
    before = {key: Sitting.of(run) for key, run in runs.items()}
    came = sweep.run(sweep.shard(before=before))
    assert [outcome.status for outcome in came.outcomes] == ["FINISHED"]
    assert list(runs_by_key(sweep.run_id).values()) == [2]


def test_a_member_that_a_lost_worker_goes_on_with_is_told_and_gets_no_second_run(
    begun, monkeypatch
):
    sweep = begun({"grid": {"estimator.alpha": [0.1, 0.2]}})
    called = sweep.shard().members[0].called
    tags = member_tags(called.number, called.key, called.params)
    monkeypatch.setattr("runner.sweeps.begun.PATIENCE_S", 0.0)
    with (
        sweep.tracking.start_run(called.name, parent=sweep.run_id, tags=tags),
        pytest.raises(ClusterError, match="which goes on with it"),
    ):
        sweep.run()
    assert runs_by_key(sweep.run_id) == {called.key: 1}


def test_the_first_failure_may_end_the_others(begun):
    sweep = begun({"runs": [{"estimator.how": "raise"}, {}]})
    came = sweep.run(fail_fast=True)
    assert [outcome.status for outcome in came.outcomes] == ["FAILED", "KILLED"]


def test_a_halving_goes_on_with_what_it_found(begun):
    halved = {
        "grid": {"estimator.alpha": [1e-4, 1e-2, 1.0, 10.0, 100.0, 1000.0]},
        "halving": {"first_rows": 40, "factor": 2},
    }
    whole = begun(halved).run()
    more = {"runs": [{"estimator.alpha": alpha} for alpha in halved["grid"]["estimator.alpha"]]}
    more |= {"halving": halved["halving"]}
    more["runs"][0] |= {"estimator.how": "once interrupt", "estimator.at": 4}
    sweep = begun(more)
    with pytest.raises(KeyboardInterrupt):
        sweep.run()
    again = sweep.run()

    def told(came):
        return {each.number: (each.status, each.rung, each.scores) for each in came.outcomes}

    assert told(again) == told(whole)
    assert len(again.tournament.decisions) == len(whole.tournament.decisions)


def test_a_worker_without_the_project_says_so(begun, tmp_path):
    sweep = begun({"grid": {"estimator.alpha": [0.1, 0.2]}})
    home = home_of((), os.environ)._replace(project=str(tmp_path / "nowhere"))
    work = ShardWork(home, sweep.run_id, "topic")
    with pytest.raises(ClusterError, match="nowhere"):
        work(pickle.dumps(sweep.shard()))


def test_an_experiment_shows_nothing_there_and_needs_no_cluster():
    bar, cluster = ProgressBar(), LocalCluster(n_workers=2)
    there = silent(experiment_of(Counted(), callbacks={"bar": bar}, cluster=cluster))
    assert there.callbacks == {}
    assert isinstance(there.cluster, NoCluster)


def test_outside_a_worker_it_goes_on_with_one_thread():
    assert threads_here() == 1


def test_what_nobody_waits_for_keeps_its_state_and_stops():
    class Unwanted:
        run, is_wanted = None, False

        def __init__(self):
            self.outcomes = []

        def ended(self, outcome):
            self.outcomes.append(outcome)

    passed = share_pass([experiment_of(Counted(), tracking=MemoryTracker()) for _ in range(2)])
    told = Unwanted()
    with pytest.raises(KeyboardInterrupt):
        run_group(passed.group, told)
    assert [outcome.status for outcome in told.outcomes] == ["KILLED", "KILLED"]
    assert {outcome.rows for outcome in told.outcomes} == {20}
