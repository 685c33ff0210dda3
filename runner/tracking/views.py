"""Saved views: tables of runs in MLflow's user interface, with columns and order of our choice.

MLflow keeps a view as a tag of its experiment, in a form that its documentation does not tell.
"""

import base64
import json
import time
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runner.errors import TrackingError
from runner.tracking.sweep_charts import charts
from runner.tracking.tags import PARENT, STOP_REASON, SUPERSEDED

if TYPE_CHECKING:
    from mlflow import MlflowClient

TAG = "mlflow.sharedViewState."
NAME = "attributes.`Run Name`"
MAX_VIEW = 20_000  # characters; what MLflow takes for a tag of an experiment


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
    """Save the view of a sweep: its members, the best of the first metric first, and charts.

    What was saved is read back. Where the store does not give the charts back, as of a state that
    is too long for a tag, the view is saved without.

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

    Raises
    ------
    TrackingError
        If the store does not give the view back as it was saved.
    """
    plain = _state(members_of(run_id), params, metrics)
    for state in ({**plain, **charts(params, metrics)}, plain):
        text = _packed(title, state)
        if len(text) <= MAX_VIEW:
            client.set_experiment_tag(experiment_id, TAG + run_id, text)
            if unpacked(client.get_experiment(experiment_id).tags.get(TAG + run_id, "")) == state:
                return run_id
    raise TrackingError(
        f"The view of the sweep {run_id}",
        "be kept by the store as it was saved",
        got=f"another, for {len(params)} params and {len(metrics)} metrics",
        remedy="`runner runs` shows the members.",
    )


def _state(found: str, params: Sequence[str], metrics: Sequence[str]) -> dict[str, Any]:
    order = f"metrics.`{metrics[0]}`" if metrics else "attributes.start_time"
    columns = [*(f"metrics.`{key}`" for key in metrics), *(f"params.`{key}`" for key in params)]
    reason = f"tags.`{STOP_REASON}`"
    return {
        "searchFilter": found,
        "orderByKey": order,
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": [*columns, "attributes.`Duration`", reason],
        "columnOrder": ["0", NAME, *columns, "runDateAndNestInfo", "duration", reason],
        "columnWidths": {NAME: 240, reason: 200, **{name: _width(name) for name in columns}},
        "runsHiddenMode": "FIRST_20_RUNS",
        "hideEmptyCharts": True,
    }


def _width(column: str) -> int:
    """Return how wide a column must be for its name.

    Examples
    --------
    >>> _width("metrics.`holdout/r2`"), _width("params.`estimator.learning_rate_schedule`")
    (110, 278)
    """
    return min(max(8 * len(column.partition(".")[2]) + 6, 110), 280)


def _packed(title: str, state: Mapping[str, Any]) -> str:
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    now = time.time_ns() // 1_000_000
    view = {"name": title, "createdAt": now, "updatedAt": now, "state": f"deflate;{packed}"}
    return json.dumps(view)


def unpacked(text: str) -> dict[str, Any] | None:
    """Return the state of the table that a view's tag holds, None if it holds none.

    Examples
    --------
    >>> unpacked(_packed("Leaderboard", {"orderByAsc": False}))
    {'orderByAsc': False}
    >>> unpacked("{}"), unpacked(_packed("cut", {})[:-9])
    (None, None)
    """
    try:
        how, _, packed = json.loads(text)["state"].partition(";")
        state = json.loads(zlib.decompress(base64.b64decode(packed)))
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error):
        return None
    return state if how == "deflate" and isinstance(state, dict) else None
