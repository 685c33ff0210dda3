"""Whether gradient descent can learn from columns of such scales."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from runner.base import Remark
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
    largest = float(np.nanmax(scales))
    is_alone = len(scales) == 1
    usual = 1.0 if is_alone else float(np.quantile(scales[scales > 0], 0.25, method="lower"))
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


def column_scales(X: Any) -> np.ndarray | None:
    """Return the root mean square of the values other than 0 of each column; None if not numbers.

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
        scales: np.ndarray = np.sqrt(squares / counts)
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
