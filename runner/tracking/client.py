"""The one door to MLflow: quiet, without telemetry, and safe for processes that start at once."""

import fcntl
import logging
import os
import re
import uuid
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

from runner.collecting import importing
from runner.errors import RunnerError, TrackingError
from runner.redaction import one_line
from runner.tracking.markdown import plain
from runner.tracking.store import Store, preflight, resolve
from runner.tracking.tags import NOTE

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOST_TITLE = 120  # characters
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
# What these say is either said by our own errors and warnings, or asked for on purpose.
_LOGGERS = (
    "mlflow.sklearn",
    "mlflow.store.db.utils",
    "mlflow.utils.environment",
    "urllib3.connectionpool",
)


_turns: defaultdict[str, Any] = defaultdict(RLock)
os.register_at_fork(after_in_child=_turns.clear)


def connect(store: Store) -> "MlflowClient":
    """Check that a store can be written, create its schema if it is new, and open it.

    Any thread may use what is returned; the threads of a process take turns at a store.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    """
    preflight(store)
    quieten()
    with reported(store):
        if not store.is_server:
            _import_database_store()
        from mlflow import MlflowClient

        if store.file is None:
            return _in_turns(MlflowClient(store.uri))
        with _alone(store.file):
            if not store.file.exists():
                _create(store.file)
            return _in_turns(MlflowClient(store.uri))


def import_ahead(uri: str | None = None) -> None:
    """Import what opens a store, if that is a file, before there is anything to be collected.

    Parameters
    ----------
    uri : str, optional
        As a tracker has it.

    Raises
    ------
    TrackingError
        If no store can be meant.
    """
    with importing(is_last=True):
        if resolve(uri).file is not None:
            _import_database_store()


class _InTurns:
    """A client whose every call waits until no other thread is in a call to the same store.

    MLflow's calls take two connections each from a pool of 15, so that 15 threads at once wait
    for each other's second one until all of them fail.
    """

    def __init__(self, client: "MlflowClient") -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            with _turns[self._client.tracking_uri]:
                return found(*arguments, **options)

        return call


def _in_turns(client: "MlflowClient") -> "MlflowClient":
    return cast("MlflowClient", _InTurns(client))


def _create(file: Path) -> None:
    """Create the schema beside its place: interrupted half-way, a file is broken for good.

    Until it is there, what was written is worth nothing: it goes to the disk once, not after each
    of the hundreds of statements of MLflow's migrations.
    """
    from mlflow import MlflowClient

    for left in file.parent.glob(f"{file.name}.*.new"):
        left.unlink()
    draft = file.with_name(f"{file.name}.{uuid.uuid4().hex}.new")
    with _unsynchronised(draft):
        MlflowClient(f"sqlite:///{draft}")
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    draft.replace(file)


@contextmanager
def _unsynchronised(file: Path) -> Iterator[None]:
    """Let SQLite wait for no disk while it writes a file; other files are as they were."""
    from sqlalchemy import Engine, event

    def connected(connection: Any, _: object) -> None:
        opened = connection.execute("PRAGMA database_list").fetchone()[2]
        if Path(opened).name == file.name:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = MEMORY")

    event.listen(Engine, "connect", connected)
    try:
        yield
    finally:
        event.remove(Engine, "connect", connected)


@contextmanager
def reported(store: Store) -> Iterator[None]:
    """Turn whatever MLflow raises into one error that names the store and a remedy."""
    try:
        yield
    except RunnerError:
        raise
    except Exception as error:
        outdated = "out-of-date database schema" in str(error)
        raise TrackingError(
            f"The tracking store {store}",
            "have the schema of this MLflow" if outdated else "answer and keep what it is given",
            got=one_line(error),
            remedy=f"Back it up, then run: mlflow db upgrade {store}"
            if outdated
            else "Check it, or set tracking.uri to another store.",
        ) from error


def quieten() -> None:
    """Switch off MLflow's telemetry, its printing and its long retries, unless already set."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.CRITICAL)


def experiment_id(client: "MlflowClient", store: Store, name: str) -> str:
    """Return the id of an experiment, made if need be; several processes may ask at once.

    The artifacts of an SQLite store lie beside its file; a server decides for itself.

    Raises
    ------
    TrackingError
        If the experiment was deleted, or its artifacts can only be written through a server.
    """
    from mlflow.exceptions import MlflowException

    with reported(store):
        if client.get_experiment_by_name(name) is None:
            try:
                place = _artifact_location(store, name)
                return client.create_experiment(name, place, {NOTE: experiment_note(name)})
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
        found: Any = client.get_experiment_by_name(name)
    if found.lifecycle_stage == "deleted":
        raise _unusable(store, name, "not be deleted", "a deleted experiment")
    served = str(found.artifact_location).startswith("mlflow-artifacts:")
    if served and not store.is_server:
        rule = "keep its artifacts where this process can write them"
        raise _unusable(store, name, rule, "an experiment that was made through a server")
    return str(found.experiment_id)


def experiment_note(name: str) -> str:
    """Write the description of an experiment, in Markdown; its first line is shown as a title.

    Examples
    --------
    >>> print(experiment_note("digits_sgd").splitlines()[0])
    **digits_sgd**: estimators that learn block by block
    """
    return (
        f"**{plain(name, MOST_TITLE)}**: estimators that learn block by block\n\n"
        "A run is one estimator on one dataset; a sweep is a run whose members are its child "
        "runs. The description of each says what was asked, what came out and how to repeat it. "
        "Curves are over the rows seen; `holdout/...` are the final scores on rows that no run "
        "learned from.\n\n"
        "`runner ui` opens this page with the columns that matter, `runner runs` lists the runs "
        "in a terminal.\n\n"
        "To filter: ``tags.`runner.kind` = 'sweep'`` (or `run`, `member`), "
        "``tags.`runner.estimator` = 'SGDClassifier'``, ``tags.`runner.dataset` = 'Bundled'``."
    )


def _unusable(store: Store, name: str, rule: str, got: str) -> TrackingError:
    return TrackingError(
        f"The experiment {name!r} of {store}",
        rule,
        got=got,
        remedy="Set tracking.experiment to another name.",
    )


def _artifact_location(store: Store, name: str) -> str | None:
    if store.file is None:
        return None
    folder = re.sub(r"[^\w.-]+", "_", name).strip(".") or "_"
    return (store.file.parent / "mlruns" / folder).as_uri()


def _import_database_store() -> None:
    with warnings.catch_warnings():
        from sqlalchemy.exc import SADeprecationWarning

        warnings.simplefilter("ignore", SADeprecationWarning)
        import mlflow.store.tracking.sqlalchemy_store  # noqa: F401


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Let one process at a time create the schema: two at once leave the file broken for good."""
    with ExitStack() as stack:
        # Where a folder cannot be opened the preflight says so, and some network file systems
        # lock no folders.
        with suppress(OSError):
            descriptor = os.open(file.parent, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
