"""Columns of a table as they stand in its files, in blocks of Arrow tables."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from runner.dataset.columns import TEXT_NBYTES, Columns, choose
from runner.dataset.csv import Csv, Head
from runner.dataset.dataset import Dataset
from runner.dataset.layout import Layout, Stretch
from runner.dataset.parquet import Parquet
from runner.dataset.table import Table
from runner.errors import ConfigError


@dataclass(frozen=True)
class ArrowLayout(Layout):
    """The columns with the types of the files: whole integers, dates and empty cells stay.

    Attributes
    ----------
    types : tuple of pyarrow.DataType
        One per column.
    """

    types: tuple[pa.DataType, ...]

    @property
    def row_nbytes(self) -> int:
        """Bytes of one row, in which each column counts as text does."""
        return TEXT_NBYTES * len(self.types)

    def assemble(self, stretches: Iterable[Stretch], n_rows: int) -> tuple[pa.Table]:
        """Put stretches of rows below each other.

        Returns
        -------
        tuple of one pyarrow.Table
            With ``n_rows`` rows.
        """
        schema = pa.schema(list(zip(self.columns.features, self.types, strict=True)))
        tables = [schema.empty_table()]
        for stretch in stretches:
            columns = [
                column.cast(kind) for column, kind in zip(stretch.columns, self.types, strict=True)
            ]
            tables.append(pa.table(columns, schema=schema))
        return (pa.concat_tables(tables),)


@dataclass(kw_only=True)
class _ArrowTable(Table):
    def lay_out(
        self,
        columns: Columns,
        types: Mapping[str, pa.DataType],
        dtype: str | None,
        full: Callable[[Sequence[str]], set[str]],
    ) -> Layout:
        found = tuple(types[name] for name in columns.features)
        return ArrowLayout(columns, np.dtype(object), None, found)

    def choose(self, names: Sequence[str], ignored: Collection[str] = ()) -> Columns:
        return choose(
            names,
            target=None,
            features=self.features,
            sample_weight=None,
            features_key="columns",
        )


@dataclass(kw_only=True)
class _ArrowParquet(_ArrowTable, Parquet):
    pass


@dataclass(kw_only=True)
class _ArrowCsv(_ArrowTable, Csv):
    def _types(self, columns: Columns, heads: Mapping[str, Head]) -> dict[str, pa.DataType]:
        return dict.fromkeys(columns.features, pa.string())


_AS_ARROW: dict[type[Table], type[_ArrowTable]] = {Parquet: _ArrowParquet, Csv: _ArrowCsv}


def as_arrow(dataset: Dataset, columns: Sequence[str]) -> Dataset:
    """Return some columns of a table as a dataset of its own, whose blocks of X are Arrow tables.

    A column of CSV is text as it stands, so that ids keep their zeros and all their digits.

    Parameters
    ----------
    dataset : Dataset
        Cut into the same blocks if its ``chunks`` is a number of rows.
    columns : sequence of str

    Raises
    ------
    ConfigError
        If the dataset is none of files with named columns.
    """
    for kind, reader in _AS_ARROW.items():
        if isinstance(dataset, kind):
            settings = {field.name: getattr(dataset, field.name) for field in fields(dataset)}
            unread = {"target": None, "sample_weight": None}
            return reader(**settings | unread | {"features": list(columns)})
    raise ConfigError(
        "columns",
        "be named only of Parquet and CSV files",
        got=f"{', '.join(columns)} of {type(dataset).__name__}",
        remedy="Leave them out; the column `row` numbers the rows of the dataset from 0.",
    )
