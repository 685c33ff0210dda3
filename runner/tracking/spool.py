"""A run's unsent half: every metric, tag and ending goes to a file before it goes to the store.

One JSON object a line: ``{"store": uri}`` first, then points ``{"k": key, "v": value,
"t": milliseconds, "s": step}``, tags ``{"tag": key, "v": value}`` and at last the ending
``{"status": status, "t": milliseconds}``. The file is locked by the process that writes it, so
that a file without a lock belongs to a run whose process is gone.
"""

import errno
import fcntl
import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple, TextIO

from runner.errors import TrackingError, cause
from runner.project import ROOT_VARIABLE, project_root
from runner.tracking.params import key_of

FILE_NAME = "metrics.jsonl"
PATIENCE_S, PAUSE_S = 0.5, 0.02  # others may hold a lock for a moment, to see whether it is free


class Point(NamedTuple):
    """One value of a metric: at a step, logged at a time in milliseconds since 1970."""

    key: str
    value: float
    timestamp: int
    step: int


_metric_key = lru_cache(maxsize=1024)(key_of)


def points_of(values: Mapping[str, float], step: int) -> list[Point]:
    """Return metrics as points of now; an infinite value becomes NaN, which charts can draw.

    Examples
    --------
    >>> [(point.key, point.value) for point in points_of({"r2": float("-inf"), "a[0]": 1}, 0)]
    [('r2', nan), ('a_0_', 1.0)]
    """
    now = time.time_ns() // 1_000_000
    return [
        Point(_metric_key(key), float(value) if math.isfinite(value) else math.nan, now, step)
        for key, value in values.items()
    ]


@dataclass
class Spooled:
    """What a spool file holds; ``status`` is None when the process ended without a word."""

    store: str = ""
    points: list[Point] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    status: str | None = None
    ended: int | None = None


@dataclass(frozen=True)
class Claim:
    """The spool file of a run, open and locked: no other process goes on with the run meanwhile.

    ``is_new`` says that it held nothing when it was locked.
    """

    file: Path
    stream: TextIO
    is_new: bool

    def give_up(self) -> None:
        """Unlock the file; if it was new, it is removed before."""
        with suppress(OSError):
            if self.is_new and not self.stream.closed:
                self.file.unlink(missing_ok=True)
                self.file.parent.rmdir()
        with suppress(OSError):  # a full disk, which the writing has met before
            self.stream.close()


def claim(folder: Path) -> Claim | None:
    """Lock the spool file of a run, made where there is none; None if another process has it.

    Raises
    ------
    TrackingError
        If the file cannot be opened or locked.
    """
    deadline = time.monotonic() + PATIENCE_S
    with _writable(folder):
        while (claimed := _claimed(folder / FILE_NAME)) is None and time.monotonic() < deadline:
            time.sleep(PAUSE_S)
    return claimed


class Spool:
    """The spool file of one run, open for writing and flushed line by line.

    Parameters
    ----------
    folder : Path
        The run's folder.
    store : str
        Where the run is kept.
    claimed : Claim, optional
        The lock of a run that is gone on with; a new run has its own.

    Raises
    ------
    TrackingError
        If the file cannot be begun.
    """

    def __init__(self, folder: Path, store: str, claimed: Claim | None = None) -> None:
        self.file = folder / FILE_NAME
        with _writable(folder):
            own = claimed or claim(folder)
            if own is None:
                raise BlockingIOError(errno.EAGAIN, "another process that has it open")
            self._stream = own.stream
            try:
                self._write([{"store": store}])
            except BaseException:
                own.give_up()
                raise

    def points(self, points: Iterable[Point]) -> None:
        """Keep points."""
        self._write({"k": p.key, "v": p.value, "t": p.timestamp, "s": p.step} for p in points)

    def tags(self, tags: Mapping[str, str]) -> None:
        """Keep tags."""
        self._write({"tag": key, "v": value} for key, value in tags.items())

    def end(self, status: str, ended: int) -> None:
        """Keep how the run ended, and when."""
        self._write([{"status": status, "t": ended}])

    def close(self) -> None:
        """Give the lock back; the file stays."""
        with suppress(OSError):  # a full disk, which the writing has met before
            self._stream.close()

    def _write(self, records: Iterable[Mapping[str, Any]]) -> None:
        self._stream.write("".join(f"{json.dumps(record)}\n" for record in records))


def runs_folder() -> Path:
    """Return the folder that holds one folder per run that is not wholly sent."""
    return project_root() / ".runner" / "runs"


def check_runs_folder() -> None:
    """See that a run can keep there what is not sent yet.

    Raises
    ------
    TrackingError
        If the project's folder cannot be written.
    """
    with _writable(runs_folder()):
        runs_folder().mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=runs_folder()).close()


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TrackingError(
            f"The folder {folder}",
            "be writable, to keep what is not sent yet",
            got=cause(error),
            remedy=f"Make it writable, or set {ROOT_VARIABLE} to a folder that is.",
        ) from error


def read(file: Path) -> Spooled:
    """Read a spool file; a last line that was cut short is left out."""
    spooled = Spooled()
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with suppress(ValueError, KeyError):
                _add(spooled, json.loads(line))
    return spooled


def _add(spooled: Spooled, record: Mapping[str, Any]) -> None:
    if "k" in record:
        spooled.points.append(Point(record["k"], record["v"], record["t"], record["s"]))
    elif "tag" in record:
        spooled.tags[record["tag"]] = record["v"]
    elif "status" in record:
        spooled.status, spooled.ended = record["status"], record["t"]
    else:
        spooled.store = record["store"]


def abandoned() -> Iterator[Path]:
    """Yield the folders of runs whose process is gone, each locked while it is looked at.

    One that nothing was written to is of a process that was killed just then; it is removed.
    """
    for file in sorted(runs_folder().glob(f"*/{FILE_NAME}")):
        with suppress(FileNotFoundError), file.open(encoding="utf-8") as stream:
            if not (_locked(stream) and _is_at(stream, file)):
                continue
            if _is_empty(stream):
                Claim(file, stream, is_new=True).give_up()
            else:
                yield file.parent


def is_open(run_id: str) -> bool:
    """Say whether some process of this project has this run open."""
    try:
        stream = (runs_folder() / run_id / FILE_NAME).open(encoding="utf-8")
    except FileNotFoundError:
        return False
    with stream:
        return not _locked(stream)


def _claimed(file: Path) -> Claim | None:
    with ExitStack() as opened:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            stream = opened.enter_context(file.open("a", encoding="utf-8", buffering=1))
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_at(stream, file):
                return None
        except (BlockingIOError, FileNotFoundError):
            return None
        opened.pop_all()
        return Claim(file, stream, _is_empty(stream))


def _is_at(stream: TextIO, file: Path) -> bool:
    """Say whether a file is still where it was opened; who had the lock may have removed it."""
    return os.path.samestat(os.fstat(stream.fileno()), file.stat())


def _is_empty(stream: TextIO) -> bool:
    return os.fstat(stream.fileno()).st_size == 0


def _locked(stream: TextIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
