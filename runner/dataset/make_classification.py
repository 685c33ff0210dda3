"""Made-up classes: clusters of points around the corners of a hypercube."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
from sklearn.utils.random import sample_without_replacement

from runner.dataset.cells import Clusters, from_cells, structure
from runner.dataset.dataset import Dataset
from runner.dataset.lazy import Arrays
from runner.dataset.permutation import row_order
from runner.errors import ConfigError
from runner.rules import (
    boolean,
    integer,
    list_of,
    null,
    number,
    one_of,
    positive,
)

MAX_CHOSEN_BITS = 30


@dataclass(kw_only=True)
class MakeClassification(Dataset):
    """A classification problem of any size, with the parameters of scikit-learn's generator.

    As ``sklearn.datasets.make_classification``, after Guyon, *Design of experiments for the NIPS
    2003 variable selection benchmark*, 2003: the same law, not the same numbers. A row depends on
    ``random_state`` and its number only, whatever the chunks, and none is drawn before it is
    asked for.

    Parameters
    ----------
    n_samples, n_features : int
        Rows and columns.
    n_informative : int
        Columns that tell the classes apart. Each cluster is normal in them, with a covariance of
        its own, around one corner of a hypercube.
    n_redundant, n_repeated : int
        Columns that are random linear combinations of the informative ones, and copies of
        informative or redundant ones. The columns left over are noise.
    n_classes, n_clusters_per_class : int
        Together they need as many corners.
    weights : list of float, optional
        The share of each class; the last may be left out. Equal by default. Rows that the shares
        leave over are spread evenly over the clusters.
    flip_y : float
        The share of rows whose class is drawn anew, at random.
    class_sep : float
        Half the side of the hypercube: larger is easier.
    hypercube : bool
        False moves the corners to those of a random polytope inside.
    shift, scale : float or list of float, optional
        Added to the columns, then multiplied with them; a list has one number for each column as
        it is before the columns are shuffled. None draws them: a shift up to ``class_sep`` either
        way, a scale from 1 to 100.
    shuffle : bool
        False sorts the rows by cluster and the columns by kind: informative, redundant, repeated,
        noise. Shuffled or not, the clusters have exactly the same sizes.
    random_state : int
        The seed of the content.
    dtype : {"float64", "float32"}
        The type of X. The classes are int64.

    Examples
    --------
    >>> made = MakeClassification(n_samples=1000, weights=[0.75], flip_y=0, chunks=400).arrays()
    >>> made.X.chunks[0], np.bincount(made.y.compute())
    ((400, 400, 200), array([750, 250]))
    """

    n_samples: Annotated[int, integer(1)] = 100
    n_features: Annotated[int, integer(1)] = 20
    n_informative: Annotated[int, integer(1)] = 2
    n_redundant: Annotated[int, integer(0)] = 2
    n_repeated: Annotated[int, integer(0)] = 0
    n_classes: Annotated[int, integer(1)] = 2
    n_clusters_per_class: Annotated[int, integer(1)] = 2
    weights: Annotated[list[float] | None, list_of(number(least=0)) | null()] = None
    flip_y: Annotated[float, number(least=0, most=1)] = 0.01
    class_sep: Annotated[float, positive()] = 1.0
    hypercube: Annotated[bool, boolean()] = True
    shift: Annotated[float | list[float] | None, number() | list_of(number()) | null()] = 0.0
    scale: Annotated[float | list[float] | None, positive() | list_of(number()) | null()] = 1.0
    shuffle: Annotated[bool, boolean()] = True
    random_state: Annotated[int, integer(0)] = 0
    dtype: Annotated[str, one_of("float64", "float32")] = "float64"

    def __post_init__(self) -> None:
        """Refuse what scikit-learn's generator refuses, and weights that have no meaning."""
        super().__post_init__()
        self._check_columns()
        self._check_corners()
        self._check_weights()

    def arrays(self) -> Arrays:
        """Return X of shape (n_samples, n_features) and y of shape (n_samples,)."""
        metas = (np.empty((0, self.n_features), self.dtype), np.empty(0, np.int64))
        return from_cells(self._law(), self.n_samples, metas, self.random_state, self.chunks)

    def _check_columns(self) -> None:
        kinds = (self.n_informative, self.n_redundant, self.n_repeated)
        if sum(kinds) > self.n_features:
            raise ConfigError(
                "dataset.n_features",
                "be at least n_informative + n_redundant + n_repeated",
                got=f"{self.n_features} for {' + '.join(map(str, kinds))} columns",
                remedy=f"Write dataset.n_features={sum(kinds)} or more.",
            )
        for key in ("shift", "scale"):
            value = getattr(self, key)
            if isinstance(value, list) and len(value) != self.n_features:
                raise ConfigError(
                    f"dataset.{key}",
                    "be one number, or one for each feature",
                    got=f"{len(value)} numbers for {self.n_features} features",
                    remedy=f"Write a list of {self.n_features} numbers.",
                )

    def _check_corners(self) -> None:
        n_clusters = self.n_classes * self.n_clusters_per_class
        needed = (n_clusters - 1).bit_length()
        if self.n_informative < needed:
            raise ConfigError(
                "dataset.n_informative",
                "give every cluster a corner: 2 ** n_informative of them for "
                "n_classes * n_clusters_per_class clusters",
                got=f"{self.n_informative} for {n_clusters} clusters",
                remedy=f"Write dataset.n_informative={needed} or more, or ask for fewer clusters.",
            )

    def _check_weights(self) -> None:
        if self.weights is None:
            return
        if len(self.weights) not in (self.n_classes, self.n_classes - 1):
            raise ConfigError(
                "dataset.weights",
                "give one share for each class, the last of which may be left out",
                got=f"{len(self.weights)} shares for {self.n_classes} classes",
                remedy=f"Write {self.n_classes} numbers that sum to 1.",
            )
        if math.fsum(self.weights) > 1 + 1e-9:
            raise ConfigError(
                "dataset.weights",
                "sum to 1 at most",
                got=f"{self.weights}, which sum to {math.fsum(self.weights):g}",
                remedy="Write the share of each class, such as [0.9, 0.1].",
            )

    def _law(self) -> "ClassificationLaw":
        """Draw what all rows share, each part from a stream of its own."""
        stream = partial(structure, self.random_state)
        sizes = self._cluster_sizes()
        n_useful = self.n_informative + self.n_redundant
        order = row_order(self.n_samples, self.shuffle, self.random_state)
        columns = stream("columns").permutation(self.n_features)
        shift = stream("shift").uniform(-self.class_sep, self.class_sep, self.n_features)
        scale = stream("scale").uniform(1, 100, self.n_features)
        return ClassificationLaw(
            clusters=Clusters(sizes, order),
            n_classes=self.n_classes,
            centroids=self._centroids(len(sizes)),
            spreads=stream("spreads").uniform(
                -1, 1, (len(sizes), self.n_informative, self.n_informative)
            ),
            mixing=stream("mixing").uniform(-1, 1, (self.n_informative, self.n_redundant)),
            repeated=stream("repeated").integers(n_useful, size=self.n_repeated),
            n_noise=self.n_features - n_useful - self.n_repeated,
            flip_y=self.flip_y,
            shift=shift if self.shift is None else np.asarray(self.shift),
            scale=scale if self.scale is None else np.asarray(self.scale),
            columns=columns if self.shuffle else np.arange(self.n_features),
        )

    def _cluster_sizes(self) -> np.ndarray:
        """Return the rows of each cluster; cluster k is of class k modulo ``n_classes``."""
        shares = self.weights or [1 / self.n_classes] * self.n_classes
        if len(shares) < self.n_classes:
            shares = [*shares, 1 - sum(shares)]
        rows = np.array(shares) * self.n_samples / self.n_clusters_per_class
        sizes = np.tile(rows.astype(np.int64), self.n_clusters_per_class)
        each, some = divmod(self.n_samples - int(sizes.sum()), len(sizes))
        sizes += each
        sizes[:some] += 1
        return sizes

    def _centroids(self, n_clusters: int) -> np.ndarray:
        """Draw different corners, and move them where they are not to stay corners."""
        rng = structure(self.random_state, "centroids")
        n_bits = min(self.n_informative, MAX_CHOSEN_BITS)
        chosen = sample_without_replacement(
            2**n_bits, n_clusters, random_state=int(rng.integers(2**32))
        )
        bits = chosen[:, None] >> np.arange(n_bits)[::-1] & 1
        others = rng.integers(2, size=(n_clusters, self.n_informative - n_bits))
        centroids = (2.0 * np.hstack([others, bits]) - 1) * self.class_sep
        if not self.hypercube:
            centroids *= rng.random((n_clusters, 1)) * rng.random((1, self.n_informative))
        return centroids


@dataclass(frozen=True)
class ClassificationLaw:
    """How a row of a classification problem is drawn.

    ``centroids`` has shape (n_clusters, n_informative), ``spreads`` shape (n_clusters,
    n_informative, n_informative), ``mixing`` shape (n_informative, n_redundant); ``repeated``
    numbers the columns that are copied, and ``columns`` the columns in their final order.
    """

    clusters: Clusters
    n_classes: int
    centroids: np.ndarray
    spreads: np.ndarray
    mixing: np.ndarray
    repeated: np.ndarray
    n_noise: int
    flip_y: float
    shift: np.ndarray
    scale: np.ndarray
    columns: np.ndarray

    def __call__(
        self, rng: np.random.Generator, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw X and y of the rows with these numbers."""
        cluster = self.clusters(rows)
        informative = rng.standard_normal((len(rows), len(self.mixing)))
        for k in np.unique(cluster):
            members = cluster == k
            informative[members] = informative[members] @ self.spreads[k] + self.centroids[k]
        useful = np.hstack([informative, informative @ self.mixing])
        noise = rng.standard_normal((len(rows), self.n_noise))
        X = (np.hstack([useful, useful[:, self.repeated], noise]) + self.shift) * self.scale
        flipped = rng.random(len(rows)) < self.flip_y
        anew = rng.integers(self.n_classes, size=len(rows))
        return X[:, self.columns], np.where(flipped, anew, cluster % self.n_classes)
