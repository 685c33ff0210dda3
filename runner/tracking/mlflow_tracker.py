"""The record of runs in an MLflow store."""

import getpass
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeVar

from runner.protocols import SweepRun
from runner.redaction import redacted
from runner.rules import Rule, boolean, check, null, number
from runner.tracking.client import reported
from runner.tracking.git import GitState
from runner.tracking.open_run import OpenRun
from runner.tracking.process import Process
from runner.tracking.resuming import ended_sweep
from runner.tracking.run import MlflowRun
from runner.tracking.session import Session
from runner.tracking.spool import check_runs_folder, runs_folder
from runner.tracking.store import preflight, resolve
from runner.tracking.sweep_run import MlflowSweep
from runner.tracking.tags import KEY, KIND, MEMBER, PARENT, PROCESS, RUN, SWEEP
from runner.tracking.termination import status_of, terminated_by_signal

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Open = TypeVar("Open", bound=OpenRun)


@dataclass(kw_only=True)
class MlflowTracker:
    """Keep runs in MLflow.

    Parameters
    ----------
    uri : str or None
        The store: an SQLite or other database, or a server. When not given,
        ``$MLFLOW_TRACKING_URI``, else ``mlflow.db`` beside the project.
    experiment : str
        The MLflow experiment that the runs belong to.
    log_model : bool
        Whether to keep the fitted model.
    flush_every_s : float
        The longest time in seconds between two batches of metrics.
    tags : mapping of str to str
        Further tags of every run.
    """

    uri: str | None = None
    experiment: str = "runner"
    log_model: bool = True
    flush_every_s: float = 5.0
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse settings that are not what they should be."""
        check(
            "tracking",
            self,
            uri=Rule("text", lambda value: isinstance(value, str)) | null(),
            log_model=boolean(),
            flush_every_s=number(least=0),
            tags=Rule("a mapping", lambda value: isinstance(value, Mapping)),
        )

    def check(self) -> None:
        """Say within five seconds that no run can be kept; MLflow is not imported for that.

        Raises
        ------
        TrackingError
            If the store or the project's folder cannot be written.
        """
        preflight(resolve(self.uri))
        check_runs_folder()

    @contextmanager
    def start_run(
        self,
        name: str,
        *,
        command: str = "",
        parent: SweepRun | str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Iterator[MlflowRun]:
        """Open a run; leaving the context ends it with a true status.

        An exception marks the run FAILED, Ctrl-C, SIGTERM and SIGHUP mark it KILLED; the signals
        arrive as ``Terminated``. Runs of this project that were killed before are mended first.
        A member of an open sweep of the same store shares what the sweep found out about it, and
        an earlier run of the same member counts no more.

        Parameters
        ----------
        name : str
            The run's name.
        command : str
            What repeats the run.
        parent : SweepRun, str or None
            The sweep that the run is a member of; its id where another process holds it.
        tags : mapping of str to str or None
            Further tags of this run, such as ``runner.tracking.tags.member_tags`` makes.

        Raises
        ------
        TrackingError
            If the store or the project's folder cannot be written; said within five seconds.
        """
        store = resolve(self.uri)
        sweep = (
            parent if isinstance(parent, MlflowSweep) and parent.session.store == store else None
        )
        session = Session.open(store) if sweep is None else sweep.session
        experiment = session.experiment(str(self.experiment))
        parent_id = parent if isinstance(parent, str) or parent is None else parent.run_id
        kind = {KIND: RUN} if not parent_id else {KIND: MEMBER, PARENT: parent_id}
        own = {key: redacted(str(value)) for key, value in {**self.tags, **(tags or {})}.items()}
        all_tags = {**_tags(command, session.git), **kind, **own}

        def wrap(started: "Run") -> MlflowRun:
            return MlflowRun(
                session,
                started,
                command=command,
                keep_model=self.log_model,
                flush_every_s=self.flush_every_s,
                in_sweep=sweep is not None,
            )

        begin = partial(
            session.client.create_run, experiment, run_name=redacted(name), tags=all_tags
        )
        with _truly_ended(session, begin, wrap) as run:
            if sweep is not None and KEY in own:
                sweep.supersede(own[KEY], run.run_id)
            yield run

    @contextmanager
    def start_sweep(
        self, name: str, *, command: str = "", resumed: str | None = None
    ) -> Iterator[MlflowSweep]:
        """Open the run of a sweep; leaving the context ends it with a true status.

        That is FINISHED only if all members of the latest leaderboard are; an exception marks it
        as it would mark a run.

        Parameters
        ----------
        name : str
            The sweep's name.
        command : str
            What repeats the sweep.
        resumed : str or None
            The id of a sweep that has ended, or was killed, to go on with.

        Raises
        ------
        TrackingError
            If the store or the project's folder cannot be written; if there is no such sweep to
            go on with, or a process still does.
        """
        session = Session.open(resolve(self.uri))
        tags = {**_tags(command, session.git), KIND: SWEEP}
        own = {key: redacted(str(value)) for key, value in self.tags.items()}
        if resumed is None:
            experiment = session.experiment(str(self.experiment))
            create, every = session.client.create_run, {**tags, **own}
            begin = partial(create, experiment, run_name=redacted(name), tags=every)
        else:
            begin = partial(ended_sweep, session, resumed)

        def wrap(started: "Run") -> MlflowSweep:
            return MlflowSweep(session, started, command=command, flush_every_s=self.flush_every_s)

        with _truly_ended(session, begin, wrap) as sweep:
            if resumed is not None:
                sweep.reopen(tags)
            yield sweep


@contextmanager
def _truly_ended(
    session: Session, begin: "Callable[[], Run]", wrap: "Callable[[Run], Open]"
) -> "Iterator[Open]":
    """Begin a run, and end it with the status that says how the context was left."""
    with terminated_by_signal():
        started = run = None
        try:
            with reported(session.store):
                started = begin()
            run = wrap(started)
            yield run
        except BaseException as error:
            if run is not None:
                run.end(error)
            elif started is not None and started.info.status == "RUNNING":
                _give_up(session.client, started.info.run_id, status_of(error))
            raise
        run.end()


def _tags(command: str, git: GitState | None) -> dict[str, str]:
    tags = {
        "mlflow.user": _user(),
        "mlflow.source.type": "LOCAL",
        "runner.version": version("incremental-runner"),
    }
    process = Process.current()
    if process is not None:
        tags[PROCESS] = str(process)
    if command:
        tags["mlflow.source.name"] = redacted(command)
    if git is not None:
        tags["mlflow.source.git.commit"] = git.commit
        tags["mlflow.source.git.branch"] = git.branch
        if git.remote:
            tags["mlflow.source.git.repoURL"] = git.remote
    return tags


def _give_up(client: "MlflowClient", run_id: str, status: str) -> None:
    """End a run that has not begun; why it has not is told, not that this may fail too."""
    shutil.rmtree(runs_folder() / run_id, ignore_errors=True)
    with suppress(Exception):
        client.set_terminated(run_id, status)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
