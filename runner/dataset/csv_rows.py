"""The rows of CSV files, of which any part can be read by its bytes."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from runner.dataset.columns import is_text
from runner.dataset.files import reading
from runner.dataset.layout import Layout, Stretch
from runner.dataset.lines import LineIndex, Part
from runner.dataset.spans import spans
from runner.errors import DatasetError

PIECE_NBYTES = 2**20
BAD_CELL = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to \w+: (.*)")
BAD_ROW = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")
NULLS = tuple(pacsv.ConvertOptions().null_values)
# These begin as numbers do: to rule them out in each number takes a tenth of the whole time.
RARE_NULLS = tuple(null for null in NULLS if null.startswith(("1", "-")))
COMMON_NULLS = tuple(null for null in NULLS if null not in RARE_NULLS)
MEND_ROW = "Mend the row, or set dataset.delimiter to what stands between the cells."


@dataclass(frozen=True)
class Cells:
    """How the cells of a file are told apart, and the types they are read as.

    Attributes
    ----------
    header : tuple of str
        The names of all columns, in the order of the file.
    delimiter : str
    types : tuple of (str, pyarrow.DataType)
        The columns to read.
    has_rare_nulls : bool
        Whether cells such as ``-nan`` are expected, which count as empty too. They do in any case,
        but a block in which there is one that is not expected is parsed twice.
    """

    header: tuple[str, ...]
    delimiter: str
    types: tuple[tuple[str, pa.DataType], ...]
    has_rare_nulls: bool = False

    def parse(self, lines: Part, longest: int) -> pa.Table:
        """Parse some whole lines, in this thread only; text that is empty becomes null.

        The parser takes the lines in pieces that stay in the processor's cache, and fails if one
        is shorter than a line; ``longest`` is at least the bytes of the longest line.
        """
        table = None if self.has_rare_nulls else self._parse_common(lines, longest)
        if table is None:
            table = self._parse(lines, longest, NULLS)
        for j, (name, kind) in enumerate(self.types):
            if is_text(kind):
                text = table.column(name)
                table = table.set_column(j, name, pc.if_else(pc.equal(text, ""), None, text))
        return table

    def _parse_common(self, lines: Part, longest: int) -> pa.Table | None:
        """Return the table, or None if it is to be parsed again with all that counts as empty."""
        try:
            table = self._parse(lines, longest, COMMON_NULLS)
        except pa.ArrowInvalid:
            return None
        return None if any(map(_may_have_nan, table.columns)) else table

    def _parse(self, lines: Part, longest: int, nulls: Sequence[str]) -> pa.Table:
        types = dict(self.types)
        return pacsv.read_csv(
            lines.open(),
            pacsv.ReadOptions(
                column_names=list(self.header),
                use_threads=False,
                block_size=max(longest, PIECE_NBYTES),
            ),
            pacsv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
            pacsv.ConvertOptions(
                include_columns=list(types), column_types=types, null_values=nulls
            ),
        )


@dataclass(frozen=True, eq=False)
class ReadCsv:
    """Read X, y and the weights of some rows, from any number of files.

    Safe to call from several threads: each call parses in its own thread and no other.

    Attributes
    ----------
    fs : fsspec file system
    indices : tuple of LineIndex
        One per file; line 0 is the header.
    edges : ndarray of shape (n_files + 1,)
        The first row of each file, and the number of rows.
    """

    fs: Any
    indices: tuple[LineIndex, ...]
    edges: np.ndarray
    cells: Cells
    layout: Layout

    def __call__(self, start: int, stop: int) -> tuple[np.ndarray | None, ...]:
        """Return the rows [start, stop) of X, y and the weights."""
        return self.layout.assemble(self._stretches(start, stop), stop - start)

    def of_y(self) -> "ReadCsv":
        """Return what decodes y and nothing else."""
        layout = self.layout.of_y
        types = tuple(item for item in self.cells.types if item[0] in layout.columns.targets)
        return replace(self, layout=layout, cells=replace(self.cells, types=types))

    def _stretches(self, start: int, stop: int) -> Iterator[Stretch]:
        is_matrix = self.layout.is_matrix(dict(self.cells.types))
        n_features = len(self.layout.columns.features) if is_matrix else 0
        for file, begin, end in spans(self.edges, start, stop):
            index, rows = self.indices[file], f"rows {begin} to {end - 1}"
            table = self._table(index, begin, end, rows)
            columns = iter(table.columns[n_features:])
            features = table.select(range(n_features)) if is_matrix else None
            yield Stretch(end - begin, columns, index.path, rows, features)
            del table, columns, features

    def _table(self, index: LineIndex, start: int, stop: int, rows: str) -> pa.Table:
        rule = f"have {len(self.cells.header)} cells in each of its {rows}"
        with (
            reading(index.path, rule, MEND_ROW, (pa.ArrowException,)),
            index.part(self.fs, start + 1, stop + 1) as lines,
        ):
            try:
                table = self.cells.parse(lines, index.longest(start + 1, stop + 1))
            except pa.ArrowInvalid as error:
                refuse_row(error, index.path, start)
                self._refuse_cell(error, index.path, start, rows)
                raise
        if table.num_rows != stop - start:
            raise DatasetError(
                f"The file {index.path}",
                f"have double quotes only around whole cells in its {rows}",
                got=f"{table.num_rows} rows in {stop - start} lines",
                remedy="Put double quotes around the cell, and write those inside it twice.",
            )
        return table

    def _refuse_cell(self, error: pa.ArrowInvalid, path: str, start: int, rows: str) -> None:
        found = BAD_CELL.match(" ".join(str(error).split()))
        if found is None:
            return
        column, row, cell = found.groups()
        name = self.cells.header[int(column)]
        kind = dict(self.cells.types)[name]
        if name in self.layout.columns.targets:
            rule = f"hold {kind} values, as its first rows do"
            remedy = "Mend the cell, or set dataset.target_dtype=float64 or str."
        else:
            rule = "hold true and false only" if kind == pa.bool_() else "hold numbers only"
            remedy = "Mend the cell, or leave the column out."
        if "UTF8" in cell:
            remedy = "Save the file as UTF-8."
        where = f"row {start + int(row) - 1}" if row else rows
        got = f"{cell} in its {where}"
        raise DatasetError(
            f"The column {name!r} of {path}", rule, got=got, remedy=remedy
        ) from error


def _may_have_nan(column: pa.ChunkedArray) -> bool:
    """Whether there may be a cell that was read as the number NaN; infinities may add up to it."""
    if not pa.types.is_floating(column.type):
        return False
    total = pc.sum(column).as_py()
    return total is not None and math.isnan(total)


def refuse_row(error: pa.ArrowInvalid, path: str, start: int) -> None:
    """Name the row that has too many or too few cells, if that is what was said.

    Parameters
    ----------
    error : pyarrow.ArrowInvalid
    path : str
    start : int
        The number, in the file, of the first row that was parsed; -1 where that was the header.

    Raises
    ------
    DatasetError
    """
    found = BAD_ROW.search(str(error))
    if found is not None:
        row, expected, got = map(int, found.groups())
        raise DatasetError(
            f"The file {path}",
            f"have {expected} cells in each row",
            got=f"{got} in its row {start + row - 1}",
            remedy=MEND_ROW,
        ) from error
