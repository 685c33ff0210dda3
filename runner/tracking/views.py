"""Saved views: tables of runs in MLflow's user interface, with columns and order of our choice.

MLflow keeps a view as a tag of its experiment, in a form that its documentation does not tell.
"""

import base64
import json
import time
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from runner.tracking.tags import PARENT, STOP_REASON, SUPERSEDED

if TYPE_CHECKING:
    from mlflow import MlflowClient

TAG = "mlflow.sharedViewState."


def members_of(run_id: str) -> str:
    """Return the filter that finds the members of a sweep, each of them once.

    Examples
    --------
    >>> members_of("ab")
    "tags.`mlflow.parentRunId` = 'ab' AND tags.`runner.superseded_by` IS NULL"
    """
    return f"tags.`{PARENT}` = '{run_id}' AND tags.`{SUPERSEDED}` IS NULL"


def save_view(
    client: "MlflowClient",
    experiment_id: str,
    run_id: str,
    title: str,
    *,
    params: Sequence[str],
    metrics: Sequence[str],
) -> str:
    """Save the view of a sweep: its members, the best of the first metric first.

    Parameters
    ----------
    client : MlflowClient
        How to reach the store.
    experiment_id, run_id : str
        The sweep and its experiment.
    title : str
        What the view is called.
    params, metrics : sequence of str
        The columns.

    Returns
    -------
    str
        The key of the view; the same for the same sweep.
    """
    order = f"metrics.`{metrics[0]}`" if metrics else "attributes.start_time"
    columns = [*(f"params.`{key}`" for key in params), *(f"metrics.`{key}`" for key in metrics)]
    state = {
        "searchFilter": members_of(run_id),
        "orderByKey": order,
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": ["attributes.`Duration`", *columns, f"tags.`{STOP_REASON}`"],
        "runsHiddenMode": "FIRST_20_RUNS",
        "hideEmptyCharts": True,
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    now = time.time_ns() // 1_000_000
    view = {"name": title, "createdAt": now, "updatedAt": now, "state": f"deflate;{packed}"}
    client.set_experiment_tag(experiment_id, TAG + run_id, json.dumps(view))
    return run_id
