"""Which kind of stage a transformer is, and so how it learns from blocks."""

from collections.abc import Callable
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import PolynomialCountSketch, RBFSampler, SkewedChi2Sampler
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
)
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection

from runner.errors import ConfigError, cause
from runner.names import find
from runner.preprocessing.categories import Categories
from runner.preprocessing.composed import Chain, Columns, Union
from runner.preprocessing.learning import BlockByBlock, Learning, Need, Once
from runner.rules import check_parameters

COMPOSED = {ColumnTransformer: Columns, Pipeline: Chain, FeatureUnion: Union}
# When what a fit learns depends on the number of columns alone, not on the values of the rows.
WIDTH_ONLY: dict[type, Callable[[Any], bool]] = {
    PolynomialFeatures: lambda _: True,
    PolynomialCountSketch: lambda _: True,
    SkewedChi2Sampler: lambda _: True,
    RBFSampler: lambda stage: stage.gamma != "scale",
    GaussianRandomProjection: lambda stage: stage.n_components != "auto",
    SparseRandomProjection: lambda stage: stage.n_components != "auto",
    SimpleImputer: lambda stage: stage.strategy == "constant" and not stage.add_indicator,
    MissingIndicator: lambda stage: stage.features == "all",
    SplineTransformer: lambda stage: not isinstance(stage.knots, str),
    CountVectorizer: lambda stage: stage.vocabulary is not None,
    OneHotEncoder: lambda stage: stage.min_frequency is None and stage.max_categories is None,
    OrdinalEncoder: lambda stage: stage.min_frequency is None and stage.max_categories is None,
}


def learning_of(key: str, stage: Any) -> Learning:
    """Return how a transformer learns from blocks.

    Parameters
    ----------
    key : str
        Where it stands in the file.
    stage : transformer
        What is to learn, in place. Functions that are named are looked up.

    Raises
    ------
    ConfigError
        If it is no transformer, has parameters that scikit-learn refuses, or is made of parts that
        cannot learn in one pass.

    Examples
    --------
    >>> from sklearn.preprocessing import Normalizer, StandardScaler
    >>> learning_of("preprocessing.scaler", StandardScaler()).need.name
    'EVERY_BLOCK'
    >>> learning_of("preprocessing.norm", Normalizer()).need.name
    'NOTHING'
    """
    parts = _parts(key, stage)
    _check(key, stage)
    for kind, composed in COMPOSED.items():
        if isinstance(stage, kind):
            return composed(key, stage, parts)
    if isinstance(stage, FrozenEstimator) or _is_stateless(stage):
        return Once(key, stage, Need.NOTHING)
    if isinstance(stage, OneHotEncoder | OrdinalEncoder) and _is_auto(stage):
        return Categories(key, stage)
    # The partial_fit of SelectFromModel is its model's, with arguments that a pass has not got.
    if hasattr(stage, "partial_fit") and not isinstance(stage, SelectFromModel):
        return BlockByBlock(key, stage)
    is_width_only = WIDTH_ONLY.get(type(stage), lambda _: False)(stage)
    return Once(key, stage, Need.FIRST_BLOCK, () if is_width_only else (key,))


def _parts(key: str, stage: Any) -> dict[str, Learning]:
    """Return how the parts of a composed stage learn, by name; those that are words do not."""
    match stage:
        case ColumnTransformer():
            stage.transformers = _tuples(key, stage, "transformers", 3)
            named = [(name, part) for name, part, _ in stage.transformers]
            named.append(("remainder", stage.remainder))
        case Pipeline():
            stage.steps = named = _tuples(key, stage, "steps", 2)
        case FeatureUnion():
            stage.transformer_list = named = _tuples(key, stage, "transformer_list", 2)
        case _:
            named = []
    return {
        name: learning_of(f"{key}.{name}", part)
        for name, part in named
        if part is not None and not isinstance(part, str)
    }


def _tuples(key: str, stage: Any, parameter: str, length: int) -> list[Any]:
    key, items = f"{key}.{parameter}", getattr(stage, parameter)
    if isinstance(items, list | tuple) and all(
        isinstance(item, list | tuple) and len(item) == length for item in items
    ):
        _check_names(key, stage, [name for name, *_ in items])
        return [tuple(item) for item in items]
    columns = ", [columns]" if length > 2 else ""  # noqa: PLR2004
    raise ConfigError(
        key,
        "be a list of lists",
        got=repr(items),
        remedy=f"Write each item as [name, {{_target_: a transformer}}{columns}].",
    )


def _check_names(key: str, stage: Any, names: list[Any]) -> None:
    try:
        stage._validate_names(names)  # noqa: SLF001  (what scikit-learn itself does in a fit)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            key,
            "give each part a name of its own",
            got=cause(error),
            remedy="Name each otherwise, in letters.",
        ) from error


def _check(key: str, stage: Any) -> None:
    if isinstance(stage, FunctionTransformer):
        for name in ("func", "inverse_func"):
            if isinstance(getattr(stage, name), str):
                setattr(stage, name, find(f"{key}.{name}", getattr(stage, name)))
    learns = hasattr(stage, "fit") or hasattr(stage, "partial_fit")
    if isinstance(stage, type) or not (learns and hasattr(stage, "transform")):
        raise ConfigError(
            key,
            "be a transformer, with fit and transform",
            got=type(stage).__name__,
            remedy="Choose one, such as StandardScaler; what predicts goes under estimator.",
        )
    check_parameters(key, stage, f"Correct them under {key}.")


def _is_auto(encoder: Any) -> bool:
    return isinstance(encoder.categories, str) and encoder.categories == "auto"


def _is_stateless(stage: Any) -> bool:
    tags = getattr(stage, "__sklearn_tags__", None)
    return tags is not None and not tags().requires_fit
