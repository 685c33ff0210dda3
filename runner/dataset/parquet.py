"""Parquet files as blocks of any size, whatever their row groups."""

import math
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Annotated

import pyarrow as pa
import pyarrow.parquet as pq

from runner.dataset.chunks import row_chunks
from runner.dataset.columns import Columns, common_type
from runner.dataset.files import Files, find_files, of_each
from runner.dataset.lazy import Arrays, from_reader
from runner.dataset.row_groups import (
    CACHE,
    ReadRowGroups,
    RowGroups,
    decoded_nbytes,
    opened,
)
from runner.dataset.table import Table
from runner.errors import DatasetError, RunnerWarning, nearest
from runner.rules import null, one_of

FOOTER_THREADS = 8


@dataclass(kw_only=True)
class Parquet(Table):
    """The rows of Parquet files; the columns are named as ``Table`` says.

    Only the named columns are read, and the numbers of rows come from the files' footers.
    Checksums of pages are verified where a file has them. ``chunks: auto`` follows the row groups:
    small ones are joined, large ones cut evenly, and no block has parts of two.

    Parameters
    ----------
    dtype : {"float32", "float64"}, optional
        The type of X; by default float32 where the features are, else mostly float64. In a
        DataFrame it is that of each column of numbers; by default that of the files, or float64
        for integers and booleans in a column with empty cells.
    """

    dtype: Annotated[str | None, one_of("float32", "float64") | null()] = None

    suffixes = (".parquet", ".parq", ".pq")

    def arrays(self) -> Arrays:
        """Return X, y and the weights; only footers are read.

        Raises
        ------
        DatasetError
            If a file or a column is missing or cannot be read, or if the files do not agree.

        Warns
        -----
        RunnerWarning
            If row groups are much larger than the blocks.
        """
        files = find_files(self.path, self.suffixes)
        footers = read_footers(files)
        columns = self.choose(
            list(dict.fromkeys(name for footer in footers for name in footer.schema.names)),
            ignored={name for footer in footers for name in footer.index},
        )
        types = common_types(files, footers, columns)
        layout = self.lay_out(columns, types, self.dtype, partial(without_empty_cells, files))
        groups = RowGroups.of([footer.sizes for footer in footers])
        chunks = row_chunks(self.chunks, groups.n_rows, layout.row_nbytes)
        if self.chunks == "auto" and chunks:
            chunks = join_or_cut(groups.sizes.tolist(), max(chunks))
        row_nbytes = decoded_nbytes(types.values())
        _warn_of_cut_groups(groups.sizes.tolist(), chunks, row_nbytes)
        read = ReadRowGroups(files, groups, layout, row_nbytes)
        read_y = read.of_y(decoded_nbytes(types[name] for name in columns.targets))
        return from_reader(
            read, chunks, layout.metas, columns.features, read_y=read_y, frame=layout.frame
        )


@dataclass(frozen=True)
class Footer:
    """What the end of a Parquet file says: the rows of each row group, and the columns."""

    sizes: list[int]
    schema: pa.Schema

    @property
    def index(self) -> list[str]:
        """The names of the columns that pandas wrote as the index."""
        written = (self.schema.pandas_metadata or {}).get("index_columns", [])
        return [name for name in written if isinstance(name, str)]


def read_footers(files: Files) -> list[Footer]:
    """Read the footer of each file, several files at a time.

    Raises
    ------
    DatasetError
        If one is not a readable Parquet file.
    """

    def read(file: int, _: Event) -> Footer:
        with opened(files, file) as parquet:
            footer = parquet.metadata
            sizes = [footer.row_group(i).num_rows for i in range(footer.num_row_groups)]
            return Footer(sizes, parquet.schema_arrow)

    return of_each(range(len(files.paths)), read, FOOTER_THREADS)


def common_types(
    files: Files, footers: Sequence[Footer], columns: Columns
) -> dict[str, pa.DataType]:
    """Return a type for each column that its type in every file can be cast to.

    Raises
    ------
    DatasetError
        If a file lacks a column, or if a column has types that do not fit together.
    """
    for path, footer in zip(files.paths, footers, strict=True):
        for name in columns.names:
            if name not in footer.schema.names:
                raise DatasetError(
                    f"The file {path}",
                    f"have the column {name!r}, as other files of dataset.path have",
                    got=f"{len(footer.schema.names)} other columns",
                    remedy=f"{nearest(name, footer.schema.names)} Or leave the file out.",
                )
    return {
        name: common_type(
            name,
            {
                path: footer.schema.field(name).type
                for path, footer in zip(files.paths, footers, strict=True)
            },
        )
        for name in columns.names
    }


def without_empty_cells(files: Files, names: Collection[str]) -> set[str]:
    """Return those of the columns of which all footers say that no cell is empty."""

    def doubtful(file: int, _: Event) -> set[str]:
        with opened(files, file) as parquet:
            return {name for name in _perhaps_empty(parquet.metadata) if name in names}

    found = of_each(range(len(files.paths)), doubtful, FOOTER_THREADS)
    return set(names).difference(*found)


def _perhaps_empty(footer: pq.FileMetaData) -> Iterator[str]:
    for i in range(footer.num_row_groups):
        group = footer.row_group(i)
        for j in range(footer.num_columns):
            column = group.column(j)
            counted = column.statistics if column.is_stats_set else None
            is_full = counted is not None and counted.has_null_count and not counted.null_count
            if not is_full and footer.schema.column(j).max_definition_level:
                yield column.path_in_schema


def join_or_cut(sizes: Sequence[int], limit: int) -> tuple[int, ...]:
    """Join neighbouring row groups into blocks of at most ``limit`` rows, and cut larger ones.

    Examples
    --------
    >>> join_or_cut([40, 40, 40, 10, 250], limit=100)
    (80, 50, 84, 83, 83)
    """
    blocks: list[int] = []
    room = 0
    for size in filter(None, sizes):
        if size <= room:
            blocks[-1] += size
            room -= size
            continue
        n_parts = math.ceil(size / limit)
        blocks.extend(size // n_parts + (i < size % n_parts) for i in range(n_parts))
        room = limit - size if n_parts == 1 else 0
    return tuple(blocks)


def _warn_of_cut_groups(sizes: Sequence[int], chunks: Sequence[int], row_nbytes: int) -> None:
    cut = [size for size in sizes if size > max(chunks, default=size)]
    if sum(cut) * row_nbytes > CACHE.limit_nbytes:
        warnings.warn(
            f"Row groups of up to {max(cut)} rows are larger than the blocks of {max(chunks)} "
            "rows, so in a shuffled order most blocks decode a whole row group. Write the files "
            "with smaller row groups, or make dataset.chunks larger, to read faster.",
            RunnerWarning,
            stacklevel=3,
        )
