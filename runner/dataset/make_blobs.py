"""Made-up clusters: isotropic normal blobs."""

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np

from runner.dataset.cells import Clusters, from_cells, structure
from runner.dataset.dataset import Dataset
from runner.dataset.lazy import Arrays
from runner.dataset.permutation import row_order
from runner.errors import ConfigError
from runner.rules import boolean, integer, list_of, null, number, one_of

DEFAULT_CENTERS = 3
DEFAULT_CENTER_BOX = (-10.0, 10.0)


@dataclass(kw_only=True)
class MakeBlobs(Dataset):
    """Blobs of any number of points, with the parameters of scikit-learn's generator.

    As ``sklearn.datasets.make_blobs``: the same law, not the same numbers. A row depends on
    ``random_state`` and its number only, whatever the chunks, and none is drawn before it is
    asked for.

    Parameters
    ----------
    n_samples : int or list of int
        Rows in all, shared out evenly, or the rows of each blob.
    n_features : int
        Columns. Where ``centers`` are points, it must be the number of their coordinates.
    centers : int or list of points, optional
        How many blobs, drawn uniformly in the box, or where they are. By default 3, or as many
        as ``n_samples`` has entries.
    cluster_std : float or list of float
        The standard deviation of every blob, or of each.
    center_box : list of two floats
        The lower and the upper bound of every coordinate of drawn centers.
    shuffle : bool
        False sorts the rows by blob. Shuffled or not, the blobs have exactly the same sizes.
    random_state : int
        The seed of the content.
    dtype : {"float64", "float32"}
        The type of X. The numbers of the blobs, y, are int64.

    Examples
    --------
    >>> MakeBlobs(n_samples=[2, 3], shuffle=False).arrays().y.compute()
    array([0, 0, 1, 1, 1])
    """

    n_samples: Annotated[int | list[int], integer(1) | list_of(integer(0))] = 100
    n_features: Annotated[int, integer(1)] = 2
    centers: Annotated[
        int | list[list[float]] | None, integer(1) | list_of(list_of(number())) | null()
    ] = None
    cluster_std: Annotated[float | list[float], number(least=0) | list_of(number(least=0))] = 1.0
    center_box: Annotated[list[float], list_of(number())] = field(
        default_factory=lambda: list(DEFAULT_CENTER_BOX)
    )
    shuffle: Annotated[bool, boolean()] = True
    random_state: Annotated[int, integer(0)] = 0
    dtype: Annotated[str, one_of("float64", "float32")] = "float64"

    def __post_init__(self) -> None:
        """Refuse what scikit-learn's generator refuses, and settings that would have no effect."""
        super().__post_init__()
        self._check_centers()
        self._check_box()
        if isinstance(self.cluster_std, list) and len(self.cluster_std) != self.n_blobs:
            raise ConfigError(
                "dataset.cluster_std",
                "be one number, or one for each blob",
                got=f"{len(self.cluster_std)} numbers for {self.n_blobs} blobs",
                remedy=f"Write a list of {self.n_blobs} numbers.",
            )

    @property
    def n_blobs(self) -> int:
        """How many blobs there are."""
        if isinstance(self.n_samples, list):
            return len(self.n_samples)
        if isinstance(self.centers, list):
            return len(self.centers)
        return DEFAULT_CENTERS if self.centers is None else self.centers

    def arrays(self) -> Arrays:
        """Return X of shape (n_samples, n_features) and y of shape (n_samples,)."""
        metas = (np.empty((0, self.n_features), self.dtype), np.empty(0, np.int64))
        law = self._law()
        n_rows = int(law.clusters.sizes.sum())
        return from_cells(law, n_rows, metas, self.random_state, self.chunks)

    def _check_centers(self) -> None:
        if isinstance(self.n_samples, list) and self.centers is not None:
            points = self.centers if isinstance(self.centers, list) else []
            if len(points) != len(self.n_samples):
                raise ConfigError(
                    "dataset.centers",
                    "be null or one point for each entry of n_samples",
                    got=f"{self.centers!r} for {len(self.n_samples)} entries",
                    remedy=f"Leave it out, or write a list of {len(self.n_samples)} points.",
                )
        if isinstance(self.centers, list):
            lengths = {len(point) for point in self.centers}
            if lengths != {self.n_features}:
                raise ConfigError(
                    "dataset.centers",
                    "have n_features coordinates each",
                    got=f"points of {' and '.join(map(str, sorted(lengths)))} "
                    f"for n_features={self.n_features}",
                    remedy=f"Write dataset.n_features={max(lengths)}, or mend the points.",
                )

    def _check_box(self) -> None:
        bounds = tuple(self.center_box)
        if isinstance(self.centers, list) and bounds != DEFAULT_CENTER_BOX:
            raise ConfigError(
                "dataset.center_box",
                "be left out where dataset.centers are points, as it would have no effect",
                got=repr(self.center_box),
                remedy="Leave out the box, or write how many centers to draw.",
            )
        if len(bounds) != len(DEFAULT_CENTER_BOX) or bounds[0] > bounds[-1]:
            raise ConfigError(
                "dataset.center_box",
                "be a lower and an upper bound",
                got=repr(self.center_box),
                remedy="Write dataset.center_box=[-10, 10].",
            )

    def _law(self) -> "BlobsLaw":
        sizes = self._sizes()
        order = row_order(int(sizes.sum()), self.shuffle, self.random_state)
        if isinstance(self.centers, list):
            centers = np.array(self.centers, dtype=float)
        else:
            rng = structure(self.random_state, "centers")
            low, high = self.center_box
            centers = rng.uniform(low, high, (len(sizes), self.n_features))
        return BlobsLaw(
            clusters=Clusters(sizes, order),
            centers=centers,
            stds=np.broadcast_to(np.asarray(self.cluster_std, dtype=float), len(sizes)),
        )

    def _sizes(self) -> np.ndarray:
        if isinstance(self.n_samples, list):
            return np.array(self.n_samples)
        each, some = divmod(self.n_samples, self.n_blobs)
        return each + (np.arange(self.n_blobs) < some)


@dataclass(frozen=True)
class BlobsLaw:
    """How a point of a blob is drawn.

    ``centers`` has shape (n_blobs, n_features), ``stds`` shape (n_blobs,).
    """

    clusters: Clusters
    centers: np.ndarray
    stds: np.ndarray

    def __call__(
        self, rng: np.random.Generator, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw X and y of the rows with these numbers."""
        blob = self.clusters(rows)
        normal = rng.standard_normal((len(rows), self.centers.shape[1]))
        return self.centers[blob] + self.stds[blob, None] * normal, blob
