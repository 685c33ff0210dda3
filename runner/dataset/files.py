"""Which files a path names, wherever fsspec can reach, and errors that name them."""

import glob
import re
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from threading import Event
from typing import Any, TypeVar

from fsspec.core import url_to_fs

from runner.dataset.fingerprint import digested, is_local, stamp
from runner.errors import ConfigError, DatasetError, cause, nearest

THREADS = 4
File = TypeVar("File")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Files:
    """Some files of one file system, in their natural order.

    Attributes
    ----------
    fs : fsspec file system
    paths : as ``fs`` names them
    stamps : one per path; changes when the file does
    """

    fs: Any
    paths: tuple[str, ...]
    stamps: tuple[str, ...]

    @property
    def is_local(self) -> bool:
        """Whether the operating system can open the paths."""
        return is_local(self.fs)

    @property
    def fingerprint(self) -> dict[str, str]:
        """The stamps by path, or a digest of those of many files."""
        return digested(dict(zip(self.paths, self.stamps, strict=True)))


def find_files(path: str, suffixes: tuple[str, ...] = (), *, key: str = "dataset.path") -> Files:
    """Find the file, the files below a folder, or the files that match a glob.

    Below a folder, names that begin with a dot or an underscore are left out, as Spark and Dask
    mean them to be.

    Parameters
    ----------
    path : str
        Local or with a protocol such as ``s3://``.
    suffixes : tuple of str
        What the names of the files below a folder must end with; empty for all files.
    key : str
        The key of the experiment file that holds the path, for messages.

    Raises
    ------
    ConfigError
        If the path is not text.
    DatasetError
        If there is no such file, or its protocol cannot be used here.
    """
    fs, root = file_system(path, key)
    with reading(root, "be reachable", f"Check {key} and the right to read it."):
        found = _found(fs, root, suffixes)
        if not found:
            raise _nothing_below(root, suffixes, key) if fs.isdir(root) else missing(fs, root, key)
        paths = tuple(sorted(found, key=natural_key))
        return Files(fs, paths, tuple(_stamp(fs, each) for each in paths))


def file_system(path: str, key: str) -> tuple[Any, str]:
    """Return the file system of a path, and the path as it is named there.

    Raises
    ------
    ConfigError
        If the path is not text.
    DatasetError
        If its protocol cannot be used here.
    """
    if not isinstance(path, str):
        remedy = f"Write {key} as text, in quotes where YAML takes it for something else."
        raise ConfigError(key, "be a path", got=repr(path), remedy=remedy)
    try:
        fs, root = url_to_fs(path)
    except (ImportError, ValueError) as error:
        raise DatasetError(
            key,
            "have a protocol that is installed here",
            got=f"{path!r} ({cause(error)})",
            remedy="Install the package it needs with pip, or use a local path.",
        ) from None
    return fs, str(root)


def missing(fs: Any, root: str, key: str) -> DatasetError:
    """Say that a path does not exist, and what there is instead."""
    parent, name = PurePosixPath(root).parent, PurePosixPath(root).name
    while not fs.isdir(str(parent)) and parent != parent.parent:
        parent, name = parent.parent, parent.name
    names = [PurePosixPath(each).name for each in fs.ls(str(parent), detail=False)]
    return DatasetError(
        key,
        "name a file, a folder or a glob that exists",
        got=repr(root),
        remedy=f"In {parent}: {nearest(name, names)}",
    )


def natural_key(path: str) -> tuple[list[str | int], str]:
    """Sort numbers within names by their value.

    Examples
    --------
    >>> sorted(["part-10.csv", "part-9.csv", "part-1.csv"], key=natural_key)
    ['part-1.csv', 'part-9.csv', 'part-10.csv']
    """
    parts: list[str | int] = list(re.split(r"([0-9]+)", path))
    parts[1::2] = map(int, parts[1::2])
    return parts, path


@contextmanager
def reading(
    path: str,
    rule: str,
    remedy: str,
    errors: tuple[type[Exception], ...] = (OSError,),
) -> Generator[None, None, None]:
    """Turn an error of reading a file into one that names it.

    Raises
    ------
    DatasetError
        In place of any of ``errors``.

    Examples
    --------
    >>> with reading("a.csv", "be readable", "Mend it."):
    ...     raise OSError("Input/output error")
    Traceback (most recent call last):
    runner.errors.DatasetError: The file a.csv must be readable; got OSError: Input/output error. \
Mend it.
    """
    try:
        yield
    except errors as error:
        raise DatasetError(f"The file {path}", rule, got=cause(error), remedy=remedy) from error


def of_each(
    files: Sequence[File], find: Callable[[File, Event], Found], n_threads: int = THREADS
) -> list[Found]:
    """Find something in each file, in several of them at a time.

    Parameters
    ----------
    files : sequence
        Their paths, or numbers.
    find : callable
        ``find(file, stopped)``, safe to call from several threads. The event is set once nobody
        waits for what is found, as after an error or an interruption; then it should return.
    n_threads : int
        In how many at a time.

    Returns
    -------
    list
        What was found, in the order of the files.

    Raises
    ------
    Exception
        What ``find`` raised for the first file for which it did.

    Examples
    --------
    >>> of_each(["b.csv", "a.csv"], lambda path, stopped: path.upper())
    ['B.CSV', 'A.CSV']
    """
    stopped = Event()
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            return list(pool.map(lambda file: find(file, stopped), files))
        finally:
            stopped.set()


def _stamp(fs: Any, path: str) -> str:
    remedy = "Check the right to read it, or leave it out of dataset.path."
    with reading(path, "be there", remedy):
        return stamp(fs, path)


def _found(fs: Any, root: str, suffixes: tuple[str, ...]) -> list[str]:
    if fs.isfile(root):
        return [root]
    if fs.isdir(root):
        below = PurePosixPath(root)
        return [
            path
            for path in fs.find(root)
            if path.endswith(suffixes or "") and not _is_hidden(PurePosixPath(path), below)
        ]
    return [path for path in fs.glob(root) if fs.isfile(path)] if glob.has_magic(root) else []


def _is_hidden(path: PurePosixPath, below: PurePosixPath) -> bool:
    return any(part.startswith((".", "_")) for part in path.relative_to(below).parts)


def _nothing_below(root: str, suffixes: Iterable[str], key: str) -> DatasetError:
    return DatasetError(
        key,
        "name a folder with files to read",
        got=f"{root!r}, with no {' or '.join(suffixes) or 'visible'} file in it",
        remedy="Name another folder, or the files themselves with a glob.",
    )
