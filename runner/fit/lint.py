"""What a person should know of an estimator's settings before training silently goes wrong."""

from collections.abc import Iterator
from typing import Any

from runner.base import Remark
from runner.errors import ConfigError
from runner.fit.settings import (
    INERT,
    LINEAR,
    PASSIVE_AGGRESSIVE,
    REFUSED,
    SGD,
    classes_of,
    made,
    nested,
    told,
)

NAMES = (
    "inert-setting",
    "deprecated",
    "total-samples",
    "small-first-block",
    "batch-size",
    "wild-scale",
    "sorted-by-label",
    "few-rows-per-label",
    "first-block-only",
    "decided-on-holdout",
    "heavy-estimator",
    "forced",
)


def check_settings(key: str, estimator: Any, n_rows: int | None = None) -> list[Remark]:
    """Say which settings of an estimator do nothing block by block, or will soon be gone.

    Parameters
    ----------
    key : str
        Where the estimator stands in the file, such as ``estimator`` or ``preprocessing.pca``.
    estimator : object
        With what is inside of it, if it is a meta-estimator.
    n_rows : int, optional
        The training rows, where they are known.

    Raises
    ------
    ConfigError
        If scikit-learn would refuse the first block because of a setting.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> for remark in check_settings("estimator", SGDClassifier(max_iter=50)):
    ...     print(remark.text)
    estimator.max_iter=50 has no effect because each block is learned once in each epoch. \
Set fit.epochs, the passes over all blocks.
    """
    remarks: list[Remark] = []
    for where, each in nested(key, estimator):
        classes = classes_of(each)
        _refuse(where, each, classes)
        if not _is_valid(each):
            continue
        _refuse_together(where, each, classes)
        remarks += _inert(where, each, classes)
        remarks += _deprecated(where, each, classes)
        remarks += _total_samples(where, each, classes, n_rows)
    return remarks


def check_first_block(
    estimator: Any, n_rows: int, n_features: int | None = None, *, key: str = "estimator"
) -> Remark | None:
    """Refuse a first block that is too small; later ones may be smaller. Tell what will suffer.

    Parameters
    ----------
    estimator : object
        What learns from it.
    n_rows, n_features : int
        The shape of the block that is learned first; the features may be unknown.
    key : str
        Where the estimator stands in the file.

    Raises
    ------
    ConfigError
        If there are fewer rows than clusters or components, or fewer features than components.
    """
    classes = classes_of(estimator)
    if "MiniBatchKMeans" in classes:
        _check_rows(f"{key}.n_clusters", estimator.n_clusters, n_rows)
    elif "IncrementalPCA" in classes:
        wanted = estimator.n_components
        if wanted is None:
            return _few_components(key, n_rows, n_features)
        _check_components(f"{key}.n_components", wanted, n_rows, n_features)
    elif "BernoulliRBM" in classes and estimator.batch_size != n_rows:
        return _unbalanced(f"{key}.batch_size", estimator.batch_size, n_rows)
    elif "MiniBatchNMF" in classes and estimator.init not in (None, "random", "custom"):
        wanted = estimator.n_components
        wanted = n_features if wanted in (None, "auto") else wanted
        _check_components(f"{key}.n_components", wanted or 0, n_rows, n_features)
    return None


def _refuse(key: str, estimator: Any, classes: set[str]) -> None:
    for row in REFUSED:
        if classes & {*row.classes} and hasattr(estimator, row.name) and row.holds(estimator):
            got = told(getattr(estimator, row.name))
            raise ConfigError(f"{key}.{row.name}", row.rule, got=got, remedy=row.remedy)


def _is_valid(estimator: Any) -> bool:
    """Say whether each setting is one that scikit-learn takes; if not, the preflight says so."""
    if not hasattr(estimator, "_parameter_constraints"):
        return True
    try:
        estimator._validate_params()  # noqa: SLF001  (as every fit does first)
    except (TypeError, ValueError):
        return False
    return True


def _refuse_together(key: str, estimator: Any, classes: set[str]) -> None:
    if not classes & {*SGD}:
        return
    try:
        estimator._more_validate_params(for_partial_fit=True)  # noqa: SLF001  (as partial_fit does)
    except ValueError as error:
        raise ConfigError(
            key,
            f"have parameters that {type(estimator).__name__} accepts together",
            got=" ".join(str(error).split()).rstrip("."),
            remedy=f"Mend it under {key}.",
        ) from error


def _inert(key: str, estimator: Any, classes: set[str]) -> Iterator[Remark]:
    settings = made(estimator) if classes else {}
    for row in INERT:
        names = [name for name in row.names if name in settings]
        if names and classes & {*row.classes} and row.holds(estimator):
            for name in names:
                yield Remark(
                    "inert-setting",
                    f"{key}.{name}={told(settings[name])} has no effect {row.why}. "
                    f"{row.remedy.format(key=key)}",
                )


def _deprecated(key: str, estimator: Any, classes: set[str]) -> Iterator[Remark]:
    if classes & {*PASSIVE_AGGRESSIVE}:
        is_regressor = "PassiveAggressiveRegressor" in classes
        target = "SGDRegressor" if is_regressor else "SGDClassifier"
        loss = "epsilon_insensitive" if is_regressor else "hinge"
        rate = "pa1" if estimator.loss == loss else "pa2"
        yield Remark(
            "deprecated",
            f"{key} is a {type(estimator).__name__}, which scikit-learn 1.10 will not have. Write "
            f"{{_target_: sklearn.linear_model.{target}, loss: {loss}, penalty: null, "
            f"learning_rate: {rate}, eta0: {estimator.C}}} for the same model.",
        )
    if classes & {*LINEAR, "SGDOneClassSVM"} and estimator.power_t < 0:
        yield Remark(
            "deprecated",
            f"{key}.power_t={estimator.power_t} is below 0, which scikit-learn 1.10 will refuse. "
            "Set it to 0 or more.",
        )


def _total_samples(
    key: str, estimator: Any, classes: set[str], n_rows: int | None
) -> Iterator[Remark]:
    if "LatentDirichletAllocation" not in classes or not n_rows:
        return
    total = int(estimator.total_samples)
    if total == 10**6 and not n_rows / 10 <= total <= n_rows * 10:
        yield Remark(
            "total-samples",
            f"{key}.total_samples={total}, the default, scales each block up to stand for so many "
            f"rows, and there are {n_rows}. Set {key}.total_samples={n_rows}.",
        )


def _check_components(key: str, wanted: int, n_rows: int, n_features: int | None) -> None:
    if n_features is not None and wanted > n_features:
        raise ConfigError(
            key,
            "be at most the number of features",
            got=f"{wanted} with {n_features} features",
            remedy=f"Set {key}={n_features} or less.",
        )
    _check_rows(key, wanted, n_rows)


def _check_rows(key: str, wanted: int, n_rows: int) -> None:
    if wanted > n_rows:
        raise ConfigError(
            "The first block",
            f"have at least {wanted} rows for {key}={wanted}",
            got=f"{n_rows} rows",
            remedy=f"Set dataset.chunks so that no block is smaller, or lower {key}.",
        )


def _unbalanced(key: str, batch_size: int, n_rows: int) -> Remark:
    return Remark(
        "batch-size",
        f"{key}={batch_size} is not the {n_rows} rows of a block, so each step adds what it sees "
        f"of all rows and takes away what it expects of {batch_size}. Set {key}={n_rows}.",
    )


def _few_components(key: str, n_rows: int, n_features: int | None) -> Remark | None:
    if n_features is None or n_rows >= n_features:
        return None
    return Remark(
        "small-first-block",
        f"{key}.n_components=null keeps only {n_rows} components of {n_features} features, as "
        f"many as the first block has rows. Set {key}.n_components, or raise dataset.chunks.",
    )
