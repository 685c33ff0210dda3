"""The members of a sweep dealt over the workers of a cluster, in shards."""

import json
import os
import pickle
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from omegaconf import OmegaConf

from runner.cluster.cluster import Cluster
from runner.config.rebuilt import HERE
from runner.config.signatures.signature import TARGET
from runner.errors import ConfigError
from runner.project import project_root
from runner.protocols import Tracker
from runner.records import Outcome
from runner.sweeps.begun import Sitting, recorded_runs
from runner.sweeps.home import Home, home_of
from runner.sweeps.job import Job
from runner.sweeps.launch import Launch, SharedPass
from runner.sweeps.members import Member, canonical
from runner.sweeps.news import OF_ITSELF, PATIENCE_S, News
from runner.sweeps.plan import Group, Plan, dealt
from runner.sweeps.shard import Came, Shard, ShardWork
from runner.sweeps.shared_pass import FailFast
from runner.sweeps.standing import Standing
from runner.sweeps.trials import Called, failed
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import RecordedRun
from runner.tracking.spool import is_open
from runner.tracking.store import resolve

if TYPE_CHECKING:
    from runner.cluster.workers import Workers


def launch_of(clusters: Iterable[Any], threads: int | None = None) -> Launch:
    """Return what runs members that share their blocks: this process, or the workers of a cluster.

    Parameters
    ----------
    clusters : iterable of DictConfig
        The section ``cluster`` of each member.
    threads : int, optional
        How many members learn at the same time in this process.

    Raises
    ------
    ConfigError
        If members have different clusters.
    """
    found: dict[str, Any] = {}
    for node in clusters:
        plain = OmegaConf.to_container(node) if OmegaConf.is_config(node) else node or {}
        found.setdefault(json.dumps(canonical(plain), sort_keys=True), plain)
    if len(found) > 1:
        raise ConfigError(
            "cluster",
            "be the same for all members of a sweep, which one cluster runs",
            got=f"{len(found)} different sections",
            remedy="Sweep over other keys, or run a sweep for each cluster.",
        )
    chosen: Mapping[str, Any] = next(iter(found.values()), {})
    target = chosen.get(TARGET, HERE[TARGET])
    return SharedPass(threads) if target == HERE[TARGET] else Shards()


@dataclass(frozen=True)
class Shards:
    """Members dealt over workers; each shard is a shared pass of its own, with its own states.

    A worker that dies costs what its unfinished members learned since their last state: the
    scheduler gives the shard to another worker, and they go on there, in the runs that they have.
    A shard that kills one worker after the other is taken apart, so that one bad member costs no
    other.
    """

    is_shared: bool = True

    def dealt(self, plan: Plan) -> Plan:
        """Return a plan with its shards, as far as it is known how many workers there will be."""
        return dealt(plan, expected_workers(_cluster(plan))) if plan.groups else plan

    def __call__(self, plan: Plan, standing: Standing, job: Job) -> None:
        """Run the shards; each member that ends is told to ``standing`` at once.

        Raises
        ------
        ClusterError
            If the cluster cannot be reached or is lost, or a worker does not see the project.
        FailFast
            If a member failed and was to end the others.
        """
        if not plan.groups:
            return
        tracking = plan.groups[0].lead.tracking
        sweep = _Sweep(plan, standing, fail_fast=job.fail_fast)
        try:
            with _cluster(plan).open() as workers:
                assert workers is not None, "a cluster has workers"  # noqa: S101
                workers.check_files(_paths(plan, tracking))
                sweep.run(workers)
        finally:
            sweep.settle(tracking)


class _Sweep:
    """The shards of a sweep that is run, and how its members ended so far."""

    def __init__(self, plan: Plan, standing: Standing, *, fail_fast: bool) -> None:
        self._plan = plan
        self._standing = standing
        self._fail_fast = fail_fast
        self._topic = f"runner-shards-{uuid4().hex}"
        parent = standing.run.run_id
        there = recorded_runs(plan.groups[0].lead.tracking, parent)
        self._before = {key: Sitting.of(run) for key, run in there.items()}
        self._work = ShardWork(_home(plan), parent, self._topic, fail_fast)
        self._news = News(standing.ended)
        self._lost: dict[int, BaseException] = {}

    def run(self, workers: "Workers") -> None:
        """Run them all."""
        n_workers = max(expected_workers(_cluster(self._plan)) or 0, workers.n_workers)
        groups = dealt(self._plan, n_workers).groups
        shards = [self._shard(shard) for group in groups for shard in group.shards]
        with (
            workers.listening(self._topic, self._news.hear),
            self._news.told(),
            self._news.states_kept(lambda: workers.addresses),
        ):
            lost = self._pass(workers, shards, len(shards))
            if lost:  # one for each worker, so that none waits behind one that ends it
                self._pass(workers, lost, 1)

    def settle(self, tracking: Tracker) -> None:
        """Say how those members stand that were lost, or are not done, as the record has it."""
        runs = self._left_alone(tracking)
        recorded = self._standing.run.members() if runs else {}
        for called in (built.member.called for built in self._plan.built):
            if not self._news.is_done(called.number):
                error, known = self._lost.get(called.number), recorded.get(called.key)
                self._take(called, known, error)

    def _left_alone(self, tracking: Tracker) -> dict[str, RecordedRun]:
        """Return the members' runs once no process has one open, as one may that was cut off."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            runs = recorded_runs(tracking, self._standing.run.run_id)
            going_on = [run for run in runs.values() if run.status == "RUNNING"]
            if not any(is_open(run.run_id) for run in going_on) or time.monotonic() > deadline:
                return runs
            time.sleep(0.2)

    def _take(self, called: Called, known: Outcome | None, error: BaseException | None) -> None:
        told = None if error is None else failed(called, error)
        if told is not None:
            was = known or told
            is_over = was.status in OF_ITSELF
            lost = was if is_over else replace(was, status="KILLED", error=told.error)
            self._standing.ended(replace(lost, **called._asdict()))
        elif known is not None:
            self._standing.take(replace(known, **called._asdict()))

    def _shard(self, group: Group, members: Sequence[Member] | None = None) -> Shard:
        own = tuple(members or [built.member for built in group.built])
        keys = {member.key for member in own}
        before = {key: sitting for key, sitting in self._before.items() if key in keys}
        is_forced = any(built.resumed and built.resumed.is_forced for built in group.built)
        return Shard(own, before, is_forced, group.tournament)

    def _pass(self, workers: "Workers", shards: Sequence[Shard], n_each: int) -> list[Shard]:
        """Run shards, so many at once for each worker; return what is left, one by one."""
        again: list[Shard] = []
        tasks = [pickle.dumps(shard) for shard in shards]
        with closing(workers.each(self._work, tasks, n_each)) as results:
            for number, result in results:
                if isinstance(result, Came):
                    self._came(shards[number], result)
                else:
                    again += self._apart(shards[number], result)
        return again

    def _came(self, shard: Shard, came: Came) -> None:
        for outcome in came.outcomes:
            self._news.take(outcome)
        if shard.tournament is not None and came.tournament is not None:
            vars(shard.tournament).update(vars(came.tournament))  # for the verdict
        if self._fail_fast and any(outcome.status == "FAILED" for outcome in came.outcomes):
            raise FailFast("a member failed")

    def _apart(self, shard: Shard, error: BaseException) -> list[Shard]:
        left = [each for each in shard.members if not self._news.is_done(each.number)]
        if len(shard.members) > 1 and shard.tournament is None:
            return [shard._replace(members=(each,)) for each in left]
        self._lost |= {each.number: error for each in left}
        if self._fail_fast and left:
            raise FailFast("a member was lost")
        return []


def expected_workers(cluster: Cluster) -> int | None:
    """Return how many workers a cluster will have, as far as its settings say it.

    Examples
    --------
    >>> from runner.cluster.local import LocalCluster
    >>> expected_workers(LocalCluster(n_workers=2))
    2
    >>> expected_workers(LocalCluster(adaptive={"minimum": 1, "maximum": 8}))
    8
    """
    from dask.system import CPU_COUNT

    adaptive: Mapping[str, int] | None = getattr(cluster, "adaptive", None)
    if adaptive is not None:
        return adaptive["maximum"]
    if not hasattr(cluster, "n_workers"):
        return None
    n_hosts = len(getattr(cluster, "hosts", ())) - 1  # the first has the scheduler
    return int(cluster.n_workers or CPU_COUNT) * max(n_hosts, 1)


def _cluster(plan: Plan) -> Cluster:
    return plan.groups[0].lead.cluster


def _home(plan: Plan) -> Home:
    configs = (built.member.composed.config for built in plan.built)
    return home_of((str(OmegaConf.to_container(config)) for config in configs), os.environ)


def _paths(plan: Plan, tracking: Tracker) -> list[str]:
    """Return what all workers have to see: the project, the store, and the data."""
    found = [str(project_root()), str(Path.cwd())]
    if isinstance(tracking, MlflowTracker) and (file := resolve(tracking.uri).file) is not None:
        found.append(str(file))
    for group in plan.groups:
        found += group.lead.dataset.fingerprint()
    return list(dict.fromkeys(found))
