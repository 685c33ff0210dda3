"""The files that workers must see, as this process does."""

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runner.cluster.told import Told
from runner.errors import ClusterError, RunnerWarning

MOST_PATHS = 100
_seen_here: set[tuple[str, ...]] = set()


@dataclass
class Files:
    """What workers were checked for, and who joined later without it.

    Attributes
    ----------
    paths : tuple of str
        What a worker looks for before its first task.
    blind : set of str
        The workers that do not see one of them.
    """

    paths: tuple[str, ...] = ()
    blind: set[str] = field(default_factory=set)

    def add(self, paths: Iterable[str]) -> None:
        """Have workers look for these as well.

        Examples
        --------
        >>> files = Files(("/a",))
        >>> files.add(["/b", "/a"])
        >>> files.paths
        ('/a', '/b')
        """
        self.paths = tuple(dict.fromkeys((*self.paths, *paths)))

    def avoid(self, worker: str, error: ClusterError) -> list[Told]:
        """Note that a worker does not see one, and return what is to be told, the first time."""
        if worker in self.blind:
            return []
        self.blind.add(worker)
        told = RunnerWarning(f"{error} Until then, other workers do its work.")
        return [Told(told, RunnerWarning, __file__, 1)]


class UnseenError(ClusterError):
    """A worker does not see the files; another one may."""


def check_seen(paths: tuple[str, ...], worker: str) -> None:
    """Refuse to work where a file is not seen; what was seen once is not looked for again.

    Raises
    ------
    UnseenError
    """
    if paths in _seen_here:
        return
    host, path = missing(paths)
    if path:
        raise unseen(worker, host, path)
    _seen_here.add(paths)


def missing(paths: Sequence[str]) -> tuple[str, str]:
    """Return the name of this host, and the first path that is not there, or ""."""
    return socket.gethostname(), next((path for path in paths if not Path(path).exists()), "")


def unseen(worker: str, host: str, path: str) -> UnseenError:
    """Return the error for a worker that lacks a path."""
    return UnseenError(
        f"The worker {worker} on {host}",
        "see the files that this process reads",
        got=f"no {path}",
        remedy="Put the data where all workers see them at the same path, or start the "
        "workers where they are.",
    )


def sample(paths: Iterable[str | Path]) -> list[str]:
    """Return the absolute paths to look for: of many, their folders and some that are spread.

    Examples
    --------
    >>> sample(["/data/a.csv", "s3://rows/b.csv", "file:///data/c.csv"])
    ['/data/a.csv', '/data/c.csv']
    >>> len(sample(f"/data/{i}.csv" for i in range(100_000)))
    101
    """
    texts = (str(path).removeprefix("file://") for path in paths)
    local = [str(Path(text).absolute()) for text in texts if "://" not in text]
    if len(local) <= MOST_PATHS:
        return local
    folders = list(dict.fromkeys(str(Path(path).parent) for path in local))
    return [*_spread(folders), *_spread(local)]


def _spread(paths: list[str]) -> list[str]:
    most = min(len(paths), MOST_PATHS)
    return [paths[i * len(paths) // most] for i in range(most)]
