"""The names of the tags that runs carry beside MLflow's own."""

import json
from collections.abc import Mapping
from typing import Any

from runner.redaction import redacted

PARENT = "mlflow.parentRunId"
NOTE = "mlflow.note.content"
TABLES = "mlflow.loggedArtifacts"
COLOUR = "mlflow.runColor"

KIND = "runner.kind"
RUN, SWEEP, MEMBER = "run", "sweep", "member"

ESTIMATOR = "runner.estimator"
DATASET = "runner.dataset"

ERROR = "runner.error"
STOP_REASON = "runner.stop_reason"
NONFINITE = "runner.nonfinite"
PROCESS = "runner.process"
REMARK = "runner.remark."

RESUMED = "runner.resumed"
RESUMED_AT = "runner.resumed_at"

MODEL_HASH = "runner.model_hash"
ORDER_HASH = "runner.order_hash"
CONTENT = "runner.content."
BAD_BLOCKS = "runner.bad_blocks"
ENDING = (ERROR, STOP_REASON, NONFINITE, MODEL_HASH, ORDER_HASH, BAD_BLOCKS)

NUMBER = "runner.member"
KEY = "runner.member_key"
DIFFERS = "runner.member_params"
RUNG = "runner.rung"
HALVING = "runner.halving"
SUPERSEDED = "runner.superseded_by"

MEMBERS = "runner.members"
VIEW = "runner.view"
BEST_RUN = "runner.best_run"
BEST = "runner.best."


def member_tags(number: int, key: str, params: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags by which a member of a sweep is found again.

    Parameters
    ----------
    number : int
        Which member, counted from 0.
    key : str
        The hash of its composed config.
    params : mapping of str to object
        What differs between members, by dotted key.

    Examples
    --------
    >>> member_tags(3, "5f2a", {"estimator.alpha": 0.1})[DIFFERS]
    '{"estimator.alpha": 0.1}'
    """
    differs = json.dumps(dict(params), ensure_ascii=False, default=str)
    return {NUMBER: str(number), KEY: key, DIFFERS: redacted(differs)}


def times_resumed(tags: Mapping[str, str]) -> int:
    """Return how often a run was gone on with.

    Examples
    --------
    >>> times_resumed({}), times_resumed({RESUMED: "2"})
    (0, 2)
    """
    told = tags.get(RESUMED, "")
    return int(told) if told.isdecimal() else 0


def rows_resumed_at(tags: Mapping[str, str]) -> tuple[int, ...]:
    """Return after how many learned rows a run was gone on with, each time that it was.

    Examples
    --------
    >>> rows_resumed_at({}), rows_resumed_at({RESUMED_AT: "1200,3400"})
    ((), (1200, 3400))
    """
    told = tags.get(RESUMED_AT, "").split(",")
    return tuple(int(rows) for rows in told if rows.isdecimal())
