"""Count how often each label was predicted for each true label, block by block."""

from collections import Counter
from typing import Any, Self

import numpy as np

from runner.records import Confusion

MAX_CONFUSION_LABELS = 1000


class Pairs:
    """How often each pair of a true and a predicted label was met.

    Memory grows with the number of different pairs, not with the rows.

    Parameters
    ----------
    classes : array of shape (n_classes,), optional
        The labels that are expected.

    Examples
    --------
    >>> pairs = Pairs(classes=np.array([0, 1]))
    >>> pairs.add(np.array([0, 1, 1]), np.array([0, 1, 0]))
    []
    >>> pairs.add(np.array([1, 7]), np.array([1, 1]))
    [7]
    >>> true, predicted, counts = pairs.arrays()
    >>> true, predicted, counts
    (array([0, 1, 1, 7]), array([0, 0, 1, 1]), array([1, 1, 2, 1]))
    """

    def __init__(self, classes: Any = None) -> None:
        labels = None if classes is None else np.unique(classes)
        self._true = self._predicted = labels
        self._classes = [] if labels is None else labels.tolist()
        self._expected = None if labels is None else set(self._classes)
        self._counts: Counter[tuple[Any, Any]] = Counter()

    def add(self, true: np.ndarray, predicted: np.ndarray) -> list[Any]:
        """Count the pairs of some rows.

        Parameters
        ----------
        true, predicted : ndarray of shape (n_rows,)
            The labels.

        Returns
        -------
        list
            The true labels met for the first time that are not among ``classes``.
        """
        if true.shape != predicted.shape:
            msg = f"y has shape {true.shape} and the predictions have shape {predicted.shape}"
            raise ValueError(msg)
        rows, self._true = positions(true, self._true)
        columns, self._predicted = positions(predicted, self._predicted)
        width = len(self._predicted)
        cells, counts = np.unique(rows * width + columns, return_counts=True)
        labels = self._true[cells // width].tolist()
        pairs = zip(labels, self._predicted[cells % width].tolist(), strict=True)
        self._counts.update(dict(zip(pairs, counts.tolist(), strict=True)))
        return self._strange(labels)

    def join(self, other: Self) -> list[Any]:
        """Count also what another one, of the same classes, counted; return as ``add`` does."""
        self._true = _united(self._true, other._true)
        self._predicted = _united(self._predicted, other._predicted)
        self._counts.update(other._counts)
        return self._strange([true for true, _ in other._counts])

    def _strange(self, labels: list[Any]) -> list[Any]:
        """Return those that are not expected, and expect them from now on."""
        if self._expected is None:
            return []
        strange = [label for label in dict.fromkeys(labels) if label not in self._expected]
        self._expected.update(strange)
        return strange

    def unmet(self) -> list[Any]:
        """Return those of ``classes`` that are no row's true label."""
        met = {true for true, _ in self._counts}
        return [label for label in self._classes if label not in met]

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the different pairs and their counts, each of shape (n_pairs,)."""
        pairs = list(self._counts)
        true = _array([true for true, _ in pairs], self._true)
        predicted = _array([predicted for _, predicted in pairs], self._predicted)
        return true, predicted, np.array([self._counts[pair] for pair in pairs], dtype=np.int64)

    def confusion(self) -> Confusion | None:
        """Return the counts as a table.

        Returns
        -------
        Confusion or None
            None with more than 1,000 labels, or when numbers were predicted for text.
        """
        true, predicted, counts = self.arrays()
        if _is_number(true) != _is_number(predicted):
            return None
        labels = np.union1d(true, predicted)
        if len(labels) > MAX_CONFUSION_LABELS:
            return None
        table = np.zeros((len(labels), len(labels)), dtype=np.int64)
        table[np.searchsorted(labels, true), np.searchsorted(labels, predicted)] = counts
        return Confusion(labels, table)


def positions(values: np.ndarray, labels: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Find each value among sorted labels, which are widened where one is missing.

    Looking values up among a few labels is several times faster than sorting them.

    Returns
    -------
    positions, labels : ndarray of shape (n_values,), ndarray of shape (n_labels,)

    Examples
    --------
    >>> positions(np.array([3, 1]), np.array([1, 2]))
    (array([2, 0]), array([1, 2, 3]))
    """
    if labels is None or not len(labels) or _is_number(labels) != _is_number(values):
        labels = np.unique(values)
        return np.searchsorted(labels, values), labels
    found = np.minimum(np.searchsorted(labels, values), len(labels) - 1)
    if np.array_equal(labels[found], values):
        return found, labels
    labels = np.union1d(labels, values)
    return np.searchsorted(labels, values), labels


def _united(labels: np.ndarray | None, others: np.ndarray | None) -> np.ndarray | None:
    return labels if others is None else positions(others, labels)[1]


def _is_number(labels: np.ndarray) -> bool:
    return labels.dtype.kind not in "OUST"


def _array(labels: list[Any], like: np.ndarray | None) -> np.ndarray:
    return np.array(labels, dtype=object if like is not None and like.dtype == object else None)
