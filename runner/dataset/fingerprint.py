"""What tells whether the files of a dataset are still as they were."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from runner.errors import DatasetError, cause

MOST_FILES = 1000
VERSIONS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created")
NS_PER_S = 10**9


def is_local(fs: Any) -> bool:
    """Say whether the operating system can open the paths of a file system."""
    return isinstance(fs, LocalFileSystem)


def stamp(fs: Any, path: str) -> str:
    """Return the size of a file in bytes and when it was written, without reading it.

    The time is in nanoseconds; elsewhere than on a local disk it is what the store has to tell one
    version from another, such as an ETag.

    Raises
    ------
    OSError
        If there is no such file.
    """
    if is_local(fs):
        status = Path(path).stat()
        return f"{status.st_size} {status.st_mtime_ns}"
    return stamp_of(fs.info(path))


def stamp_of(described: Mapping[str, Any]) -> str:
    """Return the stamp of a file that is not local, from what its file system says of it.

    Examples
    --------
    >>> stamp_of({"name": "bucket/rows.csv", "size": 2048, "ETag": '"9e10"'})
    '2048 "9e10"'
    """
    versions = (str(described[name]) for name in VERSIONS if described.get(name) is not None)
    return f"{described.get('size')} {next(versions, '')}".rstrip()


def digested(stamps: Mapping[str, str], most: int = MOST_FILES) -> dict[str, str]:
    """Return the stamps of files by path or, of more than 1000, how many and a digest of all.

    Examples
    --------
    >>> digested({"rows/1.csv": "10 5", "rows/2.csv": "20 6"})
    {'rows/1.csv': '10 5', 'rows/2.csv': '20 6'}
    >>> digested({"rows/1.csv": "10 5", "rows/2.csv": "20 6"}, most=1)
    {'rows': '2 files 5222639cc05c0511'}
    """
    if len(stamps) <= most:
        return dict(stamps)
    return {_common_folder(list(stamps)): _digest(stamps)}


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Say in words which files are not as they were.

    Parameters
    ----------
    before, now : mapping of str to str
        What ``Dataset.fingerprint`` returned.

    Returns
    -------
    list of str
        One sentence per file, by path; empty where nothing differs.

    Examples
    --------
    >>> before = {"rows.csv": "2048 5", "rows-2.parquet": "9 5", "x.npy": "10 5"}
    >>> now = {"rows.csv": "1024 7", "rows-3.parquet": "9 5", "x.npy": "10 1795703547000000000"}
    >>> for each in changed(before, now):
    ...     print(each)
    rows-2.parquet: missing
    rows-3.parquet: new
    rows.csv: 1,024 bytes, was 2,048
    x.npy: written again at 2026-11-26 14:32:27 UTC
    """
    before, now = _as_coarse(before, now), _as_coarse(now, before)
    return [
        f"{path}: {_difference(before.get(path), now.get(path))}"
        for path in sorted({*before, *now})
        if before.get(path) != now.get(path)
    ]


@contextmanager
def unchanged(fs: Any, path: str, before: str) -> Generator[None]:
    """Refuse a local file that is not as it was, before it is read and after.

    Of other file systems nothing is asked, which would be slow.

    Parameters
    ----------
    fs : fsspec file system
    path : str
    before : str
        The stamp that the file must have.

    Raises
    ------
    DatasetError
        Naming the file and what differs; also in place of what reading it raised.
    """
    _require(fs, path, before)
    try:
        yield
    finally:
        _require(fs, path, before)


def _require(fs: Any, path: str, before: str) -> None:
    if not is_local(fs):
        return
    try:
        now = stamp(fs, path)
    except OSError as error:
        raise _refuse(path, cause(error)) from error
    if now != before:
        raise _refuse(path, _difference(before, now))


def _as_coarse(stamps: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Put a digest in the place of the files below a folder of which the others have but that."""
    coarse = dict(stamps)
    for folder, told in others.items():
        if folder in stamps or not _is_digest(told):
            continue
        below = {path: each for path, each in coarse.items() if path.startswith(f"{folder}/")}
        if below:
            coarse = {path: each for path, each in coarse.items() if path not in below}
            coarse[folder] = _digest(below)
    return coarse


def _digest(stamps: Mapping[str, str]) -> str:
    text = "\n".join(f"{path} {stamps[path]}" for path in sorted(stamps))
    return f"{len(stamps)} files {sha256(text.encode()).hexdigest()[:16]}"


def _is_digest(told: str) -> bool:
    return told.partition(" ")[2].startswith("files ")


def _refuse(path: str, got: str) -> DatasetError:
    return DatasetError(
        f"The file {path}",
        "stay as it is while a run reads it",
        got=got,
        remedy="See that nothing writes to it, and run again.",
    )


def _difference(before: str | None, now: str | None) -> str:
    if before is None:
        return "new"
    if now is None:
        return "missing"
    (was, _, _), (size, _, version) = before.partition(" "), now.partition(" ")
    if _is_digest(now):
        return f"{int(size):,} files, was {int(was):,}" if size != was else "other files"
    if size != was:
        return f"{int(size):,} bytes, was {int(was):,}"
    if version.isdecimal():
        written = datetime.fromtimestamp(int(version) // NS_PER_S, UTC)
        return f"written again at {written:%Y-%m-%d %H:%M:%S} UTC"
    return "another version"


def _common_folder(paths: list[str]) -> str:
    first, *rest = (PurePosixPath(path).parent for path in paths)
    while not all(each.is_relative_to(first) for each in rest):
        first = first.parent
    return str(first)
