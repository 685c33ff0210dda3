"""What can be known before the first block is read."""

import inspect
from collections.abc import Mapping
from typing import Any

from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier

from runner.base import Part
from runner.errors import ConfigError, nearest
from runner.fit.classes import check_classes, check_weighted, infers, listed, tags_of
from runner.fit.settings import nested
from runner.kinds import kind_of
from runner.rules import check_parameters

# Their partial_fit takes any argument and passes none on, unless metadata routing is switched on.
NUMBERS_OR_TEXT = "biufOUST"
TAKES_NONE = (OneVsOneClassifier, OneVsRestClassifier)


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
    for key, each in nested("estimator", estimator):
        check_parameters(key, each, f"Mend it under {key}.")
    _check_arguments(estimator, arguments, part)
    if class_weight is not None:
        _check_class_weight(estimator, part)
        check_weighted(class_weight, listed(arguments, part))
    if part.y is None:
        _check_no_target(estimator, arguments)
    elif part.y.dtype.kind in "US" and kind_of(estimator) == "regressor":
        raise ConfigError(
            "The target",
            f"be numbers for {type(estimator).__name__}",
            got="text",
            remedy="Choose a classifier, or name another target under dataset.",
        )
    elif "classes" in _accepted(estimator)[0]:
        check_classes(estimator, arguments.get("classes"), part.y)


def check_text(estimator: Any, part: Part) -> None:
    """Refuse rows of text for an estimator of numbers that has no stage before it.

    Raises
    ------
    ConfigError
        Naming the columns of text, where there are columns; or the type of what is neither
        numbers nor text.
    """
    tags = tags_of(estimator)
    if tags is None or tags.input_tags.string:
        return
    if part.X.dtype.kind not in NUMBERS_OR_TEXT:
        raise ConfigError(
            "X",
            f"hold numbers for {type(estimator).__name__}",
            got=f"elements of type {part.X.dtype}",
            remedy="Convert them to numbers at the source.",
        )
    is_lines = len(part.X.shape) == 1
    types = () if part.frame is None else part.frame.dtypes.items()
    columns = [str(name) for name, dtype in types if dtype.kind == "O"]
    if is_lines or columns:
        raise ConfigError(
            "The rows",
            f"be numbers for {type(estimator).__name__}",
            got="lines of text" if is_lines else f"columns of text, {', '.join(columns)}",
            remedy="Choose preprocessing=[hashing]."
            if is_lines
            else "Choose others in dataset.features, encode these by a ColumnTransformer under "
            "preprocessing, or convert them to numbers at the source.",
        )


def _check_method(estimator: Any) -> None:
    if not callable(getattr(estimator, "partial_fit", None)):
        raise ConfigError(
            "The estimator",
            "learn block by block, with a partial_fit method",
            got=f"{type(estimator).__name__}, which has none",
            remedy="Choose one that has, such as SGDClassifier; `runner list` shows them.",
        )


def _accepted(estimator: Any) -> tuple[list[str], bool]:
    parameters = inspect.signature(estimator.partial_fit).parameters.values()
    names = [p.name for p in parameters if p.name not in ("X", "y", "Y")]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return names, takes_any


def _takes_weights(estimator: Any) -> bool:
    names, takes_any = _accepted(estimator)
    return "sample_weight" in names or (takes_any and not isinstance(estimator, TAKES_NONE))


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
    if part.sample_weight is not None and not _takes_weights(estimator):
        raise ConfigError(
            "dataset.sample_weight",
            f"be something {name}.partial_fit takes",
            got="weights for an estimator that takes none",
            remedy="Remove dataset.sample_weight, or choose an estimator that takes weights.",
        )


def _check_class_weight(estimator: Any, part: Part) -> None:
    names, _ = _accepted(estimator)
    if part.y is None or len(part.y.shape) > 1 or "classes" not in names:
        raise ConfigError(
            "fit.class_weight",
            "be left out where y are not the labels of one target",
            got=f"weights for {type(estimator).__name__}",
            remedy="Leave it out.",
        )
    if not _takes_weights(estimator):
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
    tags = tags_of(estimator)
    if tags is not None and tags.target_tags.required:
        raise ConfigError(
            "The dataset",
            f"have a target for {type(estimator).__name__}",
            got="X without y",
            remedy="Name the target under dataset, or choose an estimator that needs none.",
        )
