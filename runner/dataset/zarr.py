"""Arrays of a Zarr group as blocks."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from runner.dataset.chunks import row_chunks
from runner.dataset.dataset import Dataset
from runner.dataset.files import file_system, missing, reading
from runner.dataset.fingerprint import digested, stamp
from runner.dataset.lazy import Arrays, from_reader
from runner.dataset.shapes import require_rows_of_numbers, require_same_rows
from runner.errors import ConfigError, DatasetError, nearest
from runner.rules import MOST_PATH, null, text

ERRORS = (OSError, ValueError, RuntimeError)
METADATA = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")
REMEDY = "Write the group again from its source, or name another in dataset.path."


@dataclass(kw_only=True)
class Zarr(Dataset):
    """The rows of arrays in one Zarr group.

    Chunks of Zarr that were never written read as their fill value, as Zarr means them to.

    Parameters
    ----------
    path : str
        The group: a local folder, or with a protocol such as ``s3://``.
    X : str
        The name of the array of shape (n_rows, n_features), numbers of any type.
    y : str or None
        The name of the array of shape (n_rows,) or (n_rows, n_targets), numbers or text.
    sample_weight : str, optional
        The name of the array of shape (n_rows,).
    """

    path: Annotated[str, text(MOST_PATH)]
    X: Annotated[str, text()] = "X"
    y: Annotated[str | None, text() | null()] = "y"
    sample_weight: Annotated[str | None, text() | null()] = None

    def arrays(self) -> Arrays:
        """Return X, y and the weights; only the metadata of the arrays are read.

        Raises
        ------
        ConfigError
            If the package zarr is not installed.
        DatasetError
            If the group or an array is missing or unfit, or if the numbers of rows differ.
        """
        group = _open(self.path)
        names = {"X": self.X, "y": self.y, "sample_weight": self.sample_weight}
        arrays = {
            key: None if name is None else _array(group, key, name) for key, name in names.items()
        }
        there = {key: array for key, array in arrays.items() if array is not None}
        require_same_rows({key: array.shape[0] for key, array in there.items()})
        X = there["X"]
        chunks = row_chunks(self.chunks, X.shape[0], X.shape[1] * X.dtype.itemsize)
        read = ReadZarr(self.path, tuple(arrays.values()))
        of_y = ReadZarr(self.path, (None, arrays["y"]))
        return from_reader(read, chunks, read(0, 0), read_y=of_y)

    def fingerprint(self) -> dict[str, str]:
        """Return the stamps of the files of metadata, and a digest of those of all chunks."""
        fs, root = file_system(self.path, "dataset.path")
        with reading(root, "be a readable Zarr group", REMEDY, ERRORS):
            stamps = {path: stamp(fs, path) for path in fs.find(root)}
        told = {path: each for path, each in stamps.items() if _name(path) in METADATA}
        chunks = {path: each for path, each in stamps.items() if path not in told}
        return told | (digested(chunks, most=0) if chunks else {})


@dataclass(frozen=True, eq=False)
class ReadZarr:
    """Read X, y and the weights, one slice each; safe to call from several threads."""

    path: str
    arrays: tuple[Any, ...]

    def __call__(self, start: int, stop: int) -> tuple[np.ndarray | None, ...]:
        """Return the rows [start, stop) of X, y and the weights."""
        with reading(self.path, f"be readable in its rows {start} to {stop - 1}", REMEDY, ERRORS):
            return tuple(
                None if each is None else _rows(each, start, stop) for each in self.arrays
            )


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _open(path: str) -> Any:
    fs, root = file_system(path, "dataset.path")
    if not fs.exists(root):
        raise missing(fs, root, "dataset.path")
    try:
        import zarr
    except ImportError:
        raise ConfigError(
            "A Zarr dataset",
            "have the package zarr installed",
            got="none",
            remedy="Install it with: pip install 'incremental-runner[zarr]'",
        ) from None
    with reading(path, "be a readable Zarr group", REMEDY, ERRORS):
        return zarr.open_group(path, mode="r")


def _array(group: Any, key: str, name: str) -> Any:
    names = sorted(group.array_keys())
    if name not in names:
        raise DatasetError(
            f"dataset.{key}",
            "name an array of the group",
            got=repr(name),
            remedy=nearest(name, names),
        )
    array = group[name]
    require_rows_of_numbers(key, f"The array {name!r}", array.shape, array.dtype)
    return array


def _rows(array: Any, start: int, stop: int) -> np.ndarray:
    rows: np.ndarray = array[start:stop]
    if rows.dtype.kind == "T":
        return np.array(rows.tolist(), dtype=str).reshape(rows.shape)
    return rows
