"""What datasets with named columns share: which column is what."""

from abc import ABC
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pyarrow as pa

from runner.dataset.columns import Columns, choose, is_number
from runner.dataset.dataset import Dataset
from runner.dataset.files import find_files
from runner.dataset.frames import lay_out_frame
from runner.dataset.layout import Layout, lay_out
from runner.rules import MOST_PATH, boolean, list_of, null, text


@dataclass(kw_only=True)
class Table(Dataset, ABC):
    """Rows of files with named columns: one file, those below a folder, or those of a glob.

    Parameters
    ----------
    path : str
        Local, or with a protocol such as ``s3://``.
    target : str or list of str or None
        The column of y; a list of several makes y two-dimensional.
    features : list of str, optional
        The columns of X, in this order; by default all others, in the order of the files. Empty
        cells become NaN.
    sample_weight : str, optional
        The column of weights.
    as_frame : bool, optional
        Whether blocks of X are pandas DataFrames, in which text stays text and each column has a
        type of its own; by default where a feature is text. Else they are NumPy arrays of numbers.
    """

    path: Annotated[str, text(MOST_PATH)]
    target: Annotated[str | list[str] | None, text() | list_of(text()) | null()]
    features: Annotated[list[str] | None, list_of(text()) | null()] = None
    sample_weight: Annotated[str | None, text() | null()] = None
    as_frame: Annotated[bool | None, boolean() | null()] = None

    suffixes: ClassVar[tuple[str, ...]]

    def fingerprint(self) -> dict[str, str]:
        """Return the size of each file and when it was written."""
        return find_files(self.path, self.suffixes).fingerprint

    def lay_out(
        self,
        columns: Columns,
        types: Mapping[str, pa.DataType],
        dtype: str | None,
        full: Callable[[Sequence[str]], set[str]],
    ) -> Layout:
        """Decide what X is made of: an array, or a DataFrame where it has to hold text.

        Parameters
        ----------
        columns : Columns
        types : mapping of str to pyarrow.DataType
            The type of each column, which is never a dictionary.
        dtype : {"float32", "float64"} or None
            The type of the features that are numbers.
        full : callable
            Tells which of some columns are sure to have no empty cell.

        Raises
        ------
        DatasetError
            If a column is of a kind that has no place there.
        """
        has_other = not all(is_number(types[name]) for name in columns.features)
        if self.as_frame or (self.as_frame is None and has_other):
            return lay_out_frame(columns, types, dtype, full)
        return lay_out(columns, types, dtype)

    def choose(self, names: Sequence[str], ignored: Collection[str] = ()) -> Columns:
        """Decide which of the named columns are what.

        Raises
        ------
        ConfigError
            If what should be a name is something else.
        DatasetError
            If a column is missing or asked for twice, or if none is left to learn from.
        """
        return choose(
            names,
            target=self.target,
            features=self.features,
            sample_weight=self.sample_weight,
            ignored=ignored,
        )
