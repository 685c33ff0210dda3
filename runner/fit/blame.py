"""Say which block, rows, column or label is at fault."""

import re
from collections.abc import Callable, Iterator
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

from runner.base import Block
from runner.errors import FitError, cause
from runner.finite import IsBad, first_cell, not_finite, too_large
from runner.fit.settings import MLP, SGD, classes_of, nested
from runner.remedies import remedy_of

FEW = 32
NUMBERS, TEXT = "iufb", "USO"
# What learns from squares or sums of the numbers.
SQUARING = {
    *SGD,
    *MLP,
    *("BernoulliRBM", "Birch", "ComplementNB", "GaussianNB", "IncrementalPCA"),
    *("LatentDirichletAllocation", "MiniBatchDictionaryLearning", "MiniBatchKMeans"),
    *("MiniBatchNMF", "MultinomialNB", "StandardScaler"),
}


def check_block(estimator: Any, classes: Any, block: Block) -> None:
    """Refuse a block that some estimators would learn wrongly without a word.

    Raises
    ------
    FitError
        If a label is outside ``classes``, or a number is so large that its square overflows in
        what the estimator computes; it names the block, the row, and the label or the column.
    """
    check_labels(classes, block)
    error = too_large(block, "X", "y")
    if error is not None and SQUARING & _classes_that_get_rows(estimator):
        raise error


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
    if classes is None or block.y is None or _are_all_known(classes, block):
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
        got=f"{cause(error)}{_at(error, estimator, block)}",
        remedy=remedy_of(
            error,
            estimator,
            "Check these rows, and the arguments under preprocessing, estimator and partial_fit.",
        ),
    )


def _classes_that_get_rows(estimator: Any) -> set[str]:
    """Return the classes of what gets the rows as they are in the block: a stage, or a learner."""
    learning = getattr(estimator, "learning", None)
    steps = getattr(estimator, "steps", None)
    first = learning.stage if learning is not None else steps[0][1] if steps else estimator
    *_, (_, learner) = nested("estimator", first)
    return classes_of(learner)


def _is_negative(numbers: np.ndarray) -> np.ndarray:
    negative: np.ndarray = numbers < 0
    return negative


def _is_text(cells: np.ndarray) -> np.ndarray:
    return _each(cells, _is_no_number)


def _is_not_finite(cells: np.ndarray) -> np.ndarray:
    return _each(cells, lambda cell: isinstance(cell, Real) and not isfinite(cell))


def _each(cells: np.ndarray, is_bad: Callable[[Any], bool]) -> np.ndarray:
    found = [is_bad(cell) for cell in cells.ravel().tolist()]
    return np.array(found, dtype=bool).reshape(cells.shape)


def _is_no_number(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError):
        return True
    return False


# What is searched for where an estimator says so.
FINDERS: tuple[tuple[str, IsBad, str], ...] = (
    ("Negative values", _is_negative, "iuf"),
    ("could not convert string|must be a string or a real number", _is_text, TEXT),
    ("contains NaN|contains infinity", _is_not_finite, "O"),
)


def _at(error: Exception, estimator: Any, block: Block) -> str:
    """Return, to stand behind what was said, the first cell or column that it was said of."""
    said = str(error)
    for pattern, is_bad, kinds in FINDERS:
        for name in ("X", "y") if re.search(pattern, said) else ():
            found = first_cell(block, name, is_bad, kinds)
            if found is not None:
                return f", as {found[0]!s} in {found[1]} of {name}"
    names = getattr(estimator, "feature_names_in_", ())
    here = getattr(block.X, "columns", ())
    for expected, name in zip(names, here, strict=False):
        if expected != name:
            return f", as {name!r} in the place of {expected!r}"
    return ""


def _targets(classes: Any, y: np.ndarray) -> Iterator[tuple[np.ndarray, Any]]:
    """Yield the labels of each target and those that are listed for it."""
    if y.ndim == 1:
        yield y, classes
    elif np.ndim(classes[0]) == 1:
        yield from zip(y.T, classes, strict=True)


def _are_all_known(classes: Any, block: Block) -> bool:
    """Say whether the distinct labels, where these are known, are listed."""
    labels = None if block.facts is None else block.facts.labels
    return labels is not None and bool(_are_listed(labels, np.asarray(classes)).all())


def _are_listed(labels: np.ndarray, listed: np.ndarray) -> np.ndarray:
    numbers = labels.dtype.kind in NUMBERS and listed.dtype.kind in NUMBERS
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
        remedy="Add the label to partial_fit.classes, or remove these rows."
        if _kinds(listed) & _kinds(met)
        else "In YAML, [0, 1] are numbers and ['0', '1'] are text.",
    )


def _kinds(labels: Any) -> set[bool]:
    """Say whether there is text, and whether there are numbers."""
    return {isinstance(label, str) for label in labels}


def _listed(labels: Any, most: int = 10) -> str:
    values = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    shown = ", ".join(repr(value) for value in values[:most])
    return f"[{shown}{', ...' if len(values) > most else ''}]"
