"""What the record says of a sweep's members."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from runner.base import Scores
from runner.records import Outcome
from runner.tracking.record import RecordedRun
from runner.tracking.tags import DIFFERS, ERROR, KEY, NUMBER, RUNG, STOP_REASON

_SCORING = "evaluation.scoring"


def outcome_of(run: RecordedRun, url: str = "") -> Outcome:
    """Return how a member ended, as the record holds it; one that goes on is pending.

    Parameters
    ----------
    run : RecordedRun
        The member's run.
    url : str
        Where it can be looked at.
    """
    known = outcome(run.run_id, run.name, run.status, run.tags)
    return replace(known, scores=_in_order(run.scores, run.params), rows=run.rows, url=url)


def outcome(run_id: str, name: str, status: str, tags: Mapping[str, str]) -> Outcome:
    """Return what the tags of a member's run say."""
    return Outcome(
        number=_integer(tags.get(NUMBER)) or 0,
        name=name,
        key=tags.get(KEY, ""),
        params=_params(tags.get(DIFFERS, "")),
        status="PENDING" if status == "RUNNING" else status,
        run_id=run_id,
        stop_reason=tags.get(STOP_REASON),
        rung=_integer(tags.get(RUNG)),
        error=tags.get(ERROR),
    )


def _in_order(scores: Scores, params: Mapping[str, str]) -> Scores:
    """Put scores in the order in which they were asked for, which the store does not keep."""
    asked: Any = []
    with suppress(ValueError):
        asked = json.loads(params.get(_SCORING, "[]"))
    names = asked if isinstance(asked, list) else []
    return {name: scores[name] for name in dict.fromkeys([*names, *scores]) if name in scores}


def _params(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    return {}


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
