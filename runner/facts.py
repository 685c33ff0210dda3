"""What is known of the rows of a block, found once for all that learn from it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_LABELS = 1000
COUNTED, TEXT = "biuUO", "UO"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the checks before a block is learned need to know of it.

    Attributes
    ----------
    X_squares, y_squares : float or None
        The sum of the squares of all numbers, which is not finite if one of them is not, or if it
        is too large to be squared; None of what is no array of numbers.
    labels : ndarray of shape (n_labels,), or None
        The labels in y, sorted where they are numbers. None where y has several columns, or holds
        fractions, or more than 1,000 labels.
    n_rows : ndarray of shape (n_labels,), or None
        How many rows hold each of them.
    """

    X_squares: float | None = None
    y_squares: float | None = None
    labels: np.ndarray | None = None
    n_rows: np.ndarray | None = None


def examine(X: Any, y: Any) -> Facts:
    """Look at the rows of a block, in one pass over each array.

    Parameters
    ----------
    X : ndarray, sparse rows or DataFrame
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs), or None

    Examples
    --------
    >>> facts = examine(np.array([[3.0], [4.0], [0.0]]), np.array([1, 0, 1]))
    >>> facts.X_squares, facts.y_squares, facts.labels.tolist(), facts.n_rows.tolist()
    (25.0, None, [0, 1], [1, 2])
    """
    is_fractional = getattr(getattr(y, "dtype", None), "kind", "") == "f"
    labels, n_rows = _counted(y)
    return Facts(squares(X), squares(y) if is_fractional else None, labels, n_rows)


def squares(values: Any) -> float | None:
    """Return the sum of the squares of an array, or of what sparse rows hold; None of a table.

    It is added up in the type of the array, so that it overflows where what an estimator computes
    in this type may do so.

    Examples
    --------
    >>> squares(np.array([3.0, 4.0])), squares(np.array([1e200])), squares(np.array(["a"]))
    (25.0, inf, None)
    """
    dtype = getattr(values, "dtype", None)
    if dtype is None or dtype.kind not in "iufb":
        return None
    held = values.data if hasattr(values, "tocoo") else values
    numbers = np.ravel(held, order="K")
    with np.errstate(all="ignore"):
        return float(np.dot(numbers, numbers))


def _counted(y: Any) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    if getattr(y, "ndim", 0) != 1 or y.dtype.kind not in COUNTED:
        return None, None
    if y.dtype.kind not in TEXT:
        labels, n_rows = np.unique(y, return_counts=True)
    else:  # to sort text takes several times as long
        try:
            counts = Counter(y.tolist())
        except TypeError:  # they cannot be hashed
            return None, None
        labels = np.fromiter(counts, y.dtype, len(counts))
        n_rows = np.array(list(counts.values()))
    return (labels, n_rows) if len(labels) <= MOST_LABELS else (None, None)
