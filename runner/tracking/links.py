"""Addresses of pages in MLflow's user interface."""

import json
from collections.abc import Iterable
from urllib.parse import urlencode

# Without all of these keys the page resets them; without the workflow it opens another product's
# overview.
_RUNS_TABLE = {
    "workflowType": "machine_learning",
    "searchFilter": "",
    "orderByKey": "attributes.start_time",
    "orderByAsc": "false",
    "startTime": "ALL",
    "lifecycleFilter": "Active",
    "modelVersionFilter": "All Runs",
    "datasetsFilter": "W10=",
}


def run_page(base_url: str, experiment_id: str, run_id: str) -> str:
    """Return the address of a run's page.

    Examples
    --------
    >>> run_page("http://127.0.0.1:5000/", "1", "abc")
    'http://127.0.0.1:5000/#/experiments/1/runs/abc?workflowType=machine_learning'
    """
    query = urlencode({"workflowType": _RUNS_TABLE["workflowType"]})
    return f"{base_url.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}?{query}"


def runs_page(base_url: str, experiment_id: str) -> str:
    """Return the address of the table of an experiment's runs."""
    query = urlencode(_RUNS_TABLE)
    return f"{base_url.rstrip('/')}/#/experiments/{experiment_id}/runs?{query}"


def view_page(base_url: str, experiment_id: str, key: str) -> str:
    """Return the address of a table of runs with the columns and the order of a saved view.

    Examples
    --------
    >>> view_page("http://h:1", "3", "ab").partition("?")[2]
    'workflowType=machine_learning&viewStateShareKey=ab'
    """
    asked = {"workflowType": _RUNS_TABLE["workflowType"], "viewStateShareKey": key}
    return f"{base_url.rstrip('/')}/#/experiments/{experiment_id}/runs?{urlencode(asked)}"


def compare_page(base_url: str, experiment_ids: Iterable[str], run_ids: Iterable[str]) -> str:
    """Return the address of the page that puts runs side by side.

    Examples
    --------
    >>> compare_page("http://h:1", ["3"], ["ab"])
    'http://h:1/#/compare-runs?runs=%5B%22ab%22%5D&experiments=%5B%223%22%5D'
    """
    named = {"runs": list(run_ids), "experiments": list(dict.fromkeys(experiment_ids))}
    query = urlencode({key: json.dumps(ids, separators=(",", ":")) for key, ids in named.items()})
    return f"{base_url.rstrip('/')}/#/compare-runs?{query}"
