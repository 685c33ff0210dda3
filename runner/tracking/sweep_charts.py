"""The charts of a saved view, as MLflow's user interface keeps them; it documents none of this."""

from collections.abc import Sequence
from typing import Any

SHOWN = 100  # runs; MLflow draws no more of them at a time
MOST_AXES = 8
_FIRST = "Leaderboard"
_FOLDED = ("holdout", "train", "validation", "progress", "time", "Model metrics", "System metrics")


def charts(params: Sequence[str], metrics: Sequence[str]) -> dict[str, Any]:
    """Return what of a view's state lets its charts open on how the members compare.

    These are the first score as bars, it beside the params that differ as parallel coordinates,
    its curves over the rows, and it over the time of the fit. What no member has MLflow hides.

    Parameters
    ----------
    params, metrics : sequence of str
        What differs between members, and what they are compared by; the first metric decides.

    Examples
    --------
    >>> state = charts(["estimator.alpha"], ["holdout/r2"])
    >>> [card["type"] for card in state["compareRunCharts"]]
    ['BAR', 'PARALLEL', 'LINE', 'LINE', 'SCATTER']
    >>> [section["name"] for section in state["compareRunSections"] if section["display"]]
    ['Leaderboard']
    >>> charts(["estimator.alpha"], [])
    {}
    """
    if not metrics or not metrics[0].startswith("holdout/"):
        return {}
    sections = [_section(name, is_open=name == _FIRST) for name in (_FIRST, *_FOLDED)]
    cards = _cards(metrics[0], params[:MOST_AXES])
    return {
        "compareRunCharts": [{**_card(number), **card} for number, card in enumerate(cards)],
        "compareRunSections": sections,
        "isAccordionReordered": True,  # else the sections are sorted by name
        "useGroupedValuesInCharts": True,
        "autoRefreshEnabled": True,
        "globalLineChartConfig": _LINES,
    }


_LINES = {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""}


def _cards(score: str, params: Sequence[str]) -> list[dict[str, Any]]:
    name = score.partition("/")[2]
    parallel = {"selectedParams": list(params), "selectedMetrics": [score], "showAllRuns": True}
    scatter = {
        axis: {"key": key, "type": "METRIC"}
        for axis, key in (("xaxis", "time/fit_s"), ("yaxis", score))
    }
    return [
        {"type": "BAR", "metricKey": score},
        *([{"type": "PARALLEL", **parallel}] if params else []),
        {"type": "LINE", "metricKey": f"train/progressive_{name}", **_LINE},
        {"type": "LINE", "metricKey": f"validation/{name}", **_LINE},
        {"type": "SCATTER", **scatter},
    ]


_LINE = {
    **_LINES,
    "xAxisScaleType": "linear",
    "scaleType": "linear",
    "range": {},
    "yAxisKey": "metric",
    "yAxisExpressions": [],
    "ignoreOutliers": False,
    "useGlobalXaxisKey": True,
    "useGlobalLineSmoothing": True,
}


def _card(number: int) -> dict[str, Any]:
    return {
        "uuid": f"runner-chart-{number}",
        "metricSectionId": f"runner-section-{_FIRST}",
        "runsCountToCompare": SHOWN,
        "deleted": False,
        "isGenerated": False,
    }


def _section(name: str, *, is_open: bool) -> dict[str, Any]:
    return {
        "uuid": f"runner-section-{name}",
        "name": name,
        "display": is_open,
        "isReordered": False,
        "deleted": False,
        "isGenerated": not is_open,
    }
