"""Named stateless stages in front of the estimator, and the pipeline they make with it."""

from collections.abc import Callable, Mapping
from typing import Any

from runner.errors import ConfigError

ESTIMATOR = "estimator"


def check_stages(stages: Mapping[str, Any]) -> None:
    """Refuse a stage that would have to be fitted first.

    Raises
    ------
    ConfigError
        If a stage has no ``transform``, its scikit-learn tags say that it needs fitting, or it
        is called as the estimator is.
    """
    for name, stage in stages.items():
        if name == ESTIMATOR:
            raise ConfigError(
                f"preprocessing.{name}",
                "have another name, because the last stage of the model is called so",
                got=type(stage).__name__,
                remedy="Rename the stage.",
            )
        tags = getattr(stage, "__sklearn_tags__", None)
        if callable(getattr(stage, "transform", None)) and tags and not tags().requires_fit:
            continue
        raise ConfigError(
            f"preprocessing.{name}",
            "be a transformer that needs no fitting, such as HashingVectorizer or Normalizer",
            got=type(stage).__name__,
            remedy="Choose a stateless one, or prepare these features at the source.",
        )


def transform_by(stages: Mapping[str, Any]) -> Callable[[Any], Any] | None:
    """Return what sends the rows of a block through every stage; None when there is no stage.

    Stateless transformers change nothing in themselves, so several threads may use them at once.

    Examples
    --------
    >>> from sklearn.preprocessing import Binarizer, Normalizer
    >>> transform = transform_by({"norm": Normalizer(), "sign": Binarizer(threshold=0.7)})
    >>> transform([[3.0, 4.0]])
    array([[0., 1.]])
    """
    if not stages:
        return None

    def transform(X: Any) -> Any:
        for stage in stages.values():
            X = stage.transform(X)
        return X

    return transform


def pipeline(stages: Mapping[str, Any], estimator: Any) -> Any:
    """Return one model that predicts from raw rows: the estimator, behind its stages if any."""
    if not stages:
        return estimator
    from sklearn.pipeline import Pipeline

    return Pipeline([*stages.items(), (ESTIMATOR, estimator)])
