"""Where the lines of text files begin, so that any of them can be read by one byte range."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from runner.dataset.files import reading
from runner.dataset.fingerprint import stamp, unchanged
from runner.errors import DatasetError

STEP = 64
PIECE_NBYTES = 16 * 2**20
LONGEST_LINE_NBYTES = 64 * 2**20
REMEDY = "Check the right to read it, or leave it out of dataset.path."
NEWLINE, CARRIAGE_RETURN, SPACE, QUOTE = b'\n\r "'


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

    def read(self, fs: Any, start: int, stop: int) -> bytes:
        """Return the bytes of the lines [start, stop), perhaps with blank ones among them.

        Raises
        ------
        DatasetError
            If the file cannot be read or is not as it was.
        """
        first, last = int(self.offsets[start // STEP]), int(self.offsets[-(-stop // STEP)])
        rule = f"be readable at lines {start} to {stop - 1}"
        with (
            unchanged(fs, self.path, self.stamp),
            reading(self.path, rule, "Check that it is still there."),
        ):
            raw: bytes = fs.cat_file(self.path, start=first, end=last)
            if len(raw) != last - first:
                raise OSError("a shorter file than when the run began")
        return raw[self._find(raw, first, start) : self._find(raw, first, stop)]

    def longest(self, start: int, stop: int) -> int:
        """Return so many bytes that each of the lines [start, stop) has room in them."""
        return int(np.diff(self.offsets[start // STEP : -(-stop // STEP) + 1]).max())

    def _find(self, raw: bytes, first: int, line: int) -> int:
        step, rest = divmod(line, STEP)
        if line == self.n_lines:
            return len(raw)
        begin = int(self.offsets[step]) - first
        if rest == 0:
            return begin
        near = raw[begin : int(self.offsets[step + 1]) - first]
        starts, _ = line_starts(near + bytes([NEWLINE]), quoted=self.quoted)
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
    ends = np.flatnonzero(codes == NEWLINE) + 1
    if quoted and QUOTE in text:
        n_before = np.searchsorted(np.flatnonzero(codes == QUOTE), ends)
        ends = ends[n_before % 2 == 0]
    if len(ends) == 0:
        return ends, 0
    starts = np.concatenate([[0], ends[:-1]])
    if quoted:
        is_blank = (codes[starts] == NEWLINE) | (codes[starts] == CARRIAGE_RETURN)
    else:
        is_blank = np.maximum.reduceat(codes[: ends[-1]], starts) <= SPACE
    return starts[~is_blank], int(ends[-1])


def index_lines(fs: Any, path: str, *, quoted: bool) -> LineIndex:
    """Find the lines of a file by one pass over its bytes, 16 MiB at a time.

    Raises
    ------
    DatasetError
        If the file cannot be read, or if a line is longer than 64 MiB, as when a quote is never
        closed.
    """
    with reading(path, "be readable", REMEDY):
        before = stamp(fs, path)
    n_lines, n_bytes, rest = 0, 0, b""
    offsets = []
    for piece in _pieces(fs, path):
        text = rest + piece
        starts, end = line_starts(text, quoted=quoted)
        offsets.append(n_bytes - len(rest) + starts[-n_lines % STEP :: STEP])
        n_lines += len(starts)
        n_bytes += len(piece)
        rest = text[end:]
        if len(rest) > LONGEST_LINE_NBYTES:
            raise _endless(path, n_lines)
    if rest:
        raise _endless(path, n_lines)
    ends = np.concatenate([*offsets, [n_bytes - 1]])
    return LineIndex(path, n_lines, ends, quoted, before)


def _pieces(fs: Any, path: str) -> Iterator[bytes]:
    with reading(path, "be readable", REMEDY), fs.open(path, "rb") as file:
        while piece := file.read(PIECE_NBYTES):
            yield piece
    yield bytes([NEWLINE])


def _endless(path: str, line: int) -> DatasetError:
    return DatasetError(
        f"Line {line} of {path}",
        f"end within {LONGEST_LINE_NBYTES >> 20} MiB",
        got="no end, or a double quote that is never closed",
        remedy="Close the quote, or leave the file out of dataset.path.",
    )
