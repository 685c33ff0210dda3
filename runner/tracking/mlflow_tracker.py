"""The record of runs in an MLflow store."""

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version

from runner.project import project_root
from runner.tracking.client import connect, experiment_id, reported
from runner.tracking.git import GitState, git_state
from runner.tracking.mending import mend
from runner.tracking.redaction import redacted
from runner.tracking.run import MlflowRun
from runner.tracking.spool import check_runs_folder
from runner.tracking.store import resolve
from runner.tracking.termination import terminated_by_signal


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

    @contextmanager
    def start_run(self, name: str, *, command: str = "") -> Iterator[MlflowRun]:
        """Open a run; leaving the context ends it with a true status.

        An exception marks the run FAILED, Ctrl-C and SIGTERM mark it KILLED; SIGTERM arrives as
        ``Terminated``. Runs of this project that were killed before are mended first.

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
        tags = {**self._tags(command, git), **{k: str(v) for k, v in self.tags.items()}}
        with terminated_by_signal():
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
            try:
                yield run
            except BaseException as error:
                run.end(error)
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


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
