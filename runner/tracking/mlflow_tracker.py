"""The record of runs in an MLflow store."""

import getpass
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

from runner.project import project_root
from runner.redaction import redacted
from runner.rules import Rule, boolean, check, null, number
from runner.tracking.client import connect, experiment_id, reported
from runner.tracking.git import GitState, git_state
from runner.tracking.mending import mend
from runner.tracking.run import MlflowRun
from runner.tracking.spool import check_runs_folder, runs_folder
from runner.tracking.store import preflight, resolve
from runner.tracking.termination import status_of, terminated_by_signal

if TYPE_CHECKING:
    from mlflow import MlflowClient


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
    def start_run(self, name: str, *, command: str = "") -> Iterator[MlflowRun]:
        """Open a run; leaving the context ends it with a true status.

        An exception marks the run FAILED, Ctrl-C, SIGTERM and SIGHUP mark it KILLED; the signals
        arrive as ``Terminated``. Runs of this project that were killed before are mended first.

        Parameters
        ----------
        name : str
            The run's name.
        command : str
            What repeats the run.

        Raises
        ------
        TrackingError
            If the store or the project's folder cannot be written; said within five seconds.
        """
        store = resolve(self.uri)
        check_runs_folder()
        client = connect(store)
        experiment = experiment_id(client, store, str(self.experiment))
        mend(client, store)
        git = git_state(project_root())
        own = {key: redacted(str(value)) for key, value in self.tags.items()}
        tags = {**self._tags(command, git), **own}
        with terminated_by_signal():
            started = run = None
            try:
                with reported(store):
                    started = client.create_run(experiment, run_name=name, tags=tags)
                run = MlflowRun(
                    client,
                    store,
                    started,
                    command=command,
                    git=git,
                    keep_model=self.log_model,
                    flush_every_s=self.flush_every_s,
                )
                yield run
            except BaseException as error:
                if run is not None:
                    run.end(error)
                elif started is not None:
                    _give_up(client, started.info.run_id, status_of(error))
                raise
            run.end()

    @staticmethod
    def _tags(command: str, git: GitState | None) -> dict[str, str]:
        tags = {
            "mlflow.user": _user(),
            "mlflow.source.type": "LOCAL",
            "runner.version": version("incremental-runner"),
        }
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
