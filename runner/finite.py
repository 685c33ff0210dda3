"""Find the first number of a block that is not finite, or too large to be squared."""

from collections.abc import Callable
from math import isfinite
from typing import Any

import numpy as np

from runner.base import Block
from runner.errors import FitError
from runner.facts import squares

IsBad = Callable[[np.ndarray], np.ndarray]
AT_SOURCE = "Remove or fill in these rows at the source"


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
        found = first_cell(block, name, lambda numbers: ~np.isfinite(numbers))
        if found is not None:
            value, where = found
            return FitError(
                block.place.subject,
                f"hold only finite numbers in {name}",
                got=f"{value} in {where}",
                remedy=_remedy(name, value),
            )
    return None


def too_large(block: Block, *names: str) -> FitError | None:
    """Return the error that says where a block holds the first number whose square overflows.

    An estimator that squares such a number, or adds two of them, goes on with infinity and NaN,
    mostly without a word. What is not finite itself is no such number: an estimator may take it.

    Parameters
    ----------
    block : Block
        Whose arrays are searched; where there is nothing to find this costs a small part of what
        learning from them does.
    names : {"X", "y", "sample_weight"}
        Which of them, in this order.
    """
    for name in names:
        if not _may_overflow(block, name):
            continue
        found = first_cell(block, name, _overflows)
        if found is not None:
            value, where = found
            return FitError(
                block.place.subject,
                f"hold no number in {name} that is too large to be squared",
                got=f"{value} in {where}",
                remedy="Correct or remove these rows at the source, or scale the column there.",
            )
    return None


def first_cell(block: Block, name: str, is_bad: IsBad, kinds: str = "f") -> tuple[Any, str] | None:
    """Return the first bad value of an array of a block, and where it is in words.

    Parameters
    ----------
    block : Block
    name : {"X", "y", "sample_weight"}
    is_bad : callable
        Says it of each element of an array. Of sparse rows it is asked about what they hold.
    kinds : str
        The kinds of types of NumPy that are searched.

    Examples
    --------
    >>> from runner.base import Place
    >>> block = Block(np.array([[1, 2], [3, -4]]), None, None, Place(number=3, start=75, stop=77))
    >>> first_cell(block, "X", lambda numbers: numbers < 0, kinds="i")
    (np.int64(-4), 'row 76, column 1')
    """
    values = getattr(block, name)
    find = _first_in_frame if hasattr(values, "columns") else _first
    found = find(values, is_bad, kinds)
    if found is None:
        return None
    value, row, *column = found
    return value, block.row_name(row) + "".join(f", column {j!r}" for j in column)


def _remedy(name: str, value: Any) -> str:
    if name != "X" or not np.isnan(value):  # scikit-learn's imputers refuse infinity
        return f"{AT_SOURCE}."
    return f"{AT_SOURCE}, or put an imputer into preprocessing."


def _first(values: Any, is_bad: IsBad, kinds: str) -> tuple[Any, ...] | None:
    """Return the value and its indices, of an array or of sparse rows."""
    dtype = getattr(values, "dtype", None)
    if dtype is None or dtype.kind not in kinds:
        return None
    indices: tuple[Any, ...]
    if hasattr(values, "tocoo"):
        held = values.tocoo()
        numbers, indices = held.data, (held.row, held.col)
    else:
        indices = np.nonzero(is_bad(values))
        numbers = values[indices]
    bad = np.flatnonzero(is_bad(numbers))[:1]
    return (*numbers[bad], *(int(index[bad[0]]) for index in indices)) if len(bad) else None


def _first_in_frame(frame: Any, is_bad: IsBad, kinds: str) -> tuple[Any, ...] | None:
    """Return the value, its row and the name of its column."""
    found = []
    for j, name in enumerate(frame.columns):
        first = _first(np.asarray(frame.iloc[:, j]), is_bad, kinds)
        if first is not None:
            value, row = first
            found.append((row, j, value, name))
    if not found:
        return None
    row, _, value, name = min(found, key=lambda each: each[:2])
    return value, row, name


def _overflows(numbers: np.ndarray) -> np.ndarray:
    large: np.ndarray = np.isfinite(numbers) & (
        np.abs(numbers) > np.sqrt(np.finfo(numbers.dtype).max)
    )
    return large


def _may_overflow(block: Block, name: str) -> bool:
    """Say whether the sum of all squares is not finite."""
    values = getattr(block, name)
    if hasattr(values, "columns"):
        columns = (np.asarray(values.iloc[:, j]) for j in range(values.shape[1]))
        return any(_is_infinite(squares(column)) for column in columns)
    known = {"X": block.facts.X_squares, "y": block.facts.y_squares} if block.facts else {}
    return _is_infinite(known[name] if name in known else squares(values))


def _is_infinite(total: float | None) -> bool:
    return total is not None and not isfinite(total)
