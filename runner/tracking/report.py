"""What a run tells a reader: what was asked, what came out, how to repeat it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import quote

from runner.base import Progress, Remark, Scores
from runner.pace import pace
from runner.records import Recipe
from runner.redaction import redacted
from runner.tracking.asked import Shape, asked_lines
from runner.tracking.leaderboard import GAP
from runner.tracking.markdown import fenced, plain, shortened

MOST = 7900  # characters: MLflow cuts a tag at 8000
MOST_NAME, MOST_COMMAND, MOST_ERROR, MOST_REASON = 120, 1200, 1500, 300
MOST_SCORES, MOST_REMARKS, MOST_LINKS = 20, 8, 12
TOLD_SCORES = 3  # in the first line
_LEAST_FIRST = ("where", "remarks", "asked", "scores")


@dataclass
class Story:
    """What is known of a run so far; the command and the error are free of credentials.

    ``resumed_by`` is the id that `runner resume` takes; ``resumed`` counts how often the run was
    gone on with, ``resumed_at`` after how many rows, where that is known. ``page`` is the address
    of the run's page from any page of the same server, ``store`` where the model can be loaded
    from, ``files`` the paths of the artifacts, ``epochs`` a table in Markdown.
    """

    name: str
    command: str
    recipe: Recipe | None = None
    sides: Mapping[str, Shape] = field(default_factory=dict)
    scores: Scores = field(default_factory=dict)
    held_out_rows: int = 0
    progress: Progress | None = None
    seconds: float | None = None
    model: str | None = None
    error: str | None = None
    interruption: str | None = None
    remarks: list[Remark] = field(default_factory=list)
    status: str | None = None
    run_id: str = ""
    resumed_by: str = ""
    resumed: int = 0
    resumed_at: tuple[int, ...] = ()
    page: str = ""
    store: str = ""
    files: Sequence[str] = ()
    epochs: str = ""


def note(story: Story) -> str:
    """Write the description that MLflow shows on top of the run, in Markdown.

    It fits into a tag: what is least needed is left out where there is too much.
    """
    parts = _parts(story)
    for name in _LEAST_FIRST:
        if len(_joined(parts)) <= MOST:
            break
        del parts[name]
    return _joined(parts)


def model_note(story: Story) -> str:
    """Write the description that MLflow shows on top of the model, in Markdown."""
    return _joined({"load": _load(story), "asked": _asked(story), "scores": _scores(story)})


def report(story: Story, url: str, files: Sequence[str]) -> str:
    """Write the whole report, in Markdown.

    Parameters
    ----------
    story : Story
        What is known of the run.
    url : str
        Where the run can be looked at.
    files : sequence of str
        The paths of the run's artifacts.
    """
    kept = "\n".join(f"- `{path}`" for path in files)
    parts = {**_parts(story), "repeat": _repeat(story, most=None)}
    del parts["where"]
    return (
        _joined(
            {
                "title": f"# {plain(story.name, MOST_NAME)}",
                **parts,
                "epochs": f"#### **Epochs**\n\n{story.epochs}" if story.epochs else "",
                "resumed": _resumed(story),
                "model": f"Model: `{story.model}`" if story.model else "",
                "files": f"Files:\n\n{kept}" if kept else "",
                "record": f"Record: {url}",
            }
        )
        + "\n"
    )


def _parts(story: Story) -> dict[str, str]:
    """Return the description, part by part, in the order of reading."""
    failed = story.status in ("FAILED", "KILLED")
    go_on = {"go_on": _go_on(story)}
    return {
        "headline": _headline(story),
        "error": fenced("text", shortened(story.error, MOST_ERROR)) if story.error else "",
        **(go_on if failed else {}),
        "asked": _asked(story),
        "scores": _scores(story),
        "remarks": _remarks(story),
        "repeat": _repeat(story, MOST_COMMAND),
        "load": _load(story),
        "where": _where(story),
        **go_on,
    }


def _joined(parts: Mapping[str, str]) -> str:
    return redacted("\n\n".join(part for part in parts.values() if part))


def _headline(story: Story) -> str:
    name = f"**{plain(story.name, MOST_NAME)}**"
    seconds = "" if story.seconds is None else f" after {story.seconds:,.1f} s"
    if story.status == "FINISHED":
        best = list(story.scores.items())[:TOLD_SCORES]
        scores = ", ".join(f"{plain(scorer, MOST_NAME)} {score:.4g}" for scorer, score in best)
        rows = f": {scores} on {story.held_out_rows:,} held-out rows" if scores else ""
        return f"{name} finished{seconds.replace('after', 'in')}{rows}"
    if story.status == "KILLED":
        why = f" ({plain(story.interruption, MOST_REASON)})" if story.interruption else ""
        return f"{name} was stopped before its end{seconds}{why}"
    return f"{name} failed{seconds}" if story.status else f"{name} has begun"


def _asked(story: Story) -> str:
    lines = asked_lines(story.recipe.params if story.recipe else {}, story.sides)
    return "\n".join(["#### **What was asked**", "", *lines]) if lines else ""


def _scores(story: Story) -> str:
    parts = [part for part in (_score_table(story), _learned(story)) if part]
    return "\n\n".join(["#### **What came out**", *parts]) if parts else ""


def _score_table(story: Story) -> str:
    if not story.scores:
        return ""
    progressive = story.progress.scores if story.progress else {}
    rows = [["score", f"{story.held_out_rows:,} held-out rows", "progressive"]]
    for name, score in list(story.scores.items())[:MOST_SCORES]:
        learned = f"{progressive[name]:.6g}" if name in progressive else ""
        rows.append([plain(name, MOST_NAME), f"{score:.6g}", learned])
    head, *lines = (f"| {f'{GAP} | '.join(cells)} |" for cells in rows)
    return "\n".join([head, "|:--|:--|:--|", *lines])


def _remarks(story: Story) -> str:
    told = story.remarks[:MOST_REMARKS]
    lines = [
        f"- **{plain(each.name, MOST_NAME)}** {plain(each.text, MOST_REASON)}" for each in told
    ]
    more = len(story.remarks) - len(told)
    return "\n".join([*lines, *([f"- and {more} more, among the tags"] if more > 0 else [])])


def _repeat(story: Story, most: int | None) -> str:
    run, command = story.run_id, story.command
    if most is not None and len(command) > most:
        command = "# the command is long: it is in report.md"
    lines = [command] if command else []
    if run and command:
        lines += [f"runner reproduce {run}"]
    if run and story.model:
        lines += [f"runner predict {run} output=predicted"]
    return f"#### **How to repeat it**\n\n{fenced('sh', chr(10).join(lines))}" if lines else ""


def _load(story: Story) -> str:
    if not story.model:
        return ""
    store = [f'mlflow.set_tracking_uri("{story.store}")'] if story.store else []
    load = f'model = mlflow.sklearn.load_model("{story.model}")'
    return fenced("python", "\n".join(["import mlflow", "", *store, load]))


def _where(story: Story) -> str:
    links = [_link(story.page, path) for path in _worth_a_look(story.files)] if story.page else []
    return f"#### **Where to look**\n\n{', '.join(links)}" if links else ""


def _worth_a_look(files: Sequence[str]) -> list[str]:
    plots = [path for path in files if path.startswith("plots/")][:MOST_LINKS]
    others = ("ledger/blocks.json", "report.md", "config/config.yaml", "logs/error.txt")
    return [*plots, *(path for path in others if path in files)]


def _link(page: str, path: str) -> str:
    text = PurePosixPath(path).stem.replace("_", " ") if path.startswith("plots/") else path
    return f"[{text}]({page.replace('?', f'/artifacts/{quote(path)}?', 1)})"


def _go_on(story: Story) -> str:
    if story.status == "FINISHED" or not story.resumed_by:
        return ""
    when = "To go on with it:" if story.status else "To go on with it, should it not end well:"
    return f"{when}\n\n{fenced('sh', f'runner resume {story.resumed_by}')}"


def _resumed(story: Story) -> str:
    if not story.resumed:
        return ""
    often = "once" if story.resumed == 1 else f"{story.resumed} times"
    rows = " and ".join(f"{rows:,}" for rows in story.resumed_at)
    return f"Resumed {often}{f', after {rows} rows' if rows else ''}."


def _learned(story: Story) -> str:
    progress = story.progress
    if progress is None:
        return ""
    lines = [
        f"Learned {progress.rows:,} rows in {progress.blocks:,} blocks and "
        f"{progress.epoch} of {progress.epochs} epochs: {progress.fit_s:.1f} s of fitting, "
        f"{progress.load_s:.1f} s of loading{pace(progress).bound_told}."
    ]
    if progress.empty_blocks:
        lines.append(f"Empty blocks, skipped: {progress.empty_blocks:,}.")
    if progress.bad_blocks:
        lines.append(f"Bad blocks, passed over: {progress.bad_blocks:,}.")
    if progress.best_rows is not None:
        lines.append(f"Kept as it was after {progress.best_rows:,} rows, when it was best.")
    if progress.stop_reason:
        lines.append(f"Stopped early: {plain(progress.stop_reason, MOST_REASON)}.")
    return " ".join(lines)
