"""Tables with columns of several types: blocks of X as pandas DataFrames."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from runner.dataset.columns import TEXT_NBYTES, Columns, is_number, is_text
from runner.dataset.layout import Layout, Stretch, encoded_text, label_dtype, numbers, numpy_dtype
from runner.errors import DatasetError


@dataclass(frozen=True)
class FrameLayout(Layout):
    """The columns, of which each feature has a type of its own in memory.

    Text becomes Python strings, and NaN where a cell is empty.

    Attributes
    ----------
    dtypes : tuple of numpy.dtype
        One per feature; object for text.
    """

    dtypes: tuple[np.dtype[Any], ...]

    @property
    def row_nbytes(self) -> int:
        """Bytes of one row of X, in which text counts as 16."""
        return sum(TEXT_NBYTES if dtype.kind == "O" else dtype.itemsize for dtype in self.dtypes)

    @property
    def frame(self) -> Any:
        """An empty DataFrame like X."""
        X, _ = self.room(0)
        return X()

    def room(self, n_rows: int) -> tuple[Callable[[], Any], Sequence[np.ndarray]]:
        """Return what makes a DataFrame of the features, and where to write each."""
        columns = [np.empty(n_rows, dtype) for dtype in self.dtypes]
        return lambda: frame_of(dict(zip(self.columns.features, columns, strict=True))), columns

    def cells(self, feature: int, column: pa.ChunkedArray, stretch: Stretch) -> np.ndarray:
        """Return a feature as it is written.

        Raises
        ------
        DatasetError
            If a cell is empty in a column that has none by the footers of its files.
        """
        dtype = self.dtypes[feature]
        if dtype.kind == "O":
            return objects(column)
        if dtype.kind != "f":
            stretch.require_values({self.columns.features[feature]: column})
        return numbers(column)


def lay_out_frame(
    columns: Columns,
    types: Mapping[str, pa.DataType],
    dtype: str | None,
    full: Callable[[Sequence[str]], set[str]],
) -> FrameLayout:
    """Decide the type in memory of each column.

    Parameters
    ----------
    columns : Columns
    types : mapping of str to pyarrow.DataType
        The type of each column, which is never a dictionary.
    dtype : {"float32", "float64"} or None
        The type of the features that are numbers. None leaves each its own where it has no empty
        cell; float64 holds the integers and booleans of columns that do.
    full : callable
        Tells which of some columns are sure to have no empty cell.

    Raises
    ------
    DatasetError
        If a feature is neither numbers nor text, or a label is not as it should be.
    """
    strange = [name for name in columns.features if not _is_known(types[name])]
    if strange:
        raise DatasetError(
            "The features",
            "be columns of numbers, booleans or text",
            got=", ".join(f"{name!r} ({types[name]})" for name in strange),
            remedy="Name the columns to learn from in dataset.features, without these.",
        )
    y_dtype = label_dtype(columns, types)
    exact = [name for name in columns.features if _is_exact(types[name], dtype)]
    kept = full(exact) if exact else set()
    dtypes = [_dtype(types[name], dtype, is_full=name in kept) for name in columns.features]
    return FrameLayout(columns, np.dtype(object), y_dtype, tuple(dtypes))


def frame_of(columns: Mapping[str, np.ndarray]) -> Any:
    """Make a DataFrame of columns without copying them, of exactly their types."""
    import pandas as pd

    series = {
        name: pd.Series(column, dtype=column.dtype, copy=False) for name, column in columns.items()
    }
    return pd.DataFrame(series, copy=False)


def objects(column: pa.ChunkedArray) -> np.ndarray:
    """Return text as Python strings, equal ones as one object, and NaN where a cell is empty.

    Examples
    --------
    >>> objects(pa.chunked_array([["b", None, "b"]]))
    array(['b', nan, 'b'], dtype=object)
    """
    encoded = encoded_text(column)
    words = np.array([*encoded.dictionary.to_pylist(), np.nan], dtype=object)
    rows = encoded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
    text: np.ndarray = words[rows]
    return text


def _is_known(kind: pa.DataType) -> bool:
    return is_number(kind) or is_text(kind)


def _is_exact(kind: pa.DataType, dtype: str | None) -> bool:
    """Whether a column has no place for NaN, unless it is read as another type."""
    is_bool = pa.types.is_boolean(kind)
    return bool(is_bool or (pa.types.is_integer(kind) and dtype is None))


def _dtype(kind: pa.DataType, dtype: str | None, *, is_full: bool) -> np.dtype[Any]:
    if is_text(kind):
        return np.dtype(object)
    if is_full:
        return numpy_dtype(kind)
    if dtype is not None or not pa.types.is_floating(kind):
        return np.dtype(dtype or np.float64)
    return np.promote_types(numpy_dtype(kind), np.float32)
