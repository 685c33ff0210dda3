"""The record of runs in an MLflow store."""

import getpass
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, TypeVar

from runner.protocols import SweepRun
from runner.redaction import redacted
from runner.rules import boolean, check, mapping, null, number, one_of, text
from runner.tracking.away import ERROR, LOCAL, answering, homes, tags_of
from runner.tracking.client import reported
from runner.tracking.git import GitState
from runner.tracking.open_run import OpenRun
from runner.tracking.process import Process
from runner.tracking.resuming import Begun, ended_run, sittings
from runner.tracking.run import MlflowRun
from runner.tracking.session import Session
from runner.tracking.spool import check_runs_folder, runs_folder
from runner.tracking.store import resolve
from runner.tracking.sweep_run import MlflowSweep
from runner.tracking.tags import KEY, KIND, MEMBER, PARENT, PROCESS, RUN, SWEEP
from runner.tracking.termination import status_of, terminated_by_signal

if TYPE_CHECKING:
    from mlflow import MlflowClient

Open = TypeVar("Open", bound=OpenRun)

URI = text(None, least=0) | null()
TAG = text(None, least=0) | number() | boolean()


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
    system_metrics_after_s : float or None
        Processor, memory, disk and network are recorded of a fit that takes so many seconds or
        more; None for no fit. Members of sweeps have none.
    tags : mapping of str to str
        Further tags of every run.
    when_away : str
        What a new run does when the store does not answer: ``error``, or ``local`` to be kept in
        the project until ``runner doctor --sync`` sends it.
    """

    uri: Annotated[str | None, URI] = None
    experiment: Annotated[str, text()] = "runner"
    log_model: Annotated[bool, boolean()] = True
    flush_every_s: Annotated[float, number(0)] = 5.0
    system_metrics_after_s: Annotated[float | None, number(0) | null()] = 10.0
    tags: Annotated[Mapping[str, str], mapping(TAG)] = field(default_factory=dict)
    when_away: Annotated[str, one_of(ERROR, LOCAL)] = ERROR

    def __post_init__(self) -> None:
        """Refuse settings that are not what they should be."""
        check("tracking", self)

    def check(self) -> None:
        """Say within five seconds that no run can be kept; MLflow is not imported for that.

        Raises
        ------
        TrackingError
            If the store or the project's folder cannot be written.
        """
        check_runs_folder()
        answering(resolve(self.uri), self.when_away)

    @contextmanager
    def start_run(
        self,
        name: str,
        *,
        command: str = "",
        parent: SweepRun | str | None = None,
        tags: Mapping[str, str] | None = None,
        resumed: str | None = None,
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
        resumed : str or None
            The id of a run that did not finish, to go on with. It keeps its name, its params and
            every point of its curves; a point that it has already is not logged again.

        Raises
        ------
        TrackingError
            If the store or the project's folder cannot be written; said within five seconds. If
            there is no such run to go on with, it finished, or a process still has it open.
        """
        sweep = self._open_here(parent)
        parent_id = parent if isinstance(parent, str) or parent is None else parent.run_id
        session = self._session(parent_id, resumed) if sweep is None else sweep.session
        kind = {KIND: RUN} if not parent_id else {KIND: MEMBER, PARENT: parent_id}
        own = self._own_tags(tags)
        if resumed is None:
            begin = self._begin(session, name, {**_tags(command, session.git), **kind, **own})
        else:
            begin = partial(ended_run, session, resumed, kind[KIND])

        def wrap(begun: Begun) -> MlflowRun:
            return MlflowRun(
                session,
                begun.run,
                command=command,
                keep_model=self.log_model,
                flush_every_s=self.flush_every_s,
                in_sweep=sweep is not None,
                system_metrics_after_s=self.system_metrics_after_s,
                earlier=None if resumed is None else sittings(session, begun.run),
                claimed=begun.claimed,
            )

        with _truly_ended(session, begin, wrap) as run:
            if resumed is not None:
                run.reopen({**_process_tags(), **kind, **own})
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
        session = self._session(None, resumed)
        tags = {**_tags(command, session.git), KIND: SWEEP}
        if resumed is None:
            begin = self._begin(session, name, {**tags, **self._own_tags()})
        else:
            begin = partial(ended_run, session, resumed, SWEEP)

        def wrap(begun: Begun) -> MlflowSweep:
            return MlflowSweep(
                session,
                begun.run,
                command=command,
                flush_every_s=self.flush_every_s,
                claimed=begun.claimed,
            )

        with _truly_ended(session, begin, wrap) as sweep:
            if resumed is not None:
                sweep.reopen(tags)
            yield sweep

    def _open_here(self, parent: SweepRun | str | None) -> MlflowSweep | None:
        """Return the sweep of a member, where it is open in this process and in the same store."""
        if not isinstance(parent, MlflowSweep):
            return None
        return parent if parent.session.store in homes(resolve(self.uri)) else None

    def _session(self, parent: str | None, resumed: str | None) -> Session:
        own = resolve(self.uri)
        is_new = resumed is None
        return Session.open(answering(own, self.when_away, parent) if is_new else own)

    def _begin(self, session: Session, name: str, tags: dict[str, str]) -> Callable[[], Begun]:
        experiment = session.experiment(redacted(str(self.experiment)))
        create = session.client.create_run
        every = {**tags, **tags_of(session.store, resolve(self.uri))}
        return lambda: Begun(create(experiment, run_name=redacted(name), tags=every))

    def _own_tags(self, tags: Mapping[str, str] | None = None) -> dict[str, str]:
        both = {**self.tags, **(tags or {})}
        return {key: redacted(str(value)) for key, value in both.items()}


@contextmanager
def _truly_ended(
    session: Session, begin: Callable[[], Begun], wrap: Callable[[Begun], Open]
) -> Iterator[Open]:
    """Begin a run, and end it with the status that says how the context was left."""
    with terminated_by_signal():
        begun = run = None
        try:
            with reported(session.store):
                begun = begin()
            run = wrap(begun)
            yield run
        except BaseException as error:
            if run is not None:
                run.end(error)
            elif begun is not None:
                _give_up(session.client, begun, status_of(error))
            raise
        run.end()


def _tags(command: str, git: GitState | None) -> dict[str, str]:
    tags = {
        "mlflow.user": _user(),
        "mlflow.source.type": "LOCAL",
        "runner.version": version("incremental-runner"),
        **_process_tags(),
    }
    if command:
        tags["mlflow.source.name"] = redacted(command)
    if git is not None:
        tags["mlflow.source.git.commit"] = git.commit
        tags["mlflow.source.git.branch"] = git.branch
        if git.remote:
            tags["mlflow.source.git.repoURL"] = git.remote
    return tags


def _process_tags() -> dict[str, str]:
    process = Process.current()
    return {} if process is None else {PROCESS: str(process)}


def _give_up(client: "MlflowClient", begun: Begun, status: str) -> None:
    """End a run that has not begun; why it has not is told, not that this may fail too."""
    run = begun.run.info
    if run.status == "RUNNING":
        with suppress(Exception):
            client.set_terminated(run.run_id, status)
    if begun.claimed is not None:
        begun.claimed.give_up()
    else:
        shutil.rmtree(runs_folder() / run.run_id, ignore_errors=True)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
