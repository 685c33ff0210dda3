"""What kind of estimator something is, and what its arguments are."""

from contextlib import suppress
from inspect import signature
from typing import Any


def kind_of(estimator: Any) -> str | None:
    """Return what the estimator is, such as "classifier", or None when it cannot be told.

    scikit-learn's tags decide. A pipeline without is what its last step is; another estimator
    without is what its ``_estimator_type`` says, or a classifier if it predicts and has, or takes,
    classes.

    Examples
    --------
    >>> from sklearn.linear_model import SGDRegressor
    >>> from sklearn.pipeline import make_pipeline
    >>> kind_of(make_pipeline(SGDRegressor()))
    'regressor'
    """
    from sklearn.utils import get_tags

    try:
        tagged = get_tags(estimator).estimator_type
    except (AttributeError, TypeError, ValueError):
        tagged = None
    if tagged is not None:
        return str(tagged)
    last = last_step(estimator)
    if last is not estimator:
        return kind_of(last)
    named = getattr(estimator, "_estimator_type", None)
    if named is None and hasattr(estimator, "predict") and _has_classes(estimator):
        return "classifier"
    return named


def last_step(estimator: Any) -> Any:
    """Return the last step of a pipeline; any other estimator is its own last step."""
    steps = getattr(estimator, "named_steps", None)
    return last_step(estimator.steps[-1][1]) if steps else estimator


def classes_of(estimator: Any) -> Any:
    """Return the labels that a fitted classifier tells apart, a list where it has several outputs.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklearn.multioutput import MultiOutputClassifier
    >>> model = MultiOutputClassifier(SGDClassifier())
    >>> labels = model.partial_fit([[0], [1]], [[0, 5], [1, 6]], classes=[[0, 1], [5, 6]])
    >>> [labels.tolist() for labels in classes_of(model)]
    [[0, 1], [5, 6]]
    """
    classes = getattr(estimator, "classes_", None)
    last = last_step(estimator)
    if classes is None and kind_of(estimator) == "classifier" and hasattr(last, "estimators_"):
        # MultiOutputClassifier sets its own in `fit`, not in `partial_fit`.
        return [output.classes_ for output in last.estimators_]
    return classes


def takes_classes(estimator: Any) -> bool:
    """Say whether the ``partial_fit`` of an estimator takes ``classes``.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier, SGDRegressor
    >>> takes_classes(SGDClassifier()), takes_classes(SGDRegressor())
    (True, False)
    """
    partial_fit = getattr(estimator, "partial_fit", None)
    return callable(partial_fit) and "classes" in signature(partial_fit).parameters


def _has_classes(estimator: Any) -> bool:
    known = hasattr(estimator, "classes_") or hasattr(estimator, "predict_proba")
    return known or takes_classes(estimator)


def make_tuples(learner: Any) -> None:
    """Make tuples of lists where scikit-learn takes nothing else, at any depth; YAML has none.

    Examples
    --------
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> scaler = MinMaxScaler(feature_range=[0, 2])
    >>> make_tuples(scaler)
    >>> scaler.feature_range
    (0, 2)
    """
    if not hasattr(learner, "get_params"):
        return
    within: list[Any] = []
    # Steps that are none are told where the learner is looked at.
    with suppress(ValueError, TypeError, AttributeError):
        within = [each for each in learner.get_params().values() if hasattr(each, "get_params")]
    for each in (learner, *within):
        constraints = getattr(each, "_parameter_constraints", {})
        for name, value in each.get_params(deep=False).items():
            allowed = constraints.get(name)  # a list; or a word, if it is not validated
            if isinstance(value, list) and isinstance(allowed, list) and _is_for_tuples(allowed):
                setattr(each, name, tuple(value))


def _is_for_tuples(allowed: list[Any]) -> bool:
    return tuple in allowed and list not in allowed and "array-like" not in allowed
