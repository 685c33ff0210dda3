"""How the members of a sweep compare: in order, and as a table."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from runner.records import Outcome
from runner.tracking.params import key_of, value_as_text
from runner.tracking.tags import BEST, BEST_RUN

PATH = "sweep/leaderboard.json"
GAP = "\u00a0\u00a0"  # MLflow's tables have no room between their columns


def scorers(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the scorers that some member has a score of; the first one decides.

    Examples
    --------
    >>> one, other = {"r2": 0.5}, {"r2": 0.4, "max_error": -2.0}
    >>> pending = Outcome(number=0, name="a", key="a")
    >>> made = [Outcome(number=i, name="", key="", scores=s) for i, s in enumerate((one, other))]
    >>> scorers([pending, *made])
    ['r2', 'max_error']
    """
    return list(dict.fromkeys(name for outcome in outcomes for name in outcome.scores))


def differing(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the dotted keys of what differs between members."""
    return list(dict.fromkeys(key for outcome in outcomes for key in outcome.params))


def ranked(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Put the members in order: the greatest score of the first scorer first.

    Members that did not finish, or whose score is missing or NaN, come last, by their number.

    Examples
    --------
    >>> def member(number, score, status="FINISHED"):
    ...     scores = {"r2": score}
    ...     return Outcome(number=number, name="", key="", scores=scores, status=status)
    >>> members = [member(0, 0.5), member(1, float("nan")), member(2, 0.75)]
    >>> [outcome.number for outcome in ranked([*members, member(3, 1.0, "FAILED")])]
    [2, 0, 1, 3]
    """
    first = next(iter(scorers(outcomes)), "")
    return sorted(outcomes, key=lambda outcome: (-_value(outcome, first), outcome.number))


def best(outcomes: Sequence[Outcome]) -> Outcome | None:
    """Return the member that is first in order, if it finished with a score."""
    for outcome in ranked(outcomes)[:1]:
        if _value(outcome, next(iter(scorers(outcomes)), "")) > -math.inf:
            return outcome
    return None


def counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return how many members finished, of these stopped early, failed, and are to come.

    Examples
    --------
    >>> counts([Outcome(number=0, name="", key=""), Outcome(number=1, name="", key="")])
    {'finished': 0, 'stopped': 0, 'failed': 0, 'pending': 2}
    """
    known = list(outcomes)
    finished = [outcome for outcome in known if outcome.status == "FINISHED"]
    pending = sum(outcome.status == "PENDING" for outcome in known)
    return {
        "finished": len(finished),
        "stopped": sum(bool(outcome.stop_reason) for outcome in finished),
        "failed": len(known) - len(finished) - pending,
        "pending": pending,
    }


def table(outcomes: Sequence[Outcome]) -> dict[str, list[Any]]:
    """Return the members in order as MLflow keeps a table: names of columns, and rows.

    What is JSON's own stays as it is, NaN is null, and other values are told as text. The keys of
    what differs have a slash for each dot, because MLflow shows columns with dots empty.
    """
    keys, names = differing(outcomes), scorers(outcomes)
    shown = ("rung", "stop_reason", "error", "run_id")
    told = [name for name in shown if any(getattr(o, name) is not None for o in outcomes)]
    rows = [
        [
            *(place, outcome.name, outcome.status),
            *(_plain(outcome.scores.get(name)) for name in names),
            *(outcome.rows, outcome.number),
            *(_plain(outcome.params.get(key)) for key in keys),
            *(_plain(getattr(outcome, name)) for name in told),
        ]
        for place, outcome in enumerate(ranked(outcomes), 1)
    ]
    own = ["rank", "name", "status", *names, "rows", "member"]
    params = [_column(key, {*own, *told}) for key in keys]
    return {"columns": [*own, *params, *told], "data": rows}


def best_tags(outcomes: Sequence[Outcome], known: Iterable[str]) -> dict[str, str]:
    """Return the tags that tell the best member and what it differs in.

    Parameters
    ----------
    outcomes : sequence of Outcome
        How the members stand.
    known : iterable of str
        The names of tags that are set; what an earlier best one differed in is emptied.

    Examples
    --------
    >>> best_tags([], ["runner.best.alpha", "runner.kind"])
    {'runner.best.alpha': ''}
    """
    found = best(outcomes)
    stale = {key: "" for key in known if key.startswith(BEST)}
    if found is None:
        return stale
    params = {BEST + key_of(key): value_as_text(value) for key, value in found.params.items()}
    return {**stale, **params, BEST_RUN: found.run_id}


def _column(key: str, taken: set[str]) -> str:
    return f"param/{key}" if key in taken else key.replace(".", "/")


def _value(outcome: Outcome, scorer: str) -> float:
    score = outcome.scores.get(scorer, math.nan)
    is_known = outcome.status == "FINISHED" and not math.isnan(score)
    return score if is_known else -math.inf


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    return value_as_text(value)
