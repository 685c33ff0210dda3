"""The data that come with scikit-learn, so that nothing has to be downloaded."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, TypeAlias

import numpy as np

from runner.dataset.chunks import row_chunks
from runner.dataset.dataset import Dataset
from runner.dataset.lazy import Arrays, from_reader
from runner.dataset.permutation import Order, row_order
from runner.errors import ConfigError, nearest
from runner.rules import boolean, integer, list_of, null, one_of, text

NAMES = ("breast_cancer", "diabetes", "diabetes_raw", "digits", "iris", "linnerud", "wine")
N_PIXELS = 2 * 427 * 640
Target: TypeAlias = str | tuple[str, ...] | None
COLORS = ("red", "green", "blue")


@dataclass(kw_only=True)
class Bundled(Dataset):
    """One of scikit-learn's small tables.

    Parameters
    ----------
    name : {"breast_cancer", "diabetes", "diabetes_raw", "digits", "iris", "linnerud", "wine"}
        Which; y has three columns in linnerud, and is a class or a number in the others. The
        features of diabetes come scaled, those of diabetes_raw as they were measured.
    target : str, list of str or None
        Features to predict from the others, in place of the table's own target. A list makes a y
        of as many columns, even of one.
    shuffle : bool
        Mix the rows, so that every block is like the whole: some tables are sorted by class.
    random_state : int
        The seed of the shuffle.
    """

    name: Annotated[str, one_of(*NAMES)]
    target: Annotated[str | list[str] | None, text() | list_of(text()) | null()] = None
    shuffle: Annotated[bool, boolean()] = True
    random_state: Annotated[int, integer(0)] = 0

    def arrays(self) -> Arrays:
        """Return X and y; the table is read to know its size, and kept by the process.

        Raises
        ------
        ConfigError
            If ``target`` is not among the features, or leaves none.
        """
        target = tuple(self.target) if isinstance(self.target, list) else self.target
        _check_target(self.name, target)
        X, y, feature_names = _table(self.name, target)
        order = row_order(len(X), self.shuffle, self.random_state)
        read = ReadTable(self.name, target, order)
        chunks = row_chunks(self.chunks, len(X), X.itemsize * X.shape[1])
        metas = (np.empty((0, *X.shape[1:]), X.dtype), np.empty((0, *y.shape[1:]), y.dtype))
        of_y = replace(read, is_whole=False)
        return from_reader(read, chunks, metas, feature_names, read_y=of_y)


@dataclass(kw_only=True)
class SampleImages(Dataset):
    """The pixels of the two photographs that come with scikit-learn, one row each.

    X has shape (546560, 3): red, green and blue from 0 to 1, as float32. There is no y.

    Parameters
    ----------
    shuffle : bool
        Mix the rows, so that every block is like the whole; else they follow the first
        photograph from left to right and from top to bottom, then the second.
    random_state : int
        The seed of the shuffle.
    """

    shuffle: Annotated[bool, boolean()] = True
    random_state: Annotated[int, integer(0)] = 0

    def arrays(self) -> Arrays:
        """Return X; the photographs are decoded with the first block."""
        read = ReadPixels(row_order(N_PIXELS, self.shuffle, self.random_state))
        meta = np.empty((0, len(COLORS)), np.float32)
        chunks = row_chunks(self.chunks, N_PIXELS, meta.itemsize * len(COLORS))
        return from_reader(read, chunks, (meta,), COLORS)


@dataclass(frozen=True)
class ReadTable:
    """Reads rows of one of the tables, which each process reads once."""

    name: str
    target: Target
    order: Order
    is_whole: bool = True

    def __call__(self, start: int, stop: int) -> tuple[np.ndarray | None, np.ndarray]:
        """Return X, unless y is all that is wanted, and y of the rows [start, stop)."""
        X, y, _ = _table(self.name, self.target)
        rows = self.order(np.arange(start, stop))
        return X[rows] if self.is_whole else None, y[rows]


@dataclass(frozen=True)
class ReadPixels:
    """Reads pixels of the photographs, which each process decodes once."""

    order: Order

    def __call__(self, start: int, stop: int) -> tuple[np.ndarray]:
        """Return X of the rows [start, stop)."""
        pixels = _pixels()[self.order(np.arange(start, stop))]
        return (pixels / np.float32(255),)


def _check_target(name: str, target: Target) -> None:
    names = _loaded(name)[2]
    chosen = _listed(target)
    for unknown in (each for each in chosen if each not in names):
        raise ConfigError(
            "dataset.target",
            f"name features of {name}",
            got=repr(unknown),
            remedy=nearest(unknown, names),
        )
    if len(set(chosen)) == len(names):
        raise ConfigError(
            "dataset.target",
            "leave a feature to predict from",
            got=f"all {len(names)} of {name}",
            remedy="Name fewer.",
        )


def _listed(target: Target) -> tuple[str, ...]:
    return (target,) if isinstance(target, str) else target or ()


@lru_cache
def _loaded(name: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    from sklearn import datasets

    if name == "diabetes_raw":
        table = datasets.load_diabetes(scaled=False)
    else:
        table = getattr(datasets, f"load_{name}")()
    return table.data, table.target, tuple(str(name) for name in table.feature_names)


@lru_cache
def _table(name: str, target: Target) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    X, y, names = _loaded(name)
    if target is None:
        return X, y, names
    chosen = [names.index(each) for each in _listed(target)]
    kept = [index for index in range(len(names)) if index not in chosen]
    y = X[:, chosen[0]] if isinstance(target, str) else X[:, chosen]
    return X[:, kept], y, tuple(names[index] for index in kept)


@lru_cache
def _pixels() -> np.ndarray:
    """Return all pixels as bytes, of shape (n_pixels, 3)."""
    from sklearn.datasets import load_sample_images

    return np.concatenate([image.reshape(-1, 3) for image in load_sample_images().images])
