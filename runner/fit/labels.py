"""The labels that the training blocks hold, counted in one pass over y."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from runner.base import Block, Remark
from runner.errors import ConfigError, FitError

KINDS = {"b": "booleans", "i": "numbers", "u": "numbers", "f": "numbers", "U": "text"}
MISSING = "missing"
FEW_ROWS = 3


@dataclass(frozen=True)
class Labels:
    """The labels of each target, sorted, and how many rows hold each.

    ``classes`` and ``counts`` have one array per column of y, of shapes (n_classes,); ``classes``
    keeps the type of y.
    """

    classes: tuple[np.ndarray, ...]
    counts: tuple[np.ndarray, ...]
    has_one_target: bool

    @property
    def argument(self) -> Any:
        """The ``classes`` of ``partial_fit``: an array, or a list of one for each target."""
        return self.classes[0] if self.has_one_target else list(self.classes)

    def as_mappings(self) -> list[dict[Any, int]]:
        """Return the count of each label, one mapping per target."""
        pairs = zip(self.classes, self.counts, strict=True)
        return [dict(zip(c.tolist(), n.tolist(), strict=True)) for c, n in pairs]

    def balanced(self) -> dict[Any, float]:
        """Return the weight of each label that gives all labels the same total weight.

        As scikit-learn's ``class_weight="balanced"``: n_rows / (n_classes * count).

        Examples
        --------
        >>> Labels((np.array(["no", "yes"]),), (np.array([3, 1]),), True).balanced()
        {'no': 0.6666666666666666, 'yes': 2.0}
        """
        counts = self.counts[0]
        weights = counts.sum() / (len(counts) * counts)
        return dict(zip(self.classes[0].tolist(), weights.tolist(), strict=True))


def count_labels(blocks: Iterable[Block], max_classes: int) -> Labels:
    """Count the labels of all blocks.

    Parameters
    ----------
    blocks : iterable of Block
        Their X are the targets, of shape (n_rows,) or (n_rows, n_targets).
    max_classes : int
        The most labels that a target may have.

    Raises
    ------
    FitError
        If a label is missing (NaN or None), or is of another type than others; it names the block.
    ConfigError
        If there are more than ``max_classes``.

    Examples
    --------
    >>> from runner.base import Place
    >>> one, two = np.array(["b", "a"]), np.array(["b"])
    >>> blocks = [Block(one, None, None, Place(0, 0, 2)), Block(two, None, None, Place(1, 2, 3))]
    >>> count_labels(blocks, max_classes=10).as_mappings()
    [{'a': 1, 'b': 2}]
    """
    found: list[_Target] = []
    has_one_target = True
    for block in blocks:
        y = np.asarray(block.X)
        has_one_target = y.ndim == 1
        found = found or [_Target() for _ in np.atleast_2d(y.T)]
        for target, labels in zip(found, np.atleast_2d(y.T), strict=True):
            if len(labels):
                target.add(labels, block)
        _check_number(found, max_classes)
    return Labels(
        tuple(target.classes() for target in found),
        tuple(target.in_order() for target in found),
        has_one_target,
    )


def remark_on(labels: Labels) -> Remark | None:
    """Say of a target that it has hardly more rows than labels, as a column of ids has.

    Examples
    --------
    >>> ids = Labels((np.arange(300),), (np.ones(300, np.int64),), True)
    >>> print(remark_on(ids))
    few-rows-per-label: y has 300 labels in 300 rows, too few of each to learn. Name another \
target under dataset if these are ids, or choose a regressor if they are quantities.
    """
    for column, counts in enumerate(labels.counts):
        n_labels, n_rows = len(counts), int(counts.sum())
        if n_rows < FEW_ROWS * n_labels:
            y = "y" if labels.has_one_target else f"Column {column} of y"
            return Remark(
                "few-rows-per-label",
                f"{y} has {n_labels} labels in {n_rows} rows, too few of each to learn. Name "
                "another target under dataset if these are ids, or choose a regressor if they "
                "are quantities.",
            )
    return None


class _Target:
    """The labels of one column of y so far."""

    def __init__(self) -> None:
        self.counts: Counter[Any] = Counter()
        self._dtype: np.dtype[Any] | None = None
        self._kind = ""

    def add(self, labels: np.ndarray, block: Block) -> None:
        kinds = _kinds_of(labels)
        if MISSING in kinds:
            raise _missing(labels, block)
        kind = " and ".join(sorted(kinds))
        if kind not in KINDS.values() or (self._kind and kind != self._kind):
            raise FitError(
                block.place.subject,
                "hold labels of one type, the same as in all blocks: numbers, text or booleans",
                got=f"{_odd(labels, self._kind, block)}{_after(self._kind)}",
                remedy="Mend y at the source.",
            )
        self._kind = kind
        dtype = labels.dtype
        self._dtype = dtype if self._dtype is None else np.promote_types(self._dtype, dtype)
        values, counts = np.unique(labels, return_counts=True)
        self.counts.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))

    def classes(self) -> np.ndarray:
        is_object = self._dtype is not None and self._dtype.kind == "O"
        return np.array(sorted(self.counts), dtype=None if is_object else self._dtype)

    def in_order(self) -> np.ndarray:
        return np.array([self.counts[label] for label in sorted(self.counts)], dtype=np.int64)


def _kinds_of(labels: np.ndarray) -> set[str]:
    """Say what the labels are: one of ``KINDS``, "missing", or the name of another type."""
    if labels.dtype.kind == "f":
        return {MISSING} if np.isnan(labels).any() else {"numbers"}
    if labels.dtype.kind in KINDS:
        return {KINDS[labels.dtype.kind]}
    return {_kind_of(label) for label in labels.tolist()}


def _kind_of(label: Any) -> str:
    for types, kind in (
        (str, "text"),
        ((bool, np.bool_), "booleans"),
        ((int, float, np.integer, np.floating), "numbers"),
    ):
        if isinstance(label, types):
            return kind if label == label else MISSING  # noqa: PLR0124  (only NaN differs)
    is_missing = label is None or type(label).__name__ in ("NAType", "NaTType")
    return MISSING if is_missing else type(label).__name__


def _missing(labels: np.ndarray, block: Block) -> FitError:
    row, label = next(
        (row, label) for row, label in enumerate(labels.tolist()) if _kind_of(label) == MISSING
    )
    return FitError(
        block.place.subject,
        "hold a label in each row",
        got=f"{label} in {block.row_name(row)}",
        remedy="Remove or fill in these rows at the source.",
    )


def _odd(labels: np.ndarray, kind: str, block: Block) -> str:
    """Name the first label that is not of the kind of those before, and its row."""
    for row, label in enumerate(labels.tolist()):
        here = _kind_of(label)
        kind = kind or (here if here in KINDS.values() else "")
        if here != kind:
            return f"{label!r} ({here}) in {block.row_name(row)}"
    raise AssertionError("it is asked where a label is of another kind")


def _after(kind: str) -> str:
    return f" after {kind} in other blocks" if kind else ""


def _check_number(found: list[_Target], max_classes: int) -> None:
    most = max((len(target.counts) for target in found), default=0)
    if most > max_classes:
        raise ConfigError(
            "The labels that are counted",
            f"be at most {max_classes}",
            got=f"{most} or more",
            remedy="Raise fit.max_classes, or choose a regressor if y is a quantity.",
        )


class LabelWeights:
    """The weight of each row from its label.

    Parameters
    ----------
    weights : mapping of label to float
        Labels that are left out weigh 1.

    Examples
    --------
    >>> LabelWeights({0: 0.5, 1: 2.0})(np.array([1, 0, 1, 7]), None)
    array([2. , 0.5, 2. , 1. ])
    >>> LabelWeights({0: 0.5, 1: 2.0})(np.array([1, 0]), np.array([10.0, 1.0]))
    array([20. ,  0.5])
    """

    def __init__(self, weights: Mapping[Any, float]) -> None:
        self._weights = dict(weights)

    def __call__(self, y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
        """Return the weights of rows, multiplied with those that the rows have already.

        Returns
        -------
        ndarray of shape (n_rows,), float64
        """
        labels, inverse = np.unique(y, return_inverse=True)
        of_labels = [self._weights.get(label, 1.0) for label in labels.tolist()]
        weights: np.ndarray = np.array(of_labels, dtype=np.float64)[inverse]
        return weights if sample_weight is None else weights * sample_weight
