"""From the columns of Arrow tables to X, y and sample weights in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from runner.dataset.columns import Columns, is_number, is_text
from runner.errors import DatasetError


@dataclass(frozen=True)
class Stretch:
    """Some rows that follow each other in one file.

    Attributes
    ----------
    n_rows : int
    columns : iterator of pyarrow.ChunkedArray
        The features, the targets and the weight, which may be read as they are asked for.
    path, rows : str
        The file, and what messages call the rows.
    features : pyarrow.Table, optional
        The features, of the type of X, where they are all in memory; ``columns`` are then the
        targets and the weight only.
    """

    n_rows: int
    columns: Iterator[pa.ChunkedArray]
    path: str
    rows: str
    features: pa.Table | None = None

    def require_values(self, columns: Mapping[str, pa.ChunkedArray]) -> None:
        """Refuse columns with empty cells.

        Raises
        ------
        DatasetError
            Naming the column and the file.
        """
        for name, column in columns.items():
            if n_empty := column.null_count:
                raise DatasetError(
                    f"The column {name!r} of {self.path}",
                    "have a value in every row",
                    got=f"{n_empty} empty cell{'s' if n_empty > 1 else ''} in its {self.rows}",
                    remedy="Remove these rows from the file, or fill them in.",
                )


@dataclass(frozen=True)
class Layout:
    """The columns and the types that they get in memory.

    Labels of text have the type ``<U1`` here, and in each block room for its own longest one. Join
    such blocks with ``numpy.concatenate``: Dask would cut them all to the width of the first.
    """

    columns: Columns
    X_dtype: np.dtype[Any]
    y_dtype: np.dtype[Any] | None

    @property
    def row_nbytes(self) -> int:
        """Bytes of one row of X."""
        return len(self.columns.features) * self.X_dtype.itemsize

    @property
    def frame(self) -> Any:
        """An empty DataFrame like X, where X is one."""
        return None

    def is_matrix(self, types: Mapping[str, pa.DataType]) -> bool:
        """Whether X is an array of the very type that all features have in files."""
        kinds = {types[name] for name in self.columns.features}
        return self.X_dtype.kind == "f" and kinds == {pa.from_numpy_dtype(self.X_dtype)}

    @property
    def of_y(self) -> "Layout":
        """The columns of y alone."""
        return Layout(self.columns.of_y, self.X_dtype, self.y_dtype)

    @property
    def metas(self) -> tuple[np.ndarray | None, ...]:
        """Empty arrays that look like X, y and the weights."""
        n_targets = () if isinstance(self.columns.target, str) else (len(self.columns.targets),)
        return (
            np.empty((0, len(self.columns.features)), self.X_dtype),
            None if self.y_dtype is None else np.empty((0, *n_targets), self.y_dtype),
            np.empty(0) if self.columns.sample_weight else None,
        )

    def room(self, n_rows: int) -> tuple[Callable[[], Any], Sequence[np.ndarray]]:
        """Return what gives X once it is written, and where to write each feature."""
        X = np.empty((n_rows, len(self.columns.features)), self.X_dtype)
        return lambda: X, [X[:, j] for j in range(X.shape[1])]

    def cells(self, feature: int, column: pa.ChunkedArray, stretch: Stretch) -> np.ndarray:
        """Return a feature as it is written, of shape (n_rows,)."""
        return numbers(column)

    def assemble(self, stretches: Iterable[Stretch], n_rows: int) -> tuple[Any, ...]:
        """Put stretches of rows below each other as X, y and the weights.

        Each feature is written once, straight to its place in X, and let go before the next is
        asked for, so that little more than X is ever in memory.

        Parameters
        ----------
        stretches : iterable of Stretch
            Whose rows are ``n_rows`` in all. Empty cells of features become NaN.
        n_rows : int

        Returns
        -------
        X : ndarray of shape (n_rows, n_features), in C order, or DataFrame
        y : ndarray of shape (n_rows,) or (n_rows, n_targets), or None
        sample_weight : ndarray of shape (n_rows,), float64, or None

        Raises
        ------
        DatasetError
            If a cell of a target or a weight is empty.
        """
        X, features = self.room(n_rows)
        y, sample_weight, done = [], [], 0
        for stretch in stretches:
            rows = slice(done, done + stretch.n_rows)
            if stretch.features is not None:
                write_rows(stretch.features, X()[rows])
            else:
                for j, feature in enumerate(features):
                    feature[rows] = self.cells(j, next(stretch.columns), stretch)
            labels = dict(zip(self.columns.labels, stretch.columns, strict=True))
            stretch.require_values(labels)
            y.append(self._y(labels))
            sample_weight.append(self._sample_weight(labels))
            done += stretch.n_rows
            del stretch, labels
        return X(), _joined(y), _joined(sample_weight)

    def _y(self, labels: Mapping[str, pa.ChunkedArray]) -> np.ndarray | None:
        if self.y_dtype is None:
            return None
        read = _text if self.y_dtype.kind == "U" else numbers
        found = [read(labels[name]) for name in self.columns.targets]
        y = found[0] if isinstance(self.columns.target, str) else np.column_stack(found)
        return y if self.y_dtype.kind == "U" else y.astype(self.y_dtype, copy=False)

    def _sample_weight(self, labels: Mapping[str, pa.ChunkedArray]) -> np.ndarray | None:
        if self.columns.sample_weight is None:
            return None
        return numbers(labels[self.columns.sample_weight]).astype(np.float64, copy=False)


def lay_out(columns: Columns, types: Mapping[str, pa.DataType], dtype: str | None) -> Layout:
    """Decide the types in memory from the types of the columns.

    Parameters
    ----------
    columns : Columns
    types : mapping of str to pyarrow.DataType
        The type of each column, which is never a dictionary.
    dtype : {"float32", "float64"} or None
        The type of X. None is what NumPy makes of all features together, as float32 or float64.

    Raises
    ------
    DatasetError
        If a column is neither numbers or booleans nor, for a target, text.
    """
    strange = [name for name in columns.features if not is_number(types[name])]
    if strange:
        has_text = any(is_text(types[name]) for name in strange)
        raise DatasetError(
            "The features",
            "be columns of numbers or booleans",
            got=", ".join(f"{name!r} ({types[name]})" for name in strange),
            remedy="Name the columns to learn from in dataset.features, without these"
            f"{', or set dataset.as_frame=true to take text as it is' if has_text else ''}.",
        )
    X_dtype = _feature_dtype([types[name] for name in columns.features], dtype)
    return Layout(columns, X_dtype, label_dtype(columns, types))


def label_dtype(columns: Columns, types: Mapping[str, pa.DataType]) -> np.dtype[Any] | None:
    """Return the type of y in memory, None without targets.

    Raises
    ------
    DatasetError
        If the targets are neither numbers nor text, or the weights no numbers.
    """
    weight = columns.sample_weight
    if weight is not None and not is_number(types[weight]):
        raise DatasetError(
            "dataset.sample_weight",
            "name a column of numbers",
            got=f"{weight!r} ({types[weight]})",
            remedy="Name another column, or leave it out.",
        )
    return _target_dtype(columns.targets, types)


def numpy_dtype(kind: pa.DataType) -> np.dtype[Any]:
    """Return the type in NumPy of a column of numbers; float64 where it has none of its own."""
    if pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return np.dtype(np.float64)
    dtype: np.dtype[Any] = np.dtype(kind.to_pandas_dtype())
    return dtype


def _feature_dtype(kinds: Sequence[pa.DataType], dtype: str | None) -> np.dtype[Any]:
    if dtype is not None:
        return np.dtype(dtype)
    common = np.result_type(*(numpy_dtype(kind) for kind in kinds))
    return np.promote_types(common, np.float32 if common.kind == "f" else np.float64)


def _target_dtype(
    targets: Sequence[str], types: Mapping[str, pa.DataType]
) -> np.dtype[Any] | None:
    if not targets:
        return None
    n_text = sum(is_text(types[name]) for name in targets)
    if n_text == len(targets):
        return np.dtype("<U1")
    if n_text or not all(is_number(types[name]) for name in targets):
        raise DatasetError(
            "dataset.target",
            "name columns of numbers, or of text",
            got=", ".join(f"{name!r} ({types[name]})" for name in targets),
            remedy="Name other columns, or write these as numbers or as text.",
        )
    return np.result_type(*(numpy_dtype(types[name]) for name in targets))


def numbers(column: pa.ChunkedArray) -> np.ndarray:
    """Return a column of numbers in NumPy; empty cells become NaN, and booleans 0 and 1."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        column = column.cast(pa.float64())
    return np.asarray(column.to_numpy())


def write_rows(features: pa.Table, X: np.ndarray) -> None:
    """Write columns of one type into a matrix, in pieces that stay in the processor's cache.

    Parameters
    ----------
    features : pyarrow.Table
        Of floats, in pieces as they were parsed. Empty cells become NaN.
    X : ndarray of shape (n_rows, n_features)
        In which all cells are written.

    Examples
    --------
    >>> X = np.empty((2, 2))
    >>> write_rows(pa.table({"a": [1.0, None], "b": [2.0, 3.0]}), X)
    >>> X
    array([[ 1.,  2.],
           [nan,  3.]])
    """
    done = 0
    for batch in features.to_batches():
        rows = X[done : done + batch.num_rows]
        rows[:] = batch.to_tensor(null_to_nan=True, row_major=False).to_numpy()
        done += batch.num_rows


def encoded_text(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """Return text as its distinct values and, for each row, which of them it is."""
    return column.cast(pa.large_string()).combine_chunks().dictionary_encode()


def _text(column: pa.ChunkedArray) -> np.ndarray:
    encoded = encoded_text(column)
    labels = np.array(encoded.dictionary.to_pylist(), dtype=str)
    text: np.ndarray = labels[encoded.indices.to_numpy()]
    return text


def _joined(parts: list[np.ndarray | None]) -> np.ndarray | None:
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if there else None
