"""What ``classes`` may be: the labels that a classifier tells apart."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from runner.base import LazyArray, Part
from runner.errors import ConfigError, RunnerWarning, nearest

INFER = "infer"
MOST_LABELS = 10
_NUMBERS = "iufb"
_TEXT = "US"


def check_classes(estimator: Any, classes: Any, y: LazyArray) -> None:
    """Refuse classes that do not fit y, for an estimator whose ``partial_fit`` takes them.

    Raises
    ------
    ConfigError
        If they are missing, too few, or of another kind than the labels; or if y has several
        columns and they are not a list for each, or the estimator has one target.

    Warns
    -----
    RunnerWarning
        If they are booleans and the labels are not: predictions would be booleans too.
    """
    check = _check_listed if len(y.shape) == 1 else _check_each
    check(estimator, classes, y)


def infers(classes: Any) -> bool:
    """Say whether these classes are to be found in y."""
    return isinstance(classes, str) and classes == INFER


def listed(arguments: Mapping[str, Any], part: Part) -> Any:
    """Return the labels of a y of one column, where they are known."""
    classes = arguments.get("classes")
    has_one_target = part.y is not None and len(part.y.shape) == 1
    return classes if has_one_target and not isinstance(classes, str) else None


def check_inferred(classes: Sequence[np.ndarray]) -> None:
    """Refuse what was found in y, by target, if a target has nothing to tell apart.

    Raises
    ------
    ConfigError
        If there is one label, or none, or if there are quantities.
    """
    for column, labels in enumerate(classes):
        subject = "y" if len(classes) == 1 else f"Column {column} of y"
        quantities = labels[labels % 1 != 0] if labels.dtype.kind == "f" else labels[:0]
        if len(quantities):
            raise ConfigError(
                subject,
                "hold labels, which are whole numbers, text or booleans",
                got=f"quantities such as {quantities.tolist()[0]!r}",
                remedy="Choose a regressor, or name another target under dataset.",
            )
        if len(labels) < 2:  # noqa: PLR2004
            raise ConfigError(
                subject,
                "have two labels or more in the training blocks",
                got=f"only {labels.tolist()[0]!r}" if len(labels) else "none",
                remedy="Name another target under dataset, or choose a regressor.",
            )


def check_weighted(class_weight: str | Mapping[Any, float] | None, classes: Any) -> None:
    """Refuse weights of what is not among the classes, where these are known.

    Raises
    ------
    ConfigError
        Naming the first such label.
    """
    if classes is None or not isinstance(class_weight, Mapping):
        return
    labels = np.asarray(classes).tolist()
    for label in class_weight:
        if label not in labels:
            raise ConfigError(
                "fit.class_weight",
                "name only labels that there are",
                got=f"{label!r} beside {', '.join(map(repr, labels[:MOST_LABELS]))}",
                remedy="In YAML, 0 is a number, '0' is text, and yes is true unless it is quoted.",
            )


def _check_each(estimator: Any, classes: Any, y: LazyArray) -> None:
    tags = tags_of(estimator)
    if tags is None:
        return
    n_targets, name = y.shape[1], type(estimator).__name__
    is_multi_label = tags.classifier_tags is not None and tags.classifier_tags.multi_label
    if tags.target_tags.multi_output:
        if infers(classes):
            return
        given = classes if isinstance(classes, list | tuple) else []
        if len(given) != n_targets or not all(_are_labels(each) for each in given):
            example = ", ".join(["[0, 1]"] * n_targets)
            raise ConfigError(
                "partial_fit.classes",
                f"list two labels or more for each of the {n_targets} columns of y",
                got=repr(classes),
                remedy=_meant(classes)
                or f"Write partial_fit: {{classes: [{example}]}}, with the labels of each.",
            )
    elif is_multi_label and infers(classes):
        raise ConfigError(
            "partial_fit.classes",
            f"list the numbers of the {n_targets} columns of y, which are the labels of a row",
            got=repr(INFER),
            remedy=f"Write partial_fit: {{classes: {list(range(n_targets))}}}.",
        )
    elif not is_multi_label:
        raise ConfigError(
            "The dataset",
            f"have one target for {name}",
            got=f"a y of {n_targets} columns",
            remedy="Name one target, or learn each by sklearn.multioutput.MultiOutputClassifier.",
        )


def _check_listed(estimator: Any, classes: Any, y: LazyArray) -> None:
    if infers(classes):
        return
    if classes is None:
        raise ConfigError(
            "partial_fit.classes",
            "list every label, because no single block need hold them all",
            got="nothing",
            remedy="Write partial_fit: {classes: [0, 1]}, with the labels of your data, or "
            "classes: infer to have them found in one pass over y.",
        )
    if not _are_labels(classes):
        raise ConfigError(
            "partial_fit.classes",
            "list two labels or more",
            got=repr(classes),
            remedy=_meant(classes)
            or f"List every label {type(estimator).__name__} shall tell apart.",
        )
    given, labels = np.asarray(classes), y.dtype
    if labels.kind == "O":  # text or numbers, which each block is asked for
        return
    if (given.dtype.kind in _NUMBERS) != (labels.kind in _NUMBERS):
        raise ConfigError(
            "partial_fit.classes",
            f"be of the labels' type, {_kind(labels)}",
            got=f"{classes!r} ({_kind(given.dtype)})",
            remedy="In YAML, [0, 1] are numbers and ['0', '1'] are text.",
        )
    if given.dtype.kind == "b" and labels.kind != "b":
        warnings.warn(
            f"partial_fit.classes are booleans and the labels are {_kind(labels)}: the model will "
            "predict booleans. YAML reads yes, no, on and off as booleans; put them in quotes.",
            RunnerWarning,
            stacklevel=2,
        )


def _meant(classes: Any) -> str:
    """Suggest ``infer`` in place of any other word."""
    return nearest(classes, [INFER]) if isinstance(classes, str) else ""


def _are_labels(classes: Any) -> bool:
    """Say whether these are two labels or more, which is what a classifier tells apart."""
    try:
        given = np.asarray(classes)
        return given.ndim == 1 and len(np.unique(given)) > 1
    except (TypeError, ValueError):  # lists of several lengths, and labels that cannot be sorted
        return False


def tags_of(estimator: Any) -> Any:
    """Return scikit-learn's tags, or None of an estimator without."""
    tags = getattr(estimator, "__sklearn_tags__", None)
    return None if tags is None else tags()


def _kind(dtype: np.dtype[Any]) -> str:
    return "text" if dtype.kind in _TEXT else str(dtype)
