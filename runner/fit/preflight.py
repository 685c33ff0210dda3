"""What can be known before the first block is read."""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from runner.base import LazyArray, Part
from runner.errors import ConfigError, RunnerWarning, nearest

INFER = "infer"
MOST_LABELS = 10
_NUMBERS = "iufb"
_TEXT = "USO"


def check_fit(
    estimator: Any,
    arguments: Mapping[str, Any],
    part: Part,
    class_weight: str | Mapping[Any, float] | None = None,
) -> None:
    """Refuse an estimator that cannot learn from these blocks with these arguments.

    Parameters
    ----------
    estimator : object
        What should learn.
    arguments : mapping
        The keyword arguments of ``partial_fit``.
    part : Part
        The training blocks; only their metadata is looked at.
    class_weight : "balanced" or mapping or None
        The weights of labels, which become sample weights.

    Raises
    ------
    ConfigError
        If there is no ``partial_fit``, a parameter has a value that scikit-learn refuses, it does
        not take the arguments, ``classes`` is missing or of another kind than the labels, a
        target is missing, y has several columns for a classifier of one target, or weights are
        given for what is no label.

    Warns
    -----
    RunnerWarning
        If ``classes`` are booleans and the labels are not: predictions would be booleans too.
    """
    _check_method(estimator)
    _check_parameters(estimator)
    _check_arguments(estimator, arguments, part)
    if class_weight is not None:
        _check_class_weight(estimator, part)
        check_weighted(class_weight, listed(arguments, part))
    if part.y is None:
        _check_no_target(estimator, arguments)
    elif "classes" in _accepted(estimator)[0]:
        check_classes = _check_classes if len(part.y.shape) == 1 else _check_several_targets
        check_classes(estimator, arguments.get("classes"), part.y)


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
        If there is one label, or none.
    """
    for labels in classes:
        if len(labels) < 2:  # noqa: PLR2004
            raise ConfigError(
                "y",
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


def _check_method(estimator: Any) -> None:
    if not callable(getattr(estimator, "partial_fit", None)):
        raise ConfigError(
            "The estimator",
            "learn block by block, with a partial_fit method",
            got=f"{type(estimator).__name__}, which has none",
            remedy="Choose one that has, such as SGDClassifier; `runner list` shows them.",
        )


def _check_parameters(estimator: Any) -> None:
    if not hasattr(estimator, "_parameter_constraints"):
        return
    try:
        estimator._validate_params()  # noqa: SLF001  (as every fit does first)
    except ValueError as error:
        raise ConfigError(
            "estimator",
            f"have parameters that {type(estimator).__name__} accepts",
            got=str(error).rstrip("."),
            remedy="Mend it under estimator.",
        ) from error


def _accepted(estimator: Any) -> tuple[list[str], bool]:
    parameters = inspect.signature(estimator.partial_fit).parameters.values()
    names = [p.name for p in parameters if p.name not in ("X", "y", "Y")]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return names, takes_any


def _check_arguments(estimator: Any, arguments: Mapping[str, Any], part: Part) -> None:
    names, takes_any = _accepted(estimator)
    name = type(estimator).__name__
    if "sample_weight" in arguments:
        raise ConfigError(
            "partial_fit.sample_weight",
            "come with the rows of each block",
            got="one value for every block",
            remedy="Name the column or array of weights as dataset.sample_weight.",
        )
    for key in arguments:
        if key not in names and not takes_any:
            raise ConfigError(
                f"partial_fit.{key}",
                f"be an argument of {name}.partial_fit",
                got=repr(key),
                remedy=nearest(key, names),
            )
    if part.sample_weight is not None and "sample_weight" not in names and not takes_any:
        raise ConfigError(
            "dataset.sample_weight",
            f"be something {name}.partial_fit takes",
            got="weights for an estimator that takes none",
            remedy="Remove dataset.sample_weight, or choose an estimator that takes weights.",
        )


def _check_class_weight(estimator: Any, part: Part) -> None:
    names, takes_any = _accepted(estimator)
    if part.y is None or len(part.y.shape) > 1 or "classes" not in names:
        raise ConfigError(
            "fit.class_weight",
            "be left out where y are not the labels of one target",
            got=f"weights for {type(estimator).__name__}",
            remedy="Leave it out.",
        )
    if "sample_weight" not in names and not takes_any:
        raise ConfigError(
            "fit.class_weight",
            f"be something {type(estimator).__name__}.partial_fit can follow",
            got="weights for an estimator that takes none",
            remedy="Leave it out, or choose an estimator that takes weights, as SGDClassifier.",
        )


def _check_no_target(estimator: Any, arguments: Mapping[str, Any]) -> None:
    if infers(arguments.get("classes")):
        raise ConfigError(
            "partial_fit.classes",
            "be infer only where there is a y to find them in",
            got="X without y",
            remedy="Name the target under dataset.",
        )
    tags = _tags(estimator)
    if tags is not None and tags.target_tags.required:
        raise ConfigError(
            "The dataset",
            f"have a target for {type(estimator).__name__}",
            got="X without y",
            remedy="Name the target under dataset, or choose an estimator that needs none.",
        )


def _check_several_targets(estimator: Any, classes: Any, y: LazyArray) -> None:
    tags = _tags(estimator)
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
                remedy=f"Write partial_fit: {{classes: [{example}]}}, with the labels of each.",
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


def _check_classes(estimator: Any, classes: Any, y: LazyArray) -> None:
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
            remedy=f"List every label {type(estimator).__name__} shall tell apart.",
        )
    given, labels = np.asarray(classes), y.dtype
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


def _are_labels(classes: Any) -> bool:
    """Say whether these are two labels or more, which is what a classifier tells apart."""
    try:
        given = np.asarray(classes)
        return given.ndim == 1 and len(np.unique(given)) > 1
    except (TypeError, ValueError):  # lists of several lengths, and labels that cannot be sorted
        return False


def _tags(estimator: Any) -> Any:
    tags = getattr(estimator, "__sklearn_tags__", None)
    return None if tags is None else tags()


def _kind(dtype: np.dtype[Any]) -> str:
    return "text" if dtype.kind in _TEXT else str(dtype)
