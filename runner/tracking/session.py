"""A store that is open for the runs of this process."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from runner.project import project_root
from runner.tracking.client import connect, experiment_id
from runner.tracking.git import GitState, git_state
from runner.tracking.mending import mend
from runner.tracking.spool import check_runs_folder
from runner.tracking.store import Store

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass
class Session:
    """What the runs of one sweep need of their store, found out once.

    Attributes
    ----------
    store : Store
        Where runs are kept.
    client : MlflowClient
        How to reach it, from any thread.
    git : GitState or None
        Which code runs.
    """

    store: Store
    client: "MlflowClient"
    git: GitState | None = None
    _experiments: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, store: Store) -> Self:
        """Open a store, and mend in it the runs of this project that were killed before.

        Raises
        ------
        TrackingError
            If the store or the project's folder cannot be written.
        """
        check_runs_folder()
        client = connect(store)
        mend(client, store)
        return cls(store, client, git_state(project_root()))

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, made if need be.

        Raises
        ------
        TrackingError
            If the experiment cannot be used.
        """
        if name not in self._experiments:
            self._experiments[name] = experiment_id(self.client, self.store, name)
        return self._experiments[name]
