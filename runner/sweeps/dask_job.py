"""A member of a sweep as a job on a Dask worker, which lives on and runs the next one."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext
from omegaconf import DictConfig, open_dict

from runner.cluster.layouts import loads
from runner.cluster.none import NoCluster
from runner.config.compose import Composed
from runner.config.job import build
from runner.config.messages import in_our_words
from runner.errors import FitError
from runner.records import Outcome
from runner.redaction import one_line
from runner.saved import Resumed, read
from runner.sweeps.begun import begun_runs
from runner.sweeps.home import Home, at_home
from runner.sweeps.job import Job
from runner.sweeps.trials import Called
from runner.sweeps.wanted import WhileWanted, followed
from runner.tracking.members import outcome_of


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
class JobWork:
    """What the workers call with each task.

    Parameters
    ----------
    home : Home
        Where to be meanwhile.
    content : bytes
        A ``Parcel`` by ``layouts.dumps``, opened where the project's modules are found.
    topic : str
        Where the client listens.
    """

    home: Home
    content: bytes
    topic: str

    def __call__(self, task: Task) -> JobReturn:
        """Run a member and return how it ended; a job ends its worker only by killing it."""
        try:
            with at_home(self.home), followed(self.topic) as is_wanted:
                parcel = loads(self.content)
                return _portable(_run(parcel, task, is_wanted))
        except BaseException as error:  # noqa: BLE001
            return _portable(failure(task, error))


@dataclass(frozen=True)
class Once:
    """What Hydra calls with the config of a member: it is run unless it has ended before.

    A worker that dies may have begun the member, or have finished it and not told so.

    Parameters
    ----------
    job : Job
        What runs it.
    called : Called
        By what it is known.
    is_wanted : callable
        Says whether somebody still waits for it; if not, it keeps its state and stops.
    """

    job: Job
    called: Called
    is_wanted: Callable[[], bool]

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
        audience, key = WhileWanted(self.is_wanted), self.called.key
        begun = begun_runs(
            experiment.tracking, self.job.parent, (key,), is_wanted=self.is_wanted
        ).get(key)
        if begun is None:
            return self.job.learned(experiment, recipe, self.called, audience=audience)
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
        return self.job.learned(experiment, recipe, self.called, resumed, audience)


def failure(task: Task, error: BaseException) -> JobReturn:
    """Return what Hydra wants to be told of a job that an error ended."""
    return JobReturn(list(task.overrides), status=JobStatus.FAILED, _return_value=error)


def _run(parcel: Parcel, task: Task, is_wanted: Callable[[], bool]) -> JobReturn:
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
        task_function=Once(parcel.job, task.called, is_wanted),
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
