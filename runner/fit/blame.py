"""Say which block, rows, column or label is at fault."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from runner.base import Block
from runner.errors import FitError, cause
from runner.finite import not_finite
from runner.remedies import remedy_of

FEW = 32


def check_labels(classes: Any, block: Block) -> None:
    """Refuse a block that holds a label outside ``classes``.

    Some naive Bayes estimators count such rows as the first class without a word, so every
    block is checked for every estimator. Where y has several columns, each is checked against
    its own list; a single list for all is that of a multilabel target, which is left alone.

    Raises
    ------
    FitError
        Naming the block, its rows and the labels.
    """
    if classes is None or block.y is None:
        return
    for labels, listed in _targets(classes, block.y):
        known = _are_listed(labels, np.asarray(listed))
        if not known.all():
            strange = np.flatnonzero(~known)
            raise not_finite(block, "y") or _not_listed(labels, listed, strange, block)


def blame(estimator: Any, block: Block, error: Exception) -> FitError:
    """Turn what an estimator said of a block into an error that says where and what.

    The block is searched for a cause only now, so a healthy block pays nothing.
    """
    called = getattr(estimator, "called", f"{type(estimator).__name__}.partial_fit")
    return not_finite(block, "X", "y", "sample_weight") or FitError(
        block.place.subject,
        f"be accepted by {called}",
        got=cause(error),
        remedy=remedy_of(
            error,
            estimator,
            "Check these rows, and the arguments under preprocessing, estimator and partial_fit.",
        ),
    )


def _targets(classes: Any, y: np.ndarray) -> Iterator[tuple[np.ndarray, Any]]:
    """Yield the labels of each target and those that are listed for it."""
    if y.ndim == 1:
        yield y, classes
    elif np.ndim(classes[0]) == 1:
        yield from zip(y.T, classes, strict=True)


def _are_listed(labels: np.ndarray, listed: np.ndarray) -> np.ndarray:
    numbers = labels.dtype.kind in "iufb" and listed.dtype.kind in "iufb"
    if not numbers or len(listed) > FEW:
        return np.isin(labels, listed)
    # A comparison per class is many times faster than isin.
    known: np.ndarray = labels == listed[0]
    for label in listed[1:]:
        known |= labels == label
    return known


def _not_listed(labels: np.ndarray, listed: Any, strange: np.ndarray, block: Block) -> FitError:
    met = dict.fromkeys(labels[strange].tolist())
    return FitError(
        block.place.subject,
        f"hold only the labels of partial_fit.classes, {_listed(listed)}",
        got=f"{_listed(met)}, first in {block.row_name(int(strange[0]))}",
        remedy="Add the label to partial_fit.classes, or remove these rows.",
    )


def _listed(labels: Any, most: int = 10) -> str:
    values = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    shown = ", ".join(repr(value) for value in values[:most])
    return f"[{shown}{', ...' if len(values) > most else ''}]"
