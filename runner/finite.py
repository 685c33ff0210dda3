"""Find the first number of a block that is not finite."""

from typing import Any

import numpy as np

from runner.base import Block
from runner.errors import FitError


def not_finite(block: Block, *names: str) -> FitError | None:
    """Return the error that says where a block holds the first NaN or infinity, if it does.

    Parameters
    ----------
    block : Block
        Whose arrays are searched.
    names : {"X", "y", "sample_weight"}
        Which of them, in this order; those that hold no floating-point numbers are passed over,
        and so are such columns of a DataFrame.
    """
    for name in names:
        values = getattr(block, name)
        is_frame = hasattr(values, "columns")
        found = _first_in_frame(values) if is_frame else _first_not_finite(values)
        if found is None:
            continue
        value, row, *column = found
        where = block.row_name(row) + "".join(f", column {j!r}" for j in column)
        return FitError(
            block.place.subject,
            f"hold only finite numbers in {name}",
            got=f"{value} in {where}",
            remedy=_remedy(name, value),
        )
    return None


def _remedy(name: str, value: Any) -> str:
    at_source = "Remove or fill in these rows at the source"
    if name != "X" or not np.isnan(value):  # scikit-learn's imputers refuse infinity
        return f"{at_source}."
    return f"{at_source}, or put an imputer into preprocessing."


def _first_not_finite(values: Any) -> tuple[Any, ...] | None:
    """Return the value and its indices, of an array or of sparse rows."""
    if getattr(values, "dtype", np.dtype(bool)).kind != "f":
        return None
    indices: tuple[Any, ...]
    if hasattr(values, "tocoo"):
        held = values.tocoo()
        numbers, indices = held.data, (held.row, held.col)
    else:
        indices = np.nonzero(~np.isfinite(values))
        numbers = values[indices]
    bad = np.flatnonzero(~np.isfinite(numbers))[:1]
    return (*numbers[bad], *(int(index[bad[0]]) for index in indices)) if len(bad) else None


def _first_in_frame(frame: Any) -> tuple[Any, ...] | None:
    """Return the value, its row and the name of its column."""
    found = []
    for j, name in enumerate(frame.columns):
        first = _first_not_finite(np.asarray(frame.iloc[:, j]))
        if first is not None:
            value, row = first
            found.append((row, j, value, name))
    if not found:
        return None
    row, _, value, name = min(found, key=lambda each: each[:2])
    return value, row, name
