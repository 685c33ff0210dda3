"""The commonest scores of one block without the checks that scikit-learn makes on every call.

Each repeats scikit-learn's own arithmetic on plain arrays, so the bits are the same; where an
input is not plain, or a score is not finite, there is no shortcut and scikit-learn decides. On a
block of a thousand rows its checks cost more than the prediction.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Formula = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]


def shortcut(name: str, y: Any, predicted: Any, sample_weight: Any = None) -> float | None:
    """Return the score of that name, or None when there is no shortcut to it.

    Parameters
    ----------
    name : str
        The scorer.
    y, predicted : array of shape (n_rows,)
        True and predicted labels or values.
    sample_weight : array of shape (n_rows,), optional
        Weights of the rows.

    Examples
    --------
    >>> shortcut("accuracy", np.array([0, 1, 1, 0]), np.array([0, 1, 1, 1]))
    0.75
    >>> shortcut("roc_auc", np.array([0, 1]), np.array([0, 1])) is None
    True
    """
    if name != "accuracy" and name not in FORMULAS:
        return None
    arrays = [array for array in (y, predicted, sample_weight) if array is not None]
    if len(arrays) < 2 or not all(_is_column(array, len(y)) for array in arrays):  # noqa: PLR2004
        return None
    try:
        with np.errstate(all="ignore"):
            if name == "accuracy":
                score = _accuracy(y, predicted, sample_weight)
            else:
                score = _regression(FORMULAS[name], arrays)
    except ZeroDivisionError:
        return None
    return score if score is not None and np.isfinite(score) else None


def _accuracy(
    y: np.ndarray, predicted: np.ndarray, sample_weight: np.ndarray | None
) -> float | None:
    kinds = {y.dtype.kind, predicted.dtype.kind}
    if not (kinds <= set("biu") or kinds == {"U"}):
        return None
    return float(np.average(y == predicted, weights=sample_weight))


def _regression(formula: Formula, arrays: list[np.ndarray]) -> float | None:
    floats = [array.dtype for array in arrays if array.dtype.kind == "f"]
    dtype = np.result_type(*floats) if floats else np.dtype(np.float64)
    if dtype.name not in ("float32", "float64") or any(a.dtype.kind not in "iuf" for a in arrays):
        return None
    y, predicted, *weights = (array.astype(dtype, copy=False) for array in arrays)
    return formula(y[:, None], predicted[:, None], weights[0] if weights else None)


def _squared(y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    return -float(np.average((y - predicted) ** 2, axis=0, weights=weight)[0])


def _root_squared(y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    return -float(np.sqrt(np.average((y - predicted) ** 2, axis=0, weights=weight))[0])


def _absolute(y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    return -float(np.average(np.abs(predicted - y), axis=0, weights=weight)[0])


def _r2(y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    scale = 1.0 if weight is None else weight[:, None]
    residual = np.sum(scale * (y - predicted) ** 2, axis=0)
    total = np.sum(scale * (y - np.average(y, axis=0, weights=weight)) ** 2, axis=0)
    return float((1 - residual / total)[0]) if len(y) > 1 else float("nan")


FORMULAS: dict[str, Formula] = {
    "neg_mean_absolute_error": _absolute,
    "neg_mean_squared_error": _squared,
    "neg_root_mean_squared_error": _root_squared,
    "r2": _r2,
}


def _is_column(array: Any, n_rows: int) -> bool:
    return isinstance(array, np.ndarray) and array.shape == (n_rows,)
