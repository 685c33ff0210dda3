"""How ``partial_fit`` is called for each block."""

from collections.abc import Callable, Mapping
from typing import Any

from runner.base import Block
from runner.fit.labels import LabelWeights

LearnBy = Callable[[Any, Any, tuple[Any, ...], Mapping[str, Any]], None]


def learn_here(
    estimator: Any, X: Any, target: tuple[Any, ...], arguments: Mapping[str, Any]
) -> None:
    """Call ``partial_fit`` in this thread; what it returns is not used, some return None."""
    estimator.partial_fit(X, *target, **arguments)


class Calls:
    """The keyword arguments of every call, and what rows weigh.

    Parameters
    ----------
    arguments : mapping
        Such as ``classes``.
    weights : LabelWeights, optional
        What each row weighs by its label.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from runner.base import Place
    >>> model, X, y = GaussianNB(), np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> Calls({"classes": [0, 1]})(model, Block(X, y, None, Place(0, 0, 2)))
    >>> model.class_count_
    array([1., 1.])
    """

    def __init__(self, arguments: Mapping[str, Any], weights: LabelWeights | None = None) -> None:
        self._arguments = dict(arguments)
        self._weights = weights

    @property
    def classes(self) -> Any:
        """The labels that y may hold; None if they are not listed."""
        return self._arguments.get("classes")

    def __call__(self, estimator: Any, block: Block, by: LearnBy = learn_here) -> None:
        """Let an estimator learn a block, in place."""
        arguments, sample_weight = self._arguments, block.sample_weight
        if self._weights is not None:
            sample_weight = self._weights(block.y, sample_weight)
        if sample_weight is not None:
            arguments = {**arguments, "sample_weight": sample_weight}
        by(estimator, block.X, () if block.y is None else (block.y,), arguments)

    def state(self) -> Any:
        """Return both, which may have been found by a pass over y."""
        return self._arguments, self._weights

    def restore(self, state: Any) -> None:
        """Take both from a state."""
        self._arguments, self._weights = state
