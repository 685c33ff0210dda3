"""The last points of a run, as scores of its model on its datasets."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from runner.tracking.spool import Point

if TYPE_CHECKING:
    from mlflow.entities import Dataset, Metric


def linked(
    points: Iterable[Point], run_id: str, model_id: str, datasets: "Mapping[str, Dataset]"
) -> "list[Metric]":
    """Return points that the run has already, now linked to its model and to what they are of.

    Parameters
    ----------
    points : iterable of Point
        The words before the first slash of a key say which dataset it is of, if any.
    run_id, model_id : str
        The run and its model.
    datasets : mapping of str to Dataset
        By context, such as "train".
    """
    from mlflow.entities import Metric

    metrics = []
    for point in points:
        dataset = datasets.get(point.key.partition("/")[0])
        name, digest = (dataset.name, dataset.digest) if dataset else (None, None)
        metrics.append(
            Metric(
                *point,
                model_id=model_id,
                dataset_name=name,
                dataset_digest=digest,
                run_id=run_id,
            )
        )
    return metrics
