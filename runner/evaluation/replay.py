"""Ask an estimator about a block once, and give the answers again to any number of scorers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from sklearn.utils import Tags, TargetTags

from runner.evaluation.own import ask_errors, ask_perplexity, ask_score
from runner.kinds import classes_of, kind_of

Answers: TypeAlias = dict[str, Any]


ASKED_BY_US: dict[str, Callable[[Any, Any, Any], np.ndarray]] = {
    "inverse_transform": ask_errors,
    "perplexity": ask_perplexity,
    "score": ask_score,
}


def ask(estimator: Any, methods: Iterable[str], X: Any, sample_weight: Any = None) -> Answers:
    """Call each method on the rows of X, and return the answers by method.

    Of some methods the answer is what our own scorers make of them; see ``runner.evaluation.own``.
    """
    return {
        method: ASKED_BY_US[method](estimator, X, sample_weight)
        if method in ASKED_BY_US
        else getattr(estimator, method)(X)
        for method in methods
    }


class Replay:
    """Looks to scikit-learn's scorers like a fitted estimator, and knows its answers by heart.

    It has the methods it holds answers of, whatever they are called with, the kind of the
    estimator as scikit-learn's tag, and its ``classes_``.

    Parameters
    ----------
    answers : mapping of str to array
        What each method returns.
    kind : str, optional
        "classifier", "regressor", "clusterer", ...
    classes : array, optional
        The labels of a classifier.

    Examples
    --------
    >>> from sklearn.metrics import get_scorer
    >>> replay = Replay({"predict": [0, 1, 1]}, "classifier", np.array([0, 1]))
    >>> get_scorer("accuracy")(replay, None, [0, 1, 0])
    0.6666666666666666
    """

    def __init__(
        self, answers: Mapping[str, Any], kind: str | None = None, classes: Any = None
    ) -> None:
        for method, answer in answers.items():
            setattr(self, method, _reply(method, answer))
        if classes is not None:
            self.classes_ = classes
        # scikit-learn asks every classifier for its classes.
        known = kind if classes is not None or kind != "classifier" else None
        self._tags = Tags(estimator_type=known, target_tags=TargetTags(required=True))

    def __sklearn_tags__(self) -> Tags:
        """Say what kind of estimator the answers come from."""
        return self._tags


def replay_of(estimator: Any, answers: Mapping[str, Any]) -> Replay:
    """Return what stands in for a fitted estimator that gave these answers."""
    kind = kind_of(estimator)
    return Replay(answers, kind, classes_of(estimator))


def _reply(method: str, answer: Any) -> Callable[..., Any]:
    def reply(*_: Any) -> Any:
        return answer

    reply.__name__ = method
    return reply
