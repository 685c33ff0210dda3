"""The data that come with scikit-learn, so that nothing has to be downloaded."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from runner.dataset.chunks import row_chunks
from runner.dataset.dataset import Dataset
from runner.dataset.lazy import Arrays, from_reader
from runner.dataset.permutation import Order, row_order
from runner.errors import ConfigError, nearest
from runner.rules import boolean, check, integer

NAMES = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")
N_PIXELS = 2 * 427 * 640
COLORS = ("red", "green", "blue")


@dataclass(kw_only=True)
class Bundled(Dataset):
    """One of scikit-learn's small tables.

    Parameters
    ----------
    name : {"breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine"}
        Which; y has three columns in linnerud, and is a class or a number in the others.
    shuffle : bool
        Mix the rows, so that every block is like the whole: some tables are sorted by class.
    random_state : int
        The seed of the shuffle.
    """

    name: str
    shuffle: bool = True
    random_state: int = 0

    def __post_init__(self) -> None:
        """Refuse a name that scikit-learn does not have."""
        super().__post_init__()
        if self.name not in NAMES:
            raise ConfigError(
                "dataset.name",
                "be one of scikit-learn's bundled datasets",
                got=repr(self.name),
                remedy=nearest(str(self.name), NAMES),
            )
        check("dataset", self, shuffle=boolean(), random_state=integer(0))

    def arrays(self) -> Arrays:
        """Return X and y; the table is read to know its size, and kept by the process."""
        X, y, feature_names = _table(self.name)
        read = ReadTable(self.name, row_order(len(X), self.shuffle, self.random_state))
        chunks = row_chunks(self.chunks, len(X), X.itemsize * X.shape[1])
        metas = (np.empty((0, *X.shape[1:]), X.dtype), np.empty((0, *y.shape[1:]), y.dtype))
        return from_reader(read, chunks, metas, feature_names)


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

    shuffle: bool = True
    random_state: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that are of another kind."""
        super().__post_init__()
        check("dataset", self, shuffle=boolean(), random_state=integer(0))

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
    order: Order

    def __call__(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Return X and y of the rows [start, stop)."""
        X, y, _ = _table(self.name)
        rows = self.order(np.arange(start, stop))
        return X[rows], y[rows]


@dataclass(frozen=True)
class ReadPixels:
    """Reads pixels of the photographs, which each process decodes once."""

    order: Order

    def __call__(self, start: int, stop: int) -> tuple[np.ndarray]:
        """Return X of the rows [start, stop)."""
        pixels = _pixels()[self.order(np.arange(start, stop))]
        return (pixels / np.float32(255),)


@lru_cache
def _table(name: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    from sklearn import datasets

    table = getattr(datasets, f"load_{name}")()
    return table.data, table.target, tuple(str(name) for name in table.feature_names)


@lru_cache
def _pixels() -> np.ndarray:
    """Return all pixels as bytes, of shape (n_pixels, 3)."""
    from sklearn.datasets import load_sample_images

    return np.concatenate([image.reshape(-1, 3) for image in load_sample_images().images])
