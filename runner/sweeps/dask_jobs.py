"""The members of a sweep as jobs on the workers of a Dask cluster, told as they end."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any, Protocol, cast
from uuid import uuid4

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from runner.cluster.cluster import Cluster
from runner.cluster.layouts import dumps
from runner.cluster.none import NoCluster
from runner.config.job import check_targets
from runner.sweeps.dask_job import JobWork, Parcel, Task, failure
from runner.sweeps.home import home_of
from runner.sweeps.job import Job
from runner.sweeps.launch import OneByOne
from runner.sweeps.news import News
from runner.sweeps.plugin import job_of, launched_by
from runner.sweeps.teller import Teller

OnReturn = Callable[[int, JobReturn], None]


class Asked(Protocol):
    """The launcher that Hydra has set up."""

    hydra_context: HydraContext
    task_function: TaskFunction
    config: DictConfig
    on_return: OnReturn | None


def launch(launcher: Asked, lines: Sequence[Sequence[str]], first: int) -> list[JobReturn]:
    """Run each member as a whole experiment in a worker of the cluster.

    Those that another sweeper made become a sweep of the record too. So a member whose worker
    died is known there, and is gone on with instead of being run a second time.

    Parameters
    ----------
    launcher : Asked
        With the config, and with what is to be told of each job that ends.
    lines : sequence of sequences of str
        What each member is composed from.
    first : int
        The number of the first job.

    Returns
    -------
    list of JobReturn
        In the order of ``lines``; that of a member that failed says so.

    Raises
    ------
    ClusterError
        If the cluster cannot be reached, or is lost.
    """
    job = job_of(launcher.task_function)
    if not job.called:
        return _of_another_sweeper(launcher, job, lines)
    setup_globals()
    numbers = range(first, first + len(lines))
    tasks = [Task(n, tuple(line), job.called[n]) for n, line in zip(numbers, lines, strict=True)]
    work, cluster = work_of(launcher, job, lines), cluster_of(launcher.config)
    with cluster.open() as workers:
        assert workers is not None, "a cluster has workers"  # noqa: S101
        workers.check_files(dict.fromkeys((work.home.project, work.home.folder)))
        grows = getattr(cluster, "adaptive", None) is not None  # with what waits
        n_each = None if grows else 1  # a member that kills its worker harms no other there
        news = News()
        with (
            workers.listening(work.topic, news.hear),
            news.told(),
            news.states_kept(lambda: workers.addresses),
            closing(workers.each(work, tasks, n_each)) as results,
        ):
            returned = _run(results, tasks, launcher.on_return)
    return [returned[number] for number in numbers]


def _of_another_sweeper(
    launcher: Asked, job: Job, lines: Sequence[Sequence[str]]
) -> list[JobReturn]:
    how = OneByOne(cast("Launcher", launcher))
    try:
        return launched_by(how, launcher.hydra_context, job, launcher.config, lines)
    finally:
        job.called, job.parent, launcher.on_return = {}, None, None


def _run(
    results: Iterable[tuple[int, Any]], tasks: Sequence[Task], on_return: OnReturn | None
) -> dict[int, JobReturn]:
    returned = {}
    for place, result in results:
        task = tasks[place]
        is_lost = isinstance(result, BaseException)
        back = failure(task, result) if is_lost else result
        returned[task.number] = back
        if on_return is not None:
            on_return(task.number, back)
    return returned


def cluster_of(config: DictConfig) -> Cluster:
    """Return the cluster that a config names; where it names none, the cores of this machine.

    Raises
    ------
    ConfigError
        If its settings are not what they should be.
    """
    node = OmegaConf.select(config, "cluster")
    plain = {} if node is None else OmegaConf.to_container(node, resolve=True)
    cluster: Any = NoCluster()
    if plain:
        check_targets("cluster", plain)
        cluster = instantiate(plain, _convert_="all")
    if not isinstance(cluster, NoCluster):
        return cast("Cluster", cluster)
    from runner.cluster.local import LocalCluster

    return LocalCluster()


def work_of(launcher: Asked, job: Job, lines: Iterable[Iterable[str]]) -> JobWork:
    """Return what is sent to the workers; what all members are called is not sent to each."""
    OmegaConf.select(launcher.config, "hydra.sweep.dir")  # known now, it is one for all of them
    sent = Job(Teller(), parent=job.parent)
    parcel = Parcel(
        launcher.hydra_context, launcher.config, sent, cast("Any", Singleton.get_state())
    )
    texts = [OmegaConf.to_yaml(launcher.config), *(text for line in lines for text in line)]
    return JobWork(home_of(texts, os.environ), dumps(parcel), f"runner-jobs-{uuid4().hex}")
