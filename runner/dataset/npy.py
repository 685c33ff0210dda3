"""NumPy's own files as blocks, read by byte range."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy_format

from runner.dataset.chunks import row_chunks
from runner.dataset.dataset import Dataset
from runner.dataset.files import Files, find_files, reading
from runner.dataset.fingerprint import stamp, unchanged
from runner.dataset.lazy import Arrays, from_reader
from runner.dataset.shapes import require_rows_of_numbers, require_same_rows
from runner.dataset.spans import edges_of, spans
from runner.errors import DatasetError
from runner.rules import MOST_PATH, null, text

REMEDY = "Write the file again from its source, with numpy.save."
READ_HEADER: dict[tuple[int, int], Callable[[BinaryIO], tuple[tuple[int, ...], bool, Any]]] = {
    (1, 0): npy_format.read_array_header_1_0,
    (2, 0): npy_format.read_array_header_2_0,
}


@dataclass(kw_only=True)
class Npy(Dataset):
    """The rows of ``.npy`` files.

    Each path names a file, the files below a folder, or those that match a glob. Several files are
    laid end to end in their natural order. Rows are read into memory of their own, never mapped;
    pickled objects are never loaded.

    Parameters
    ----------
    X : str
        Of shape (n_rows, n_features), numbers of any type.
    y : str, optional
        Of shape (n_rows,) or (n_rows, n_targets), numbers or text.
    sample_weight : str, optional
        Of shape (n_rows,).
    """

    X: Annotated[str, text(MOST_PATH)]
    y: Annotated[str | None, text(MOST_PATH) | null()] = None
    sample_weight: Annotated[str | None, text(MOST_PATH) | null()] = None

    def arrays(self) -> Arrays:
        """Return X, y and the weights; only the headers of the files are read.

        Raises
        ------
        DatasetError
            If a file is missing, cannot be read or holds something else, or if X, y and the
            weights have different numbers of rows.
        """
        stacks = {key: stack_files(key, path) for key, path in self._paths.items()}
        require_same_rows({key: stack.n_rows for key, stack in stacks.items()})
        X = stacks["X"]
        chunks = row_chunks(self.chunks, X.n_rows, X.row_nbytes)
        read = ReadNpy(X, stacks.get("y"), stacks.get("sample_weight"))
        of_y = replace(read, X=None, sample_weight=None)
        return from_reader(read, chunks, read(0, 0), read_y=of_y)

    def fingerprint(self) -> dict[str, str]:
        """Return the size of each file and when it was written."""
        found = [find_npy(key, path) for key, path in self._paths.items()]
        return {path: stamp for files in found for path, stamp in files.fingerprint.items()}

    @property
    def _paths(self) -> dict[str, str]:
        paths = {"X": self.X, "y": self.y, "sample_weight": self.sample_weight}
        return {key: path for key, path in paths.items() if path is not None}


@dataclass(frozen=True)
class NpyFile:
    """An array in C order, from byte ``offset`` of its file on, which was like ``stamp``."""

    path: str
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stamp: str


@dataclass(frozen=True, eq=False)
class Stack:
    """Arrays of the same type and width in several files, laid end to end."""

    fs: Any
    files: tuple[NpyFile, ...]
    edges: np.ndarray

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return int(self.edges[-1])

    @property
    def row_nbytes(self) -> int:
        """Bytes of one row."""
        first = self.files[0]
        return int(np.prod(first.shape[1:], dtype=int)) * first.dtype.itemsize

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return the rows [start, stop) in memory of their own, in the machine's byte order."""
        first = self.files[0]
        rows = np.empty((stop - start, *first.shape[1:]), first.dtype)
        done = 0
        for number, begin, end in spans(self.edges, start, stop):
            file = self.files[number]
            part = rows[done : done + end - begin].reshape(-1).view(np.uint8)
            with (
                unchanged(self.fs, file.path, file.stamp),
                reading(file.path, f"be readable in its rows {begin} to {end - 1}", REMEDY),
                self.fs.open(file.path, "rb") as source,
            ):
                source.seek(file.offset + begin * self.row_nbytes)
                if source.readinto(part.data) != len(part):
                    raise OSError("the file ends early")
            done += end - begin
        return rows.astype(first.dtype.newbyteorder("="), copy=False)


@dataclass(frozen=True, eq=False)
class ReadNpy:
    """Read X, y and the weights of some rows; safe to call from several threads."""

    X: Stack | None
    y: Stack | None
    sample_weight: Stack | None

    def __call__(self, start: int, stop: int) -> tuple[np.ndarray | None, ...]:
        """Return the rows [start, stop) of X, y and the weights."""
        return tuple(
            None if stack is None else stack.read(start, stop)
            for stack in (self.X, self.y, self.sample_weight)
        )


def find_npy(key: str, path: str) -> Files:
    """Find the files of ``key``, as ``find_files`` does."""
    return find_files(path, (".npy",), key=f"dataset.{key}")


def stack_files(key: str, path: str) -> Stack:
    """Lay the arrays of some files end to end.

    Raises
    ------
    DatasetError
        If a file is missing or unfit to be ``key``, or differs from the first.
    """
    found = find_npy(key, path)
    files = tuple(read_header(found.fs, each, key) for each in found.paths)
    first = files[0]
    for file in files[1:]:
        if (file.shape[1:], file.dtype) != (first.shape[1:], first.dtype):
            raise DatasetError(
                f"The array {file.path}",
                f"have the columns and the type of {first.path}",
                got=f"{_described(file)} beside {_described(first)}",
                remedy=f"Save them alike, or leave some out of dataset.{key}.",
            )
    return Stack(found.fs, files, edges_of([file.shape[0] for file in files]))


def read_header(fs: Any, path: str, key: str) -> NpyFile:
    """Read where and what the array of a file is.

    Raises
    ------
    DatasetError
        If it is not a ``.npy`` file, is cut short, or holds something that cannot be ``key``.
    """
    with (
        reading(path, "be a readable .npy file", REMEDY, (OSError, ValueError)),
        fs.open(path, "rb") as file,
    ):
        before = stamp(fs, path)
        version = npy_format.read_magic(file)
        if version not in READ_HEADER:
            raise ValueError(f"the format version {version}")
        shape, is_fortran, dtype = READ_HEADER[version](file)
        require_rows_of_numbers(key, f"The array {path}", shape, dtype)
        if is_fortran and len(shape) > 1:
            raise DatasetError(
                f"The array {path}",
                "be in C order, row after row",
                got="Fortran order",
                remedy="Save it again with numpy.save(path, numpy.ascontiguousarray(array)).",
            )
        nbytes = int(np.prod(shape, dtype=int)) * dtype.itemsize
        if fs.size(path) < file.tell() + nbytes:
            raise OSError(f"{fs.size(path)} bytes, of {file.tell() + nbytes}")
        return NpyFile(path, file.tell(), shape, dtype, before)


def _described(file: NpyFile) -> str:
    return f"{file.shape[1] if len(file.shape) > 1 else 1} columns of {file.dtype}"
