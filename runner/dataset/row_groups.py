"""The row groups of Parquet files, as one run of rows of which any part can be read."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from runner.dataset.columns import TEXT_NBYTES, is_text
from runner.dataset.files import Files, reading
from runner.dataset.fingerprint import stamp, unchanged
from runner.dataset.layout import Layout, Stretch, numpy_dtype
from runner.dataset.row_cache import RowCache
from runner.dataset.spans import edges_of, spans

CACHE = RowCache(limit_nbytes=256 * 2**20)
SLAB_NBYTES = 2**20
STREAM_NBYTES = 2**20


@dataclass(frozen=True)
class Piece:
    """The rows [start, stop) of one row group, which has ``n_rows`` from ``offset`` on."""

    file: int
    group: int
    offset: int
    n_rows: int
    start: int
    stop: int

    def __str__(self) -> str:
        """Name the rows, counted from 0 in their file.

        Examples
        --------
        >>> print(Piece(file=0, group=1, offset=100, n_rows=100, start=20, stop=30))
        rows 120 to 129
        """
        return f"rows {self.offset + self.start} to {self.offset + self.stop - 1}"

    @property
    def is_whole(self) -> bool:
        """Whether these are all the rows of the group."""
        return self.stop - self.start == self.n_rows


@dataclass(frozen=True, eq=False)
class RowGroups:
    """Where each row group is.

    Attributes
    ----------
    sizes : ndarray of shape (n_groups,)
        The rows of each group.
    edges : ndarray of shape (n_groups + 1,)
        The first row of each group in the dataset, and the number of rows.
    file_edges : ndarray of shape (n_files + 1,)
        The first group of each file, and the number of groups.
    """

    sizes: np.ndarray
    edges: np.ndarray
    file_edges: np.ndarray

    @classmethod
    def of(cls, sizes: Sequence[Sequence[int]]) -> "RowGroups":
        """Lay the row groups of the files end to end, given the rows of each group by file."""
        every = np.array([size for file in sizes for size in file], dtype=np.int64)
        return cls(every, edges_of(every), edges_of([len(file) for file in sizes]))

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return int(self.edges[-1])

    def pieces(self, start: int, stop: int) -> Iterator[Piece]:
        """Say which rows of which groups are the rows [start, stop).

        Examples
        --------
        >>> [str(piece) for piece in RowGroups.of([[4, 4], [0, 5]]).pieces(3, 10)]
        ['rows 3 to 3', 'rows 4 to 7', 'rows 0 to 1']
        """
        for i, begin, end in spans(self.edges, start, stop):
            file = int(np.searchsorted(self.file_edges, i, side="right")) - 1
            first = int(self.file_edges[file])
            offset = int(self.edges[i] - self.edges[first])
            yield Piece(file, i - first, offset, int(self.sizes[i]), begin, end)


@dataclass(frozen=True, eq=False)
class ReadRowGroups:
    """Read X, y and the weights of some rows, from any number of row groups and files.

    Columns are decoded a few at a time, straight into X. A row group of which the rows are in
    several blocks stays decoded in ``CACHE`` until they are read; one that is too large for that
    is decoded in small batches up to the wanted rows.

    Safe to call from several threads: each call decodes in its own thread and no other.

    Attributes
    ----------
    files : Files
    groups : RowGroups
    layout : Layout
    row_nbytes : int
        Bytes of one decoded row, about.
    """

    files: Files
    groups: RowGroups
    layout: Layout
    row_nbytes: int

    def __call__(self, start: int, stop: int) -> tuple[np.ndarray | None, ...]:
        """Return the rows [start, stop) of X, y and the weights."""
        return self.layout.assemble(self._stretches(start, stop), stop - start)

    def of_y(self, row_nbytes: int) -> "ReadRowGroups":
        """Return what reads y and nothing else, a row of which has so many bytes."""
        return replace(self, layout=self.layout.of_y, row_nbytes=row_nbytes)

    def _stretches(self, start: int, stop: int) -> Iterator[Stretch]:
        for file, pieces in groupby(self.groups.pieces(start, stop), attrgetter("file")):
            with opened(self.files, file) as parquet:
                for piece in pieces:
                    columns = self._columns(parquet, piece)
                    yield Stretch(
                        piece.stop - piece.start, columns, self.files.paths[file], str(piece)
                    )

    def _columns(self, parquet: pq.ParquetFile, piece: Piece) -> Iterator[pa.ChunkedArray]:
        names = self.layout.columns.names
        if piece.is_whole:
            return self._decoded(parquet, piece)
        nbytes = piece.n_rows * self.row_nbytes
        if nbytes > CACHE.limit_nbytes:
            return iter(self._streamed(piece).select(names).columns)
        file = self.files.paths[piece.file], self.files.stamps[piece.file]
        table = CACHE.rows(
            (*file, piece.group, names),
            (piece.start, piece.stop, piece.n_rows),
            nbytes,
            lambda: pa.table(list(self._decoded(parquet, piece)), names),
        )
        return iter(table.columns)

    def _decoded(self, parquet: pq.ParquetFile, piece: Piece) -> Iterator[pa.ChunkedArray]:
        names = list(self.layout.columns.names)
        together = max(1, SLAB_NBYTES * len(names) // (piece.n_rows * self.row_nbytes))
        if not self.files.is_local:
            together = len(names)
        for first in range(0, len(names), together):
            some = names[first : first + together]
            with self._readable(piece):
                table = parquet.read_row_group(piece.group, some, use_threads=False)
            yield from table.select(some).columns
            del table

    def _streamed(self, piece: Piece) -> pa.Table:
        names = list(self.layout.columns.names)
        found, done = [], 0
        with opened(self.files, piece.file, STREAM_NBYTES) as parquet, self._readable(piece):
            for batch in parquet.iter_batches(
                row_groups=[piece.group], columns=names, use_threads=False
            ):
                skipped = max(piece.start - done, 0)
                if skipped < batch.num_rows:
                    found.append(batch.slice(skipped, piece.stop - done - skipped))
                done += batch.num_rows
                if done >= piece.stop:
                    break
        return pa.Table.from_batches(found)

    def _readable(self, piece: Piece) -> AbstractContextManager[None]:
        return readable(self.files.paths[piece.file], f"be readable at its {piece}")


def decoded_nbytes(types: Iterable[pa.DataType]) -> int:
    """Return the bytes of one decoded row, in which text counts as 16.

    Examples
    --------
    >>> decoded_nbytes([pa.float32(), pa.bool_(), pa.string()])
    21
    """
    return sum(TEXT_NBYTES if is_text(kind) else numpy_dtype(kind).itemsize for kind in types)


def readable(path: str, rule: str = "be a readable Parquet file") -> AbstractContextManager[None]:
    """Turn any error of reading Parquet into a ``DatasetError`` that names the file."""
    remedy = "Write the file again from its source, or leave it out of dataset.path."
    return reading(path, rule, remedy, (OSError, pa.ArrowException))


@contextmanager
def opened(files: Files, file: int, buffer_size: int = 0) -> Generator[pq.ParquetFile, None, None]:
    """Open a file with its footer, which is read once.

    Parameters
    ----------
    files : Files
    file : int
        The number of the file.
    buffer_size : int
        How many bytes to read at a time; 0 for whole columns of a row group, which over a network
        are asked for together.

    Raises
    ------
    DatasetError
        If the file cannot be opened, or is not as it was.
    """
    path = files.paths[file]
    with unchanged(files.fs, path, files.stamps[file]), readable(path):
        footer = _footer(files.fs, path, files.stamps[file])
        source = nullcontext(path) if files.is_local else files.fs.open(path, "rb")
        with (
            source as where,
            pq.ParquetFile(
                where,
                metadata=footer,
                buffer_size=buffer_size,
                pre_buffer=not (files.is_local or buffer_size),
                page_checksum_verification=True,
            ) as parquet,
        ):
            yield parquet


@lru_cache(maxsize=64)
def _footer(fs: Any, path: str, before: str) -> pq.FileMetaData:
    if stamp(fs, path) != before:
        raise OSError("another file than when the run began")
    with fs.open(path, "rb") as source:
        return pq.read_metadata(source)
