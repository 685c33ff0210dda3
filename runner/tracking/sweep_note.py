"""The description of a sweep, which MLflow shows on top of its page."""

from collections.abc import Sequence

from runner.records import Outcome
from runner.redaction import redacted
from runner.tracking.leaderboard import GAP, PATH, best, counts, ranked, scorers
from runner.tracking.markdown import code, fenced, plain, shortened
from runner.tracking.params import value_as_text

MOST = 8000  # characters of a tag
SIZES = (20, 10, 5, 3, 1, 0)  # rows of the table, and half as many reasons
MOST_NAME, MOST_REASON, MOST_ERROR, MOST_COMMAND = 70, 150, 1000, 1200
MOST_PARAMS, MOST_SCORES = 12, 8


def sweep_note(
    name: str,
    command: str,
    outcomes: Sequence[Outcome],
    error: str | None,
    *,
    page: str = "",
    pictures: Sequence[str] = (),
) -> str:
    """Write the description that MLflow shows on top of a sweep, in Markdown.

    It fits into a tag: as many rows of the table and as many reasons are told as there is room.

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
    page : str
        The page of the sweep in MLflow's user interface, from its hash on; beside it are those of
        the members. Without it nothing is linked.
    pictures : sequence of str
        The paths of its pictures, where there are some.
    """
    failed = [o for o in outcomes if o.status not in ("FINISHED", "PENDING")]
    stopped = [o for o in ranked(outcomes) if o.status == "FINISHED" and o.stop_reason]
    note = ""
    for size in SIZES:
        parts = [
            _headline(name, outcomes),
            fenced("text", shortened(error, MOST_ERROR)) if error else "",
            _winner(outcomes, page.rpartition("/")[0]),
            _table(outcomes, size),
            _drawn(pictures, page),
            _told("Failed", [(o, o.error or o.status) for o in failed], size // 2),
            _told("Stopped early", [(o, o.stop_reason or "") for o in stopped], size // 2),
            f"To repeat it:\n\n{fenced('sh', _repeat(command))}" if command else "",
        ]
        note = "\n\n".join(part for part in parts if part)
        if len(note) <= MOST:
            break
    return note[:MOST]


def _repeat(command: str) -> str:
    return command if len(command) <= MOST_COMMAND else "# the command is long: it is under Source"


def _headline(name: str, outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return f"**{_shown(name)}**, a sweep"
    n = counts(outcomes)
    some = [f"{n[kind]} {kind}" for kind in ("finished", "failed", "pending") if n[kind]]
    if n["stopped"]:
        some.insert(1, f"{n['stopped']} of them stopped early")
    members = f"{len(outcomes)} member{'' if len(outcomes) == 1 else 's'}"
    return f"**{_shown(name)}**, a sweep of {members}: {', '.join(some)}"


def _winner(outcomes: Sequence[Outcome], pages: str) -> str:
    found = best(outcomes)
    if found is None:
        return ""
    names = scorers(outcomes)[:MOST_SCORES]
    scores = ", ".join(f"{name} **{_score(found.scores.get(name))}**" for name in names)
    called = _shown(found.name)
    if pages and found.run_id:
        called = f"[{called}]({pages}/{found.run_id})"
    lines = [f"Best: {called}, {scores}{_lead(outcomes, found, names[0])}"]
    if found.params:
        shown = list(found.params.items())[:MOST_PARAMS]
        told = [f"{_code(key)} = {_code(value_as_text(value))}" for key, value in shown]
        lines.append("Set to " + ", ".join(told))
    if found.run_id:
        lines.append(f"Again, alone: `runner reproduce {found.run_id[:8]}`")
    return "\n\n".join(lines)


def _lead(outcomes: Sequence[Outcome], found: Outcome, scorer: str) -> str:
    """Tell how far ahead of the second the best one is."""
    others = [o for o in ranked(outcomes) if o.number != found.number and _is_scored(o, scorer)]
    if not others:
        return ""
    lead = found.scores[scorer] - others[0].scores[scorer]
    second = _shown(others[0].name)
    return f"; {lead:.3g} ahead of {second}" if lead > 0 else f"; level with {second}"


def _is_scored(outcome: Outcome, scorer: str) -> bool:
    score = outcome.scores.get(scorer)
    return outcome.status == "FINISHED" and score is not None and score == score  # noqa: PLR0124


def _table(outcomes: Sequence[Outcome], most: int) -> str:
    names = scorers(outcomes)
    scored = [o for o in ranked(outcomes) if o.status == "FINISHED" and o.scores]
    if not scored or not most:
        return ""
    lines = [_row(["", "member", *names, "rows"]), "|:--" * (len(names) + 3) + "|"]
    for place, outcome in enumerate(scored[:most], 1):
        scores = (_score(outcome.scores.get(name)) for name in names)
        lines.append(_row([str(place), _shown(outcome.name), *scores, f"{outcome.rows:,}"]))
    more = len(scored) - most
    rest = [f"and {more} more, in `{PATH}`"] if more > 0 else []
    return "\n\n".join(["\n".join(lines), *rest])


def _row(cells: Sequence[str]) -> str:
    return "".join(f"| {cell}{GAP} " for cell in cells) + "|"


def _drawn(pictures: Sequence[str], page: str) -> str:
    """Show the pictures, each of which leads to its artifact."""
    if not page:
        return ", ".join(f"`{path}`" for path in pictures)
    query = f"run_uuid={page.rpartition('/')[2]}&path="
    return "\n\n".join(
        f"[![{path}](get-artifact?{query}{path})]({page}/artifacts/{path})" for path in pictures
    )


def _told(title: str, told: Sequence[tuple[Outcome, str]], most: int) -> str:
    if not told:
        return ""
    lines = [f"- {_code(o.name)} {_shown(reason, MOST_REASON)}" for o, reason in told[:most]]
    more = len(told) - most
    if more > 0:
        lines.append(f"- {'and ' if lines else ''}{more} more, in `{PATH}`")
    return f"{title}:\n\n" + "\n".join(lines)


def _shown(text: str, most: int = MOST_NAME) -> str:
    return plain(redacted(text), most)


def _code(text: str) -> str:
    return code(redacted(text), MOST_NAME)


def _score(score: float | None) -> str:
    return "-" if score is None else f"{score:.6g}"
