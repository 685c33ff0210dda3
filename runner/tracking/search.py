"""What a search of the record asks for, and what is wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner.errors import ConfigError, TrackingError, nearest
from runner.redaction import one_line

if TYPE_CHECKING:
    from mlflow import MlflowClient

_EXAMPLE = "metrics.`holdout/accuracy` > 0.9 AND params.`estimator.alpha` = '0.001'"


def experiment_ids(client: "MlflowClient", name: str | None = None) -> list[str]:
    """Return the ids of all experiments, or of the one of that name.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    found = {each.name: str(each.experiment_id) for each in client.search_experiments()}
    if name is None:
        return list(found.values())
    if name in found:
        return [found[name]]
    raise ConfigError(
        "The experiment", "be one of the record", got=repr(name), remedy=nearest(name, found)
    )


@contextmanager
def understood(filter_string: str) -> Iterator[None]:
    """Say of an error inside, where it is the filter's, what a filter is.

    Raises
    ------
    ConfigError
        If MLflow cannot read the filter.
    """
    try:
        yield
    except TrackingError as error:
        cause = error.__cause__
        if not filter_string or getattr(cause, "error_code", "") != "INVALID_PARAMETER_VALUE":
            raise
        said = one_line(cause or error).partition(": ")[2]
        raise ConfigError(
            "The filter",
            "be one that MLflow reads",
            got=f"{filter_string!r}, of which it says: {said}",
            remedy=f"Write it such as: {_EXAMPLE}.",
        ) from error
