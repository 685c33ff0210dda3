"""Say which block, rows, column or label is at fault."""

from typing import Any

import numpy as np

from runner.base import Block
from runner.errors import FitError


def check_labels(classes: Any, block: Block) -> None:
    """Refuse a block that holds a label outside ``classes``.

    Some naive Bayes estimators count such rows as the first class without a word, so every
    block is checked for every estimator.

    Raises
    ------
    FitError
        Naming the block, its rows and the labels.
    """
    if classes is None or block.y is None or np.ndim(block.y) != 1:
        return
    if np.isin(block.y, classes).all():
        return
    strange = np.setdiff1d(block.y, classes)
    row = block.place.start + int(np.flatnonzero(np.isin(block.y, strange))[0])
    first = f", first in row {row}" if _is_whole(block) else ""
    raise FitError(
        block.place.subject,
        f"hold only the labels of partial_fit.classes, {_listed(classes)}",
        got=f"{_listed(strange)}{first}",
        remedy="Add the label to partial_fit.classes, or remove these rows.",
    )


def blame(estimator: Any, block: Block, error: Exception) -> FitError:
    """Turn what an estimator said of a block into an error that says where and what.

    The block is searched for a cause only now, so a healthy block pays nothing.
    """
    for name in ("X", "y", "sample_weight"):
        found = _not_finite(name, block)
        if found:
            return FitError(
                block.place.subject,
                f"hold only finite numbers in {name}",
                got=found,
                remedy="Remove or fill in these rows at the source.",
            )
    return FitError(
        block.place.subject,
        f"be accepted by {type(estimator).__name__}.partial_fit",
        got=f"{type(error).__name__}: {_first_line(error)}",
        remedy="Check these rows, and the arguments under estimator and partial_fit.",
    )


def _not_finite(name: str, block: Block) -> str:
    values = getattr(block, name)
    values = getattr(values, "data", values) if _is_sparse(values) else values
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        return ""
    bad = np.argwhere(~np.isfinite(values))
    if not len(bad):
        return ""
    value = values[tuple(bad[0])]
    if _is_sparse(getattr(block, name)):
        return f"{value}"
    row = int(bad[0][0])
    where = f"row {block.place.start + row}" if _is_whole(block) else f"row {row} of its rows"
    column = f", column {int(bad[0][1])}" if values.ndim > 1 else ""
    return f"{value} in {where}{column}"


def _is_sparse(values: Any) -> bool:
    return hasattr(values, "tocsr")


def _is_whole(block: Block) -> bool:
    return block.n_rows == block.place.stop - block.place.start


def _first_line(error: Exception) -> str:
    return (str(error).strip() or "no message").splitlines()[0].rstrip(".")


def _listed(labels: Any, most: int = 10) -> str:
    values = np.asarray(labels).tolist()
    shown = ", ".join(repr(value) for value in values[:most])
    return f"[{shown}{', ...' if len(values) > most else ''}]"
