"""Made-up targets: a linear model of some of the columns, and noise."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from runner.dataset.cells import from_cells, structure
from runner.dataset.dataset import Dataset
from runner.dataset.lazy import Arrays
from runner.errors import ConfigError
from runner.rules import boolean, integer, null, number, one_of

DEFAULT_TAIL_STRENGTH = 0.5


@dataclass(kw_only=True)
class MakeRegression(Dataset):
    """A linear regression problem of any size, with the parameters of scikit-learn's generator.

    As ``sklearn.datasets.make_regression``: the same law, not the same numbers. A row depends on
    ``random_state`` and its number only, whatever the chunks, and none is drawn before it is
    asked for. There is no ``coef``: a run has no use for the true coefficients.

    Parameters
    ----------
    n_samples, n_features : int
        Rows and columns.
    n_informative : int
        Columns with a coefficient other than 0, all of them at most. Coefficients are uniform in
        [0, 100).
    n_targets : int
        Columns of y; with one, y has one dimension.
    bias : float
        Added to y.
    effective_rank : int, optional
        None draws independent standard normal columns. A number gives X the singular values of
        ``sklearn.datasets.make_low_rank_matrix``: a bell of about that width, and a fat tail.
        There they are exact; here, where no row sees another, it is ``X.T @ X`` that has exactly
        their squares in expectation, so that they are the closer the more rows there are for each
        column.
    tail_strength : float
        The relative weight of the tail, from 0 to 1; only with ``effective_rank``.
    noise : float
        The standard deviation of the normal noise in y.
    shuffle : bool
        False puts the informative columns first. The rows are independent draws either way.
    random_state : int
        The seed of the content.
    dtype : {"float64", "float32"}
        The type of X and y.

    Examples
    --------
    >>> made = MakeRegression(n_samples=1000, n_features=5, n_targets=2, chunks=400).arrays()
    >>> made.X.chunks, made.y.chunks
    (((400, 400, 200), (5,)), ((400, 400, 200), (2,)))
    """

    n_samples: Annotated[int, integer(1)] = 100
    n_features: Annotated[int, integer(1)] = 100
    n_informative: Annotated[int, integer(0)] = 10
    n_targets: Annotated[int, integer(1)] = 1
    bias: Annotated[float, number()] = 0.0
    effective_rank: Annotated[int | None, integer(1) | null()] = None
    tail_strength: Annotated[float, number(least=0, most=1)] = DEFAULT_TAIL_STRENGTH
    noise: Annotated[float, number(least=0)] = 0.0
    shuffle: Annotated[bool, boolean()] = True
    random_state: Annotated[int, integer(0)] = 0
    dtype: Annotated[str, one_of("float64", "float32")] = "float64"

    def __post_init__(self) -> None:
        """Refuse what scikit-learn's generator refuses, and a tail that has no effect."""
        super().__post_init__()
        if self.effective_rank is None and self.tail_strength != DEFAULT_TAIL_STRENGTH:
            raise ConfigError(
                "dataset.tail_strength",
                "be left out where there is no dataset.effective_rank, as it would have no effect",
                got=repr(self.tail_strength),
                remedy="Write dataset.effective_rank=10 as well, or leave out the tail_strength.",
            )

    def arrays(self) -> Arrays:
        """Return X of shape (n_samples, n_features) and y, (n_samples,) or with n_targets."""
        outputs = () if self.n_targets == 1 else (self.n_targets,)
        metas = (np.empty((0, self.n_features), self.dtype), np.empty((0, *outputs), self.dtype))
        return from_cells(self._law(), self.n_samples, metas, self.random_state, self.chunks)

    def _law(self) -> "RegressionLaw":
        """Draw what all rows share, each part from a stream of its own."""
        n_informative = min(self.n_features, self.n_informative)
        coefficients = np.zeros((self.n_features, self.n_targets))
        coefficients[:n_informative] = structure(self.random_state, "coefficients").uniform(
            0, 100, (n_informative, self.n_targets)
        )
        columns = np.arange(self.n_features)
        if self.shuffle:
            structure(self.random_state, "columns").shuffle(columns)
        mixing = None if self.effective_rank is None else self._mixing(self.effective_rank)
        return RegressionLaw(
            mixing=None if mixing is None else mixing[:, columns],
            coefficients=coefficients[columns],
            bias=self.bias,
            noise=self.noise,
        )

    def _mixing(self, effective_rank: int) -> np.ndarray:
        """Return the (rank, n_features) matrix that gives normal rows the singular profile."""
        rank = min(self.n_samples, self.n_features)
        i = np.arange(rank)
        bell = np.exp(-((i / effective_rank) ** 2))
        tail = np.exp(-0.1 * i / effective_rank)
        profile = (1 - self.tail_strength) * bell + self.tail_strength * tail
        normal = structure(self.random_state, "mixing").standard_normal((self.n_features, rank))
        directions, _ = np.linalg.qr(normal)
        mixing: np.ndarray = (directions * profile).T / np.sqrt(self.n_samples)
        return mixing


@dataclass(frozen=True)
class RegressionLaw:
    """How a row of a regression problem is drawn.

    ``mixing``, where there is one, has shape (rank, n_features), ``coefficients`` shape
    (n_features, n_targets).
    """

    mixing: np.ndarray | None
    coefficients: np.ndarray
    bias: float
    noise: float

    def __call__(
        self, rng: np.random.Generator, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw X and y of the rows with these numbers."""
        n_features, n_targets = self.coefficients.shape
        if self.mixing is None:
            X = rng.standard_normal((len(rows), n_features))
        else:
            X = rng.standard_normal((len(rows), len(self.mixing))) @ self.mixing
        noise = self.noise * rng.standard_normal((len(rows), n_targets))
        y = X @ self.coefficients + self.bias + noise
        return X, y[:, 0] if n_targets == 1 else y
