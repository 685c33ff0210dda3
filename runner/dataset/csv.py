"""CSV files as blocks of exactly so many rows."""

import json
import logging
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.csv as pacsv

from runner.dataset.chunks import row_chunks
from runner.dataset.columns import Columns, common_type, is_number, is_text
from runner.dataset.csv_rows import RARE_NULLS, Cells, ReadCsv, refuse_row
from runner.dataset.files import find_files, of_each, reading
from runner.dataset.lazy import Arrays, from_reader
from runner.dataset.lines import index_files, line_starts
from runner.dataset.spans import edges_of
from runner.dataset.table import Table
from runner.errors import DatasetError, RunnerWarning
from runner.rules import null, one_of, text

DELIMITERS = (";", "\t", "|", ",")
HEAD_NBYTES, HEAD_LINES = 2**20, 1000
TARGET_TYPES = {"int64": pa.int64(), "float64": pa.float64(), "str": pa.string()}

_log = logging.getLogger("runner")


@dataclass(frozen=True)
class Head:
    """The names of a file's columns, and what its first rows look like.

    ``odd`` tells, of a column that is text because of few cells, which is the first of them.
    ``has_rare_nulls`` is as of ``Cells``.
    """

    names: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    odd: Mapping[str, str]
    has_rare_nulls: bool

    def type_of(self, name: str) -> pa.DataType:
        """Return the type that fits the first cells of a column."""
        return self.types[self.names.index(name)]


@dataclass(kw_only=True)
class Csv(Table):
    r"""The rows of CSV files; the columns are named as ``Table`` says.

    Each file begins with the same line of column names. The files are scanned once for their
    lines, newlines within double quotes and empty lines left out; after that a block is one read
    of its own bytes. Cells that say NA, NaN or null count as empty ones, except in a column of
    text. A feature is one of text, or of true and false, which are read as 1 and 0, where the
    first rows of a file look like it.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        The type of X; in a DataFrame, of each column that is not text.
    delimiter : str
        What stands between the cells; ``"\t"`` for tabs.
    target_dtype : {"int64", "float64", "str"}, optional
        The type of y; by default what the first rows of each file look like.
    """

    dtype: Annotated[str, one_of("float32", "float64")] = "float64"
    delimiter: Annotated[str, text(1)] = ","
    target_dtype: Annotated[str | None, one_of(*TARGET_TYPES) | null()] = None

    suffixes = (".csv", ".tsv")

    def arrays(self) -> Arrays:
        """Return X, y and the weights; the files are scanned for their lines.

        Raises
        ------
        DatasetError
            If a file or a column is missing or cannot be read, or if the files do not agree.

        Warns
        -----
        RunnerWarning
            If a column is taken for text because of few cells among numbers.
        """
        files = find_files(self.path, self.suffixes)
        found = of_each(files.paths, lambda path, _: _head(files.fs, path, self.delimiter))
        heads = dict(zip(files.paths, found, strict=True))
        header = _common_header(heads)
        self._check_parted(header)
        columns = self.choose(header)
        types = self._types(columns, heads)
        _warn_of_odd_cells(types, heads)
        layout = self.lay_out(columns, types, self.dtype, lambda _: set())
        has_rare_nulls = any(head.has_rare_nulls for head in heads.values())
        cells = Cells(header, self.delimiter, tuple(types.items()), has_rare_nulls)
        _log.info("Reading %s once, to count its rows.", self.path)
        indices = index_files(files.fs, files.paths, quoted=True)
        edges = edges_of([index.n_lines - 1 for index in indices])
        chunks = row_chunks(self.chunks, int(edges[-1]), layout.row_nbytes)
        read = ReadCsv(files.fs, indices, edges, cells, layout)
        return from_reader(
            read, chunks, layout.metas, columns.features, read_y=read.of_y(), frame=layout.frame
        )

    def _check_parted(self, header: Sequence[str]) -> None:
        if len(header) > 1 or header[0] in (self.features or ()) or header[0] == self.target:
            return
        for mark in DELIMITERS:
            if mark != self.delimiter and mark in header[0]:
                raise DatasetError(
                    "dataset.delimiter",
                    "part the names of the columns in the first line",
                    got=f"{self.delimiter!r}, which leaves one column, {header[0]!r}",
                    remedy=f"Write delimiter: {json.dumps(mark)} under dataset in the file.",
                )

    def _types(self, columns: Columns, heads: Mapping[str, Head]) -> dict[str, pa.DataType]:
        types = dict.fromkeys(columns.names, pa.float64())
        number = pa.from_numpy_dtype(self.dtype)
        for name in columns.features:
            types[name] = _feature_type({head.type_of(name) for head in heads.values()}, number)
        for name in columns.targets:
            if self.target_dtype is not None:
                types[name] = TARGET_TYPES[self.target_dtype]
                continue
            seen = {path: _target_type(head.type_of(name)) for path, head in heads.items()}
            kind = common_type(name, seen)
            types[name] = pa.float64() if pa.types.is_null(kind) else kind
        return types


def _head(fs: Any, path: str, delimiter: str) -> Head:
    rule = "be CSV in UTF-8 with a line of column names first"
    remedy = "Write the file again from its source, or leave it out of dataset.path."
    with reading(path, rule, remedy, (OSError, pa.ArrowException, UnicodeDecodeError)):
        raw = fs.cat_file(path, start=0, end=HEAD_NBYTES)
        if len(raw) < HEAD_NBYTES:
            raw += b"\n"
        starts, end = line_starts(raw, quoted=True)
        raw = raw[: starts[HEAD_LINES] if len(starts) > HEAD_LINES else end]
        try:
            table = pacsv.read_csv(
                pa.BufferReader(raw),
                pacsv.ReadOptions(use_threads=False, block_size=len(raw) + 1),
                pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            )
        except pa.ArrowInvalid as error:
            refuse_row(error, path, -1)
            raise
        text = [field.name for field in table.schema if is_text(field.type)]
        found = {name: odd_cell(table.column(name).to_pylist()) for name in text}
        odd = {name: cell for name, cell in found.items() if cell}
        has_null = any(column.null_count for column in table.columns)
        has_rare_nulls = has_null and any(null.encode() in raw for null in RARE_NULLS)
        return Head(tuple(table.schema.names), tuple(table.schema.types), odd, has_rare_nulls)


def odd_cell(cells: Sequence[str]) -> str:
    """Name the first cell of text that stands among numbers, if most cells are such.

    Examples
    --------
    >>> odd_cell(["1.5", "2", "n/a", "", "4"])
    "'n/a' in row 2"
    >>> odd_cell(["a1", "a2", "3"])
    ''
    """
    is_number = [_reads_as_number(cell) for cell in cells]
    if 2 * sum(is_number) <= len(cells) or all(is_number):
        return ""
    row = is_number.index(False)
    return f"{cells[row]!r} in row {row}"


def _reads_as_number(cell: str) -> bool:
    try:
        float(cell or 0)
    except ValueError:
        return False
    return True


def _warn_of_odd_cells(types: Mapping[str, pa.DataType], heads: Mapping[str, Head]) -> None:
    for path, head in heads.items():
        for name, cell in head.odd.items():
            if name in types and is_text(types[name]):
                warnings.warn(
                    f"The column {name!r} is taken for text because of {cell} of {path}. Mend the "
                    "cell if it should be a number.",
                    RunnerWarning,
                    stacklevel=3,
                )


def _common_header(heads: Mapping[str, Head]) -> tuple[str, ...]:
    (first, head), *rest = heads.items()
    for path, other in rest:
        if other.names != head.names:
            odd = sorted(set(head.names) ^ set(other.names))
            raise DatasetError(
                f"The file {path}",
                f"begin with the same column names as {first}",
                got=f"differences at {', '.join(map(repr, odd))}" if odd else "another order",
                remedy="Write the files again with one header, or leave some out of dataset.path.",
            )
    return head.names


def _feature_type(inferred: Iterable[pa.DataType], number: pa.DataType) -> pa.DataType:
    kinds = {_target_type(kind) for kind in inferred if not pa.types.is_null(kind)}
    if any(map(is_text, kinds)):
        return pa.string()
    return pa.bool_() if kinds == {pa.bool_()} else number


def _target_type(inferred: pa.DataType) -> pa.DataType:
    return inferred if is_number(inferred) else pa.string()
