"""How the members of a sweep compare: in order, as a table, and as text."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from runner.records import Outcome
from runner.redaction import redacted
from runner.tracking.params import value_as_text

PATH = "sweep/leaderboard.json"
MOST_SHOWN = 20
MOST_TOLD = 10
GAP = "\u00a0\u00a0"  # MLflow's tables have no room between their columns
MOST_NAME, MOST_REASON = 70, 150  # characters, so that the description fits into a tag


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


def _column(key: str, taken: set[str]) -> str:
    return f"param/{key}" if key in taken else key.replace(".", "/")


def sweep_note(name: str, command: str, outcomes: Sequence[Outcome], error: str | None) -> str:
    """Write the description that MLflow shows on top of a sweep, in Markdown.

    Parameters
    ----------
    name : str
        What the sweep is called.
    command : str
        What repeats it, free of credentials.
    outcomes : sequence of Outcome
        How the members stand.
    error : str or None
        What ended the sweep itself, if something did.
    """
    failed = [o for o in outcomes if o.status not in ("FINISHED", "PENDING")]
    stopped = [o for o in ranked(outcomes) if o.status == "FINISHED" and o.stop_reason]
    parts = [
        _headline(name, outcomes),
        f"```text\n{error}\n```" if error else "",
        _best(outcomes),
        _told("Failed", [(o, o.error or o.status) for o in failed]),
        _told("Stopped early", [(o, o.stop_reason or "") for o in stopped]),
        f"To repeat it:\n\n```sh\n{command}\n```" if command else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _headline(name: str, outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return f"**{name}**, a sweep"
    n = counts(outcomes)
    some = [f"{n[kind]} {kind}" for kind in ("finished", "failed", "pending") if n[kind]]
    if n["stopped"]:
        some.insert(1, f"{n['stopped']} of them stopped early")
    members = f"{len(outcomes)} member{'' if len(outcomes) == 1 else 's'}"
    return f"**{name}**, a sweep of {members}: {', '.join(some)}"


def _best(outcomes: Sequence[Outcome]) -> str:
    names = scorers(outcomes)
    scored = [o for o in ranked(outcomes) if o.status == "FINISHED" and o.scores]
    if not scored:
        return ""
    lines = [_row(["", "member", *names, "rows"]), "|:--" * (len(names) + 3) + "|"]
    for place, outcome in enumerate(scored[:MOST_SHOWN], 1):
        scores = (_score(outcome.scores.get(name)) for name in names)
        lines.append(_row([str(place), _cell(outcome.name), *scores, f"{outcome.rows:,}"]))
    more = len(scored) - MOST_SHOWN
    rest = [f"and {more} more, in `{PATH}`"] if more > 0 else []
    return "\n\n".join(["\n".join(lines), *rest])


def _row(cells: Sequence[str]) -> str:
    return "".join(f"| {cell}{GAP} " for cell in cells) + "|"


def _told(title: str, told: Sequence[tuple[Outcome, str]]) -> str:
    if not told:
        return ""
    lines = [f"- `{_cell(o.name)}` {_cell(reason, MOST_REASON)}" for o, reason in told[:MOST_TOLD]]
    more = len(told) - MOST_TOLD
    if more > 0:
        lines.append(f"- and {more} more, in `{PATH}`")
    return f"{title}:\n\n" + "\n".join(lines)


def _cell(text: str, most: int = MOST_NAME) -> str:
    plain = redacted(" ".join(text.split()))
    return (plain if len(plain) <= most else f"{plain[:most]} ...").replace("|", "\\|")


def _score(score: float | None) -> str:
    return "-" if score is None else f"{score:.6g}"


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
