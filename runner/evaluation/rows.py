"""Every row's target and answers, without its features."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from runner.evaluation.replay import Answers


class Rows:
    """The targets, weights and answers of all rows met so far.

    Copies are kept, because a target or an answer may be a view of an array that also holds X.

    Parameters
    ----------
    methods : iterable of str
        Whose answers are kept; nothing at all is kept when there is none.

    Examples
    --------
    >>> rows = Rows(["predict"])
    >>> rows.add({"predict": np.array([0, 1])}, np.array([0, 0]), None)
    >>> rows.add({"predict": np.array([1])}, np.array([1]), None)
    >>> rows.y(), rows.answers()
    (array([0, 0, 1]), {'predict': array([0, 1, 1])})
    """

    def __init__(self, methods: Iterable[str]) -> None:
        self.methods = list(dict.fromkeys(methods))
        self._y: list[Any] = []
        self._sample_weight: list[Any] = []
        self._answers: dict[str, list[Any]] = {method: [] for method in self.methods}

    def add(self, answers: Answers, y: Any, sample_weight: Any) -> None:
        """Keep what belongs to the rows of one block."""
        if not self.methods:
            return
        if y is not None:
            self._y.append(_copied(y))
        if sample_weight is not None:
            self._sample_weight.append(_copied(sample_weight))
        for method, parts in self._answers.items():
            parts.append(_copied(answers[method]))

    def join(self, other: Self) -> None:
        """Keep also what another one, of the same methods, keeps of later rows."""
        self._y += other._y
        self._sample_weight += other._sample_weight
        for method, parts in self._answers.items():
            parts.extend(other._answers[method])

    def y(self) -> Any:
        """Return the targets of all rows, or None where there are none."""
        return _joined(self._y)

    def sample_weight(self) -> Any:
        """Return the weights of all rows, or None where there are none."""
        return _joined(self._sample_weight)

    def answers(self) -> Answers:
        """Return the answers for all rows, by method."""
        return {method: _joined(parts) for method, parts in self._answers.items()}


def _copied(answer: Any) -> Any:
    # `predict_proba` of several outputs is a list of one array per output.
    return [np.array(part) for part in answer] if isinstance(answer, list) else np.array(answer)


def _joined(parts: list[Any]) -> Any:
    if len(parts) > 1:
        several = isinstance(parts[0], list)
        parts[:] = [
            [np.concatenate(column) for column in zip(*parts, strict=True)]
            if several
            else np.concatenate(parts)
        ]
    return parts[0] if parts else None
