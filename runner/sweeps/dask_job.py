"""A member of a sweep as a job on a Dask worker, which lives on and runs the next one."""

import logging
import os
import pickle
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext
from omegaconf import DictConfig, open_dict
from omegaconf.basecontainer import BaseContainer

from runner.cluster.at_worker import address
from runner.cluster.layouts import loads
from runner.cluster.none import NoCluster
from runner.config.app import prepare
from runner.config.compose import Composed
from runner.config.job import build
from runner.config.messages import in_our_words
from runner.errors import ClusterError, FitError
from runner.records import Outcome
from runner.redaction import one_line
from runner.saved import Resumed, read
from runner.sweeps.begun import begun_run
from runner.sweeps.job import Job
from runner.sweeps.trials import Called
from runner.tracking.members import outcome_of
from runner.tracking.memory_tracker import MemoryTracker

_OURS = ("runner", "hydra_plugins")
_one_at_a_time = Lock()  # Hydra's state, the folder and the environment are those of a process


class Home(NamedTuple):
    """Where jobs belong: the project, the working folder, variables of the environment."""

    project: str
    folder: str
    variables: Mapping[str, str]


class Parcel(NamedTuple):
    """What all jobs of a sweep need of the process that conducts it."""

    context: HydraContext
    config: DictConfig
    job: Job
    singletons: Any


class Task(NamedTuple):
    """A member: the number of its job, what it is composed from, and what it is called."""

    number: int
    overrides: tuple[str, ...]
    called: Called


@dataclass(frozen=True)
class Work:
    """What the workers call with each task.

    Parameters
    ----------
    home : Home
        Where to be meanwhile.
    content : bytes
        A ``Parcel`` by ``layouts.dumps``, opened where the project's modules are found.
    """

    home: Home
    content: bytes

    def __call__(self, task: Task) -> JobReturn:
        """Run a member and return how it ended; a job ends its worker only by killing it."""
        with _one_at_a_time, redirect_stdout(sys.stderr):
            try:
                with at_home(self.home):
                    parcel = loads(self.content)
                    return _portable(_run(parcel, task))
            except BaseException as error:  # noqa: BLE001
                return _portable(failure(task, error))


@dataclass(frozen=True)
class Once:
    """What Hydra calls with the config of a member: it is run unless it has ended before.

    A worker that dies may have begun the member, or have finished it and not told so.
    """

    job: Job
    called: Called

    def __call__(self, config: DictConfig) -> Outcome:
        """Run the member, in the run that it has if it was begun before.

        Raises
        ------
        Exception
            What ended it.
        """
        with in_our_words():
            composed = Composed.from_hydra(config)
        experiment, recipe = build(composed)
        experiment.cluster = NoCluster()  # this is a worker of it
        if isinstance(experiment.tracking, MemoryTracker):  # the sweep is in another memory
            return replace(self.job, parent=None).learned(experiment, recipe, self.called)
        begun = begun_run(experiment.tracking, self.job.parent, self.called.key)
        if begun is None:
            return self.job.learned(experiment, recipe, self.called)
        run, page = begun
        if run.status == "FINISHED":
            return replace(outcome_of(run, page), **self.called._asdict())
        if run.status == "FAILED":
            raise FitError(
                f"Member {self.called.name}",
                "finish",
                got=(outcome_of(run).error or run.status).rstrip("."),
                remedy="`runner resume` runs what is left.",
            )
        resumed = Resumed(run.run_id, read(run.run_id))
        return self.job.learned(experiment, recipe, self.called, resumed)


def failure(task: Task, error: BaseException) -> JobReturn:
    """Return what Hydra wants to be told of a job that an error ended."""
    return JobReturn(list(task.overrides), status=JobStatus.FAILED, _return_value=error)


def _run(parcel: Parcel, task: Task) -> JobReturn:
    """Run a job as Hydra's own launchers do."""
    Singleton.set_state(parcel.singletons)
    setup_globals()
    loader = parcel.context.config_loader
    config = loader.load_sweep_config(parcel.config, list(task.overrides))
    with open_dict(config):
        config.hydra.job.id = f"{config.hydra.job.name}_{task.number}"
        config.hydra.job.num = task.number
    HydraConfig.instance().set_config(config)
    return run_job(
        hydra_context=parcel.context,
        task_function=Once(parcel.job, task.called),
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )


def _portable(back: JobReturn) -> JobReturn:
    """Return what can be read by the client: an error may not survive to be sent."""
    error = back._return_value  # noqa: SLF001
    if isinstance(error, BaseException):
        error.__traceback__ = error.__cause__ = error.__context__ = None  # they hold blocks
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301
        except Exception:  # noqa: BLE001
            told = FitError("A member", "finish", got=one_line(error), remedy="See its record.")
            back._return_value = told  # noqa: SLF001
    return back


@contextmanager
def at_home(home: Home) -> Iterator[None]:
    """Be where the jobs belong, and leave the process as it was.

    Raises
    ------
    ClusterError
        If the project, or the working folder, is not there.
    """
    for folder in dict.fromkeys((home.project, home.folder)):
        if not Path(folder).is_dir():
            raise ClusterError(
                f"The worker {_here()}",
                "have the folders of the project",
                got=f"no folder {folder}",
                remedy="Mount it there under the same path.",
            )
    with ExitStack() as left:
        for restore in (_modules(home.project), _logging(), _hydra(), _process()):
            left.enter_context(restore)
        os.chdir(home.folder)
        os.environ.update(home.variables)
        prepare()
        yield


def _here() -> str:
    return f"{address() or os.getpid()} on {platform.node()}"


@contextmanager
def _process() -> Iterator[None]:
    folder, variables, path = Path.cwd(), dict(os.environ), list(sys.path)
    try:
        yield
    finally:
        os.chdir(folder)
        sys.path[:] = path
        for name in {*os.environ} - {*variables}:
            del os.environ[name]
        os.environ.update(variables)


@contextmanager
def _logging() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("runner")
    handlers, level, own = list(root.handlers), root.level, ours.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        ours.setLevel(own)


@contextmanager
def _hydra() -> Iterator[None]:
    instances, resolvers = Singleton._instances, dict(BaseContainer._resolvers)  # noqa: SLF001
    try:
        yield
    finally:
        Singleton._instances = instances  # noqa: SLF001
        BaseContainer._resolvers = resolvers  # noqa: SLF001


@contextmanager
def _modules(project: str) -> Iterator[None]:
    """Read the project's own modules anew for each job, as a new process would."""
    before = set(sys.modules)
    try:
        yield
    finally:
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            place = Path(project, *name.split("."))
            files = (str(place.with_suffix(".py")), str(place / "__init__.py"))
            if name.partition(".")[0] not in _OURS and file in files:
                del sys.modules[name]
