"""Whether gradient descent can learn from columns of such scales."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from runner.base import Block, Remark
from runner.facts import squares
from runner.fit.settings import LINEAR, MLP, SGD, classes_of, nested

UNLIKE = 100.0  # times; a linear classifier falls to chance from about 200 on


def wild_scale(estimator: Any, X: Any, names: Sequence[str] | None = None) -> Remark | None:
    """Say of a block that gradient descent will not learn from columns of such scales.

    A column's scale is the root mean square of its values other than 0, so that rare words and
    rare pixels are of no small scale. Scales are wild where the largest is more than 100 times
    that of the lower quartile, or where, for a squared loss, one step overshoots: the step size
    ``eta0`` times the square of the scale is above 1 (from 2 on, a step makes the error larger).
    A column that is alone stands beside the intercept, whose scale is 1.

    A restricted Boltzmann machine takes values from 0 to 1, and learns from others without a word.

    Parameters
    ----------
    estimator : object
        What learns from the block; only of those that learn by gradient descent is anything said.
    X : array, sparse matrix or DataFrame of shape (n_rows, n_features)
        The block as the estimator gets it. Of anything but numbers nothing is said.
    names : sequence of str, optional
        The columns' names.
    """
    *_, (key, learner) = nested("estimator", estimator)
    classes = classes_of(learner)
    if "BernoulliRBM" in classes:
        return _outside_of_one(X)
    scales = column_scales(X) if classes & {*SGD, *MLP} else None
    if scales is None or not (scales > 0).any():
        return None
    largest, usual = float(np.nanmax(scales)), _usual(scales)
    is_alone = len(scales) == 1
    diverges = _has_squared_loss(learner, classes) and learner.eta0 * largest**2 > 1
    name = type(learner).__name__
    if largest > UNLIKE * usual and not (is_alone and diverges):
        wild = _columns(scales, UNLIKE * usual, names)
        others = "an intercept" if is_alone else "columns"
        text = f"{name} learns little from {others} around {_number(usual)} beside {wild}."
    elif diverges:
        wild = _columns(scales, learner.eta0**-0.5, names)
        text = f"{name} diverges on columns as large as {wild} with {key}.eta0={learner.eta0:g}."
    else:
        return None
    scaler = "max_abs_scaler" if hasattr(X, "tocsr") else "standard_scaler"
    return _advising(text, scaler)


class Scales:
    """Tells, once, of the first block that gradient descent will not learn from.

    Of the first block that is what ``wild_scale`` says. Of a later one it is that a column is of
    a scale that would have been wild beside those of the first; where there is none, looking for
    it costs a small part of what learning does.

    Parameters
    ----------
    estimator : object
        What learns from the blocks, which are as it gets them.
    names : sequence of str, optional
        The columns' names.
    """

    def __init__(self, estimator: Any, names: Sequence[str] | None = None) -> None:
        *_, (_, self._learner) = nested("estimator", estimator)
        self._estimator = estimator
        self._names = names
        self._usual = 0.0
        self._most = 0.0
        self._is_first, self._is_done = True, False

    def __call__(self, block: Block) -> Remark | None:
        """Look at a block that is not empty."""
        if self._is_done:
            return None
        if not self._is_first:
            return self._later(block)
        self._is_first = False
        remark = wild_scale(self._estimator, block.X, self._names)
        classes = classes_of(self._learner)
        scales = column_scales(block.X) if classes & {*SGD, *MLP} else None
        self._is_done = remark is not None or scales is None or not (scales > 0).any()
        if not self._is_done and scales is not None:
            self._usual = _usual(scales)
            self._most = UNLIKE * self._usual
            if _has_squared_loss(self._learner, classes):
                self._most = min(self._most, self._learner.eta0**-0.5)
        return remark

    def state(self) -> Any:
        """Return what is known of the first block, for ``restore``."""
        return self._usual, self._most, self._is_first, self._is_done

    def restore(self, state: Any) -> None:
        """Know it from now on."""
        self._usual, self._most, self._is_first, self._is_done = state

    def _later(self, block: Block) -> Remark | None:
        """Compare the root mean squares of the columns, if these can be too large at all."""
        if not _are_numbers(block.X) or _sum_of_squares(block) <= self._most**2 * block.n_rows:
            return None
        scales = column_scales(block.X, of_all=True)
        if scales is None or not (scales > self._most).any():
            return None
        self._is_done = True
        text = (
            f"{block.place.subject} holds {_columns(scales, self._most, self._names)}, and the "
            f"first block columns around {_number(self._usual)}: "
            f"{type(self._learner).__name__} forgets by it what it has learned. Mend these rows "
            "at the source, if they are wrong, or scale them."
        )
        return _advising(
            text, "max_abs_scaler" if hasattr(block.X, "tocsr") else "standard_scaler"
        )


def _usual(scales: np.ndarray) -> float:
    """Return the scale that others are held against; of a single column the intercept's."""
    is_alone = len(scales) == 1
    return 1.0 if is_alone else float(np.quantile(scales[scales > 0], 0.25, method="lower"))


def _sum_of_squares(block: Block) -> float:
    known = None if block.facts is None else block.facts.X_squares
    if known is not None:
        return known
    found = squares(np.asarray(block.X) if hasattr(block.X, "columns") else block.X)
    assert found is not None, "these are numbers"  # noqa: S101
    return found


def _outside_of_one(X: Any) -> Remark | None:
    if not _are_numbers(X) or not X.shape[0]:
        return None
    is_sparse = hasattr(X, "tocsr")
    values = X.tocsr().data if is_sparse else np.asarray(X)
    outside = values[(values < 0) | (values > 1)]
    if not outside.size:
        return None
    text = f"BernoulliRBM takes numbers from 0 to 1, and there are such as {outside[0]:.3g}."
    # min_max_scaler refuses sparse rows.
    return _advising(text, "binarizer" if is_sparse else "min_max_scaler")


def _advising(text: str, scaler: str) -> Remark:
    return Remark("wild-scale", f"{text} Put {scaler} into preprocessing.")


def column_scales(X: Any, *, of_all: bool = False) -> np.ndarray | None:
    """Return the root mean square of the values other than 0 of each column; None if not numbers.

    Parameters
    ----------
    X : array, sparse matrix or DataFrame of shape (n_rows, n_features)
    of_all : bool
        Whether it is that of all values.

    Returns
    -------
    ndarray of shape (n_features,), float64
        NaN for a column that is 0 all over, or holds NaN.

    Examples
    --------
    >>> column_scales(np.array([[3.0, 0.0], [0.0, 0.0], [-3.0, 0.0]]))
    array([ 3., nan])
    """
    if not _are_numbers(X):
        return None
    if hasattr(X, "columns"):
        X = X.to_numpy(np.float64)
    with np.errstate(all="ignore"):
        if hasattr(X, "tocsr"):
            rows = X.tocsr()
            values, n_features = rows.data.astype(np.float64), rows.shape[1]
            counts = np.bincount(rows.indices, weights=values != 0, minlength=n_features)
            squares = np.bincount(rows.indices, weights=values**2, minlength=n_features)
        else:
            counts = np.count_nonzero(X, axis=0)
            squares = np.einsum("ij,ij->j", X, X, dtype=np.float64)
        scales: np.ndarray = np.sqrt(squares / (X.shape[0] if of_all else counts))
    return scales


def _are_numbers(X: Any) -> bool:
    dtypes = list(X.dtypes) if hasattr(X, "columns") else [getattr(X, "dtype", np.dtype(object))]
    return all(dtype.kind in "iufb" for dtype in dtypes) and len(X.shape) == 2  # noqa: PLR2004


def _has_squared_loss(estimator: Any, classes: set[str]) -> bool:
    return (
        bool(classes & {*LINEAR})
        and estimator.loss in ("squared_error", "squared_epsilon_insensitive")
        and estimator.learning_rate in ("constant", "invscaling", "adaptive")
    )


def _columns(scales: np.ndarray, above: float, names: Sequence[str] | None, most: int = 3) -> str:
    """Name the columns of the largest scales, and these."""
    wild = [int(i) for i in np.argsort(-scales) if scales[i] > above]
    named = [
        f"{names[i] if names is not None and len(names) == len(scales) else f'column {i}'} "
        f"({_number(float(scales[i]))})"
        for i in wild[:most]
    ]
    more = [f"{len(wild) - most} more"] if len(wild) > most else []
    *others, last = named + more
    return f"{', '.join(others)} and {last}" if others else last


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"  # noqa: PLR2004
