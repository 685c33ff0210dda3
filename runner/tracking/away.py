"""Runs kept in the project, because the store that they are for does not answer."""

import fcntl
import hashlib
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from runner.errors import RunnerWarning, TrackingError, cause
from runner.project import project_root
from runner.tracking.client import connect
from runner.tracking.mending import is_there
from runner.tracking.store import AwayError, Store, preflight

ERROR, LOCAL = "error", "local"
STORE = "runner.store"
_NAME = "store"
_told: set["Away"] = set()


@dataclass(frozen=True)
class Away:
    """A store of the project that stands in for another one.

    Attributes
    ----------
    name : str
        The other store, without credentials.
    store : Store
        The one in the project.
    """

    name: str
    store: Store

    @property
    def database(self) -> Path:
        """Its SQLite file."""
        assert self.store.file is not None, "it is an SQLite file"  # noqa: S101
        return self.store.file

    @property
    def folder(self) -> Path:
        """Where its database and its artifacts are."""
        return self.database.parent


def stand_in(store: Store) -> Away:
    """Return what stands in for a store, made or not; its credentials make no difference.

    Examples
    --------
    >>> one, other = (stand_in(Store(f"http://{user}@host")) for user in ("ann:pw", "bob:pw"))
    >>> one == other, one.name
    (True, 'http://<redacted>@host')
    """
    name = str(store)
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return Away(name, Store(f"sqlite:///{_folder() / digest / 'mlflow.db'}"))


def homes(store: Store) -> tuple[Store, Store]:
    """Return where the runs of a store may be: there, and in what stands in for it."""
    return store, stand_in(store).store


def stand_ins() -> Iterator[Away]:
    """Yield what was made to stand in for some store."""
    for file in sorted(_folder().glob(f"*/{_NAME}")):
        database = file.with_name("mlflow.db")
        if database.exists():
            yield Away(file.read_text(encoding="utf-8"), Store(f"sqlite:///{database}"))


def answering(store: Store, when_away: str, parent: str | None = None) -> Store:
    """Return the store that a new run is to be kept in: its own one, or what stands in for it.

    Parameters
    ----------
    store : Store
        Where the run belongs.
    when_away : str
        ``error`` or ``local``: what to do when the store does not answer.
    parent : str, optional
        The sweep that the run is a member of; what is kept in the project is joined there.

    Raises
    ------
    AwayError
        If it does not answer, and that is an error.
    TrackingError
        If it cannot be written for another reason, or the project's folder cannot be.

    Warns
    -----
    RunnerWarning
        If the run is kept in the project.
    """
    away = stand_in(store)
    if when_away == LOCAL and parent is not None and _holds(away, parent):
        return away.store
    try:
        preflight(store)
    except AwayError as error:
        if when_away != LOCAL:
            raise error.with_choice() from error.__cause__
        _make(away)
        _tell(away)
        return away.store
    return store


@contextmanager
def alone(away: Away) -> Iterator[bool]:
    """Say whether no other process is emptying a stand-in, and keep the others out."""
    with (away.folder / _NAME).open(encoding="utf-8") as name:
        try:
            fcntl.flock(name, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def tags_of(store: Store, own: Store) -> dict[str, str]:
    """Return the tag of a run that is kept elsewhere than where it belongs.

    Examples
    --------
    >>> tags_of(Store("sqlite:////p/a.db"), Store("http://u:p@host"))
    {'runner.store': 'http://<redacted>@host'}
    >>> tags_of(Store("http://u:p@host"), Store("http://u:p@host"))
    {}
    """
    return {} if store == own else {STORE: str(own)}


def _folder() -> Path:
    return project_root() / ".runner" / "away"


def _tell(away: Away) -> None:
    """Say where runs are kept, once: the check before the first block says it, then each run."""
    if away not in _told:
        _told.add(away)
        warnings.warn(
            f"The tracking store {away.name} does not answer. Runs are kept in {away.store}; "
            f"`runner doctor --sync` sends them to {away.name} once that answers.",
            RunnerWarning,
            stacklevel=3,
        )


def _holds(away: Away, run_id: str) -> bool:
    return away.database.exists() and is_there(connect(away.store), run_id)


def _make(away: Away) -> None:
    try:
        away.folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=away.folder).close()
        if not (away.folder / _NAME).exists():
            draft = away.folder / f"{_NAME}.{uuid.uuid4().hex}"
            draft.write_text(away.name, encoding="utf-8")
            draft.replace(away.folder / _NAME)
    except OSError as error:
        raise TrackingError(
            f"The folder {away.folder}",
            f"be writable, to keep runs while {away.name} does not answer",
            got=cause(error),
            remedy="Make it writable, or start the store.",
        ) from error
