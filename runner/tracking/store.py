"""Where runs are recorded, and whether that can be written."""

import os
import re
import socket
import sqlite3
import ssl
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from runner.errors import TrackingError, cause
from runner.project import project_root
from runner.redaction import redacted

URI_VARIABLE = "MLFLOW_TRACKING_URI"
PATIENCE_S = 3.0
_DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
_ELSEWHERE = f"set tracking.uri, or {URI_VARIABLE}, to another store"
_KEPT_HERE = (
    "set tracking.when_away=local to keep the run in the project until `runner doctor --sync` "
    "sends it"
)
_NOBODY_BEHIND = (502, 503, 504)  # what a proxy says of a server that does not answer


class AwayError(TrackingError):
    """The store does not answer now, and may later."""

    def with_choice(self) -> Self:
        """Return the same error, its remedy naming the choice that a new run has."""
        subject, rule, got, remedy = self.parts
        remedy = remedy.removesuffix(".").replace(", or set", ", set")
        return type(self)(subject, rule, got=got, remedy=f"{remedy}, or {_KEPT_HERE}.")


@dataclass(frozen=True)
class Store:
    """A tracking store by its absolute URI; its text form hides credentials."""

    uri: str

    def __str__(self) -> str:
        """Return the URI without user and password."""
        return redacted(self.uri)

    @property
    def scheme(self) -> str:
        """The kind of store: sqlite, http, postgresql, ...

        Examples
        --------
        >>> Store("postgresql+psycopg://db/mlflow").scheme
        'postgresql'
        """
        return self.uri.partition("://")[0].partition("+")[0].lower()

    @property
    def is_server(self) -> bool:
        """Whether an MLflow server answers there."""
        return self.scheme in ("http", "https")

    @property
    def file(self) -> Path | None:
        """The database file of an SQLite store."""
        if self.scheme != "sqlite":
            return None
        return Path(self.uri.partition(":///")[2].partition("?")[0])

    @property
    def base_url(self) -> str | None:
        """Where the server's pages are, without credentials; None when there is no server.

        Examples
        --------
        >>> Store("http://ann:pw@localhost:5000/").base_url
        'http://localhost:5000'
        """
        if not self.is_server:
            return None
        parts = urlsplit(self.uri)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def default_uri() -> str:
    """Return the URI of the one database beside the project."""
    return f"sqlite:///{project_root() / 'mlflow.db'}"


def resolve(uri: str | None = None) -> Store:
    """Choose the store: the one given, else ``$MLFLOW_TRACKING_URI``, else the project's own.

    A relative SQLite path counts from the project, not from the working directory.

    Raises
    ------
    TrackingError
        If the URI is no database and no server, such as a folder of files.

    Examples
    --------
    >>> print(resolve("https://ann:pw@example.org/mlflow"))
    https://<redacted>@example.org/mlflow
    """
    store = Store(uri or os.environ.get(URI_VARIABLE) or default_uri())
    if store.scheme == "sqlite":
        return _absolute(store)
    if "://" not in store.uri or store.scheme == "file":
        raise TrackingError(
            "tracking.uri",
            "be a database or a server",
            got=repr(str(store)),
            remedy=f"Set tracking.uri={default_uri()}, or leave it out.",
        )
    return store


def _absolute(store: Store) -> Store:
    head, found, rest = store.uri.partition(":///")
    name, question, query = rest.partition("?")
    if not found or name in ("", ":memory:"):
        raise TrackingError(
            "tracking.uri",
            "name a database file",
            got=repr(store.uri),
            remedy=f"Set tracking.uri={default_uri()}, or leave it out.",
        )
    return Store(f"{head}:///{project_root() / name}{question}{query}")


def local_folder(location: str) -> Path | None:
    """Return the folder of an artifact location; None where it is on no disk of this machine.

    Examples
    --------
    >>> local_folder("file:///a%20b/mlruns"), local_folder("mlflow-artifacts:/7")
    (PosixPath('/a b/mlruns'), None)
    """
    parts = urlsplit(location)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None


def preflight(store: Store) -> None:
    """Say within seconds that a store cannot be used.

    An SQLite file is really written to, and the change taken back; where there is none yet, its
    folder is written to. Of a server or another
    database it is seen whether something answers.

    Raises
    ------
    AwayError
        If the store is a server, or another database, that does not answer.
    TrackingError
        If the store cannot be written.
    """
    if store.file is not None:
        _check_file(store, store.file)
    elif store.is_server:
        _check_server(store)
    elif store.scheme in _DATABASE_PORTS:
        _check_database(store)


def _check_file(store: Store, file: Path) -> None:
    folder = file.parent
    if not folder.is_dir():
        raise TrackingError(
            f"The tracking store {store}",
            "lie in an existing folder",
            got=f"{folder}, which is {'a file' if folder.exists() else 'not there'}",
            remedy=f"Create the folder, or {_ELSEWHERE}.",
        )
    try:
        if not file.exists():  # and is not made, so that a check leaves nothing behind
            TemporaryFile(dir=folder).close()
            return
        with closing(sqlite3.connect(file, timeout=PATIENCE_S, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("CREATE TABLE runner_preflight (written INTEGER)")
            database.execute("ROLLBACK")
    except (OSError, sqlite3.Error) as error:
        if "locked" in str(error):  # somebody else is writing, so it can be written
            return
        raise TrackingError(
            f"The tracking store {store}",
            "be a database that can be written",
            got=cause(error),
            remedy=f"Make {file} and its folder writable, or {_ELSEWHERE}.",
        ) from error


def _check_server(store: Store) -> None:
    request = Request(f"{store.base_url}/health")  # noqa: S310  (the scheme is http or https)
    try:
        with urlopen(request, timeout=PATIENCE_S):  # noqa: S310
            return
    except HTTPError as error:  # it answers; whether it lets us in is seen by the first real call
        error.close()
        if error.code in _NOBODY_BEHIND:
            raise _silent(store, error) from error
    except (OSError, ValueError) as error:
        if isinstance(getattr(error, "reason", None), ssl.SSLError):  # MLflow has its own settings
            return
        raise _silent(store, error) from error


def _check_database(store: Store) -> None:
    host = re.sub(r"^[^/]*://(?:.*@)?", "", store.uri).partition("/")[0].partition("?")[0]
    name, _, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    if not name:  # a socket file, or a service name
        return
    try:
        address = (name.strip("[]"), int(port or _DATABASE_PORTS[store.scheme]))
        socket.create_connection(address, timeout=PATIENCE_S).close()
    except OSError as error:
        raise _silent(store, error) from error


def _silent(store: Store, error: Exception) -> AwayError:
    reason: object = error
    if isinstance(error, URLError) and not isinstance(error, HTTPError):
        reason = error.reason
    return AwayError(
        f"The tracking store {store}",
        f"answer within {PATIENCE_S:g} seconds",
        got=redacted(str(reason)),
        remedy=f"Start it, or {_ELSEWHERE}.",
    )
