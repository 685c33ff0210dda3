"""Where the lines of text files begin, so that any of them can be read by one byte range."""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

import numpy as np
import pyarrow as pa

from runner.dataset.files import of_each, reading
from runner.dataset.fingerprint import is_local, stamp, unchanged
from runner.errors import DatasetError

STEP = 64
PIECE_NBYTES = 2**18
REQUEST_NBYTES = 16 * 2**20
LONGEST_LINE_NBYTES = 64 * 2**20
REMEDY = "Check the right to read it, or leave it out of dataset.path."
CHANGED = "other lines than when the run began"
NEWLINE, CARRIAGE_RETURN, SPACE, QUOTE = b'\n\r "'


@dataclass(frozen=True)
class Part:
    """The bytes [first, last) of an open file, which can be read any number of times."""

    file: pa.NativeFile
    first: int
    last: int

    def open(self) -> pa.NativeFile:
        """Return a stream of the bytes."""
        return self.file.get_stream(self.first, self.last - self.first)


@dataclass(frozen=True, eq=False)
class LineIndex:
    """The lines of one file, of which every 64th is remembered.

    Attributes
    ----------
    path : str
    n_lines : int
        How many there are, blank ones left out.
    offsets : ndarray of int64
        The first byte of the lines 0, 64, 128, ..., and at last the size of the file in bytes.
    quoted : bool
        Whether a newline inside double quotes belongs to its line, as in CSV. A line is blank
        there only if it is empty; elsewhere also if it holds nothing but spaces.
    stamp : str
        What the file was like when its lines were found.
    """

    path: str
    n_lines: int
    offsets: np.ndarray
    quoted: bool
    stamp: str

    @property
    def n_bytes(self) -> int:
        """The size of the file in bytes."""
        return int(self.offsets[-1])

    def read(self, fs: Any, start: int, stop: int) -> memoryview:
        """Return the bytes of the lines [start, stop), perhaps with blank ones among them.

        Raises
        ------
        DatasetError
            If the file cannot be read or is not as it was.
        """
        first, last = int(self.offsets[start // STEP]), int(self.offsets[-(-stop // STEP)])
        with self._reading(fs, start, stop):
            raw = memoryview(fs.cat_file(self.path, start=first, end=last))
            if len(raw) != last - first:
                raise OSError("a shorter file than when the run began")
            part = self._part(pa.BufferReader(raw), first, start, stop)
            return raw[part.first : part.last]

    @contextmanager
    def part(self, fs: Any, start: int, stop: int) -> Generator[Part]:
        """Give the bytes of the lines [start, stop), perhaps with blank ones among them.

        Those of a local file are read as they are asked for, so that they are never all in memory.

        Raises
        ------
        DatasetError
            If the file cannot be read or is not as it was, before it is read or after.
        """
        if not is_local(fs):
            raw = self.read(fs, start, stop)
            yield Part(pa.BufferReader(raw), 0, len(raw))
            return
        with self._reading(fs, start, stop), pa.OSFile(os.fsencode(self.path)) as file:
            yield self._part(file, 0, start, stop)

    def longest(self, start: int, stop: int) -> int:
        """Return so many bytes that each of the lines [start, stop) has room in them."""
        return int(np.diff(self.offsets[start // STEP : -(-stop // STEP) + 1]).max())

    @contextmanager
    def _reading(self, fs: Any, start: int, stop: int) -> Generator[None]:
        rule = f"be readable at lines {start} to {stop - 1}"
        with (
            unchanged(fs, self.path, self.stamp),
            reading(self.path, rule, "Check that it is still there."),
        ):
            yield

    def _part(self, file: pa.NativeFile, base: int, start: int, stop: int) -> Part:
        first, last = (self._find(file, base, line) for line in (start, stop))
        return Part(file, first - base, last - base)

    def _find(self, file: pa.NativeFile, base: int, line: int) -> int:
        """Return the first byte of a line of a file whose bytes from ``base`` on are given."""
        step, rest = divmod(line, STEP)
        if line == self.n_lines:
            return self.n_bytes
        begin, end = map(int, self.offsets[step : step + 2])
        if rest == 0:
            return begin
        near = file.read_at(end - begin, begin - base)
        starts, _ = line_starts(near + bytes([NEWLINE]), quoted=self.quoted)
        if rest >= len(starts):
            raise OSError(CHANGED)
        return begin + int(starts[rest])


def line_starts(text: bytes, *, quoted: bool) -> tuple[np.ndarray, int]:
    r"""Find the lines of a text that begins with one.

    Returns
    -------
    starts : ndarray of int64
        The first byte of each line that is not blank and ends with a newline.
    end : int
        The byte after the last such newline.

    Examples
    --------
    >>> starts, end = line_starts(b'a\n\n"b\nc"\nd', quoted=True)
    >>> starts.tolist(), end
    ([0, 3], 9)
    """
    codes = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(codes == NEWLINE)
    if quoted and QUOTE in text:
        n_before = np.searchsorted(np.flatnonzero(codes == QUOTE), ends)
        ends = ends[n_before % 2 == 0]
    if len(ends) == 0:
        return ends, 0
    ends += 1
    starts = np.concatenate([[0], ends[:-1]])
    if quoted:
        firsts = codes[starts]
        is_blank = (firsts == NEWLINE) | (firsts == CARRIAGE_RETURN)
    else:
        is_blank = np.maximum.reduceat(codes[: ends[-1]], starts) <= SPACE
    return starts[~is_blank], int(ends[-1])


def index_files(fs: Any, paths: Sequence[str], *, quoted: bool) -> tuple[LineIndex, ...]:
    """Find the lines of files, of several at a time, as ``index_lines`` does of one.

    Raises
    ------
    DatasetError
        What is wrong with the first file of which something is.
    """
    _keep_what_is_freed()
    return tuple(of_each(paths, partial(index_lines, fs, quoted=quoted)))


def index_lines(fs: Any, path: str, stopped: Event | None = None, *, quoted: bool) -> LineIndex:
    """Find the lines of a file by one pass over its bytes, in pieces that stay in the cache.

    Parameters
    ----------
    fs : fsspec file system
    path : str
    stopped : Event, optional
        The pass ends early, with what it has, once it is set.
    quoted : bool
        As of ``LineIndex``.

    Raises
    ------
    DatasetError
        If the file cannot be read, or if a line is longer than 64 MiB, as when a quote is never
        closed.
    """
    with reading(path, "be readable", REMEDY):
        before = stamp(fs, path)
    n_lines, n_bytes, rest = 0, 0, b""
    offsets, ended = [], False
    with (
        reading(path, "be readable", REMEDY),
        fs.open(path, "rb", block_size=REQUEST_NBYTES) as file,
    ):
        while not ended and not (stopped and stopped.is_set()):
            piece = file.read(min(max(PIECE_NBYTES, len(rest)), REQUEST_NBYTES))
            ended = not piece
            text = rest + (piece or bytes([NEWLINE]))
            starts, end = line_starts(text, quoted=quoted)
            offsets.append(n_bytes - len(rest) + starts[-n_lines % STEP :: STEP])
            n_lines += len(starts)
            n_bytes += len(piece)
            rest = text[end:]
            if len(rest) > LONGEST_LINE_NBYTES:
                raise _endless(path, n_lines)
    if rest:
        raise _endless(path, n_lines)
    return LineIndex(path, n_lines, np.concatenate([*offsets, [n_bytes]]), quoted, before)


def _keep_what_is_freed() -> None:
    # glibc hands freed memory back to the system, to be cleared anew for the next block, unless it
    # has seen larger pieces come and go. This one is never written to, so it costs nothing.
    bytes(REQUEST_NBYTES)


def _endless(path: str, line: int) -> DatasetError:
    return DatasetError(
        f"Line {line} of {path}",
        f"end within {LONGEST_LINE_NBYTES >> 20} MiB",
        got="no end, or a double quote that is never closed",
        remedy="Close the quote, or leave the file out of dataset.path.",
    )
