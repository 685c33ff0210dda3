"""What a run tells a reader: what was asked, what came out, how to repeat it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from runner.base import Progress, Remark, Scores
from runner.records import Recipe


@dataclass
class Story:
    """What is known of a run so far; the command and the error are free of credentials.

    ``resumed_by`` is the id that `runner resume` takes; ``resumed`` counts how often the run was
    gone on with, ``resumed_at`` after how many rows, where that is known.
    """

    name: str
    command: str
    recipe: Recipe | None = None
    scores: Scores = field(default_factory=dict)
    held_out_rows: int = 0
    progress: Progress | None = None
    model: str | None = None
    error: str | None = None
    remarks: list[Remark] = field(default_factory=list)
    status: str | None = None
    resumed_by: str = ""
    resumed: int = 0
    resumed_at: tuple[int, ...] = ()


def note(story: Story) -> str:
    """Write the description that MLflow shows on top of the run, in Markdown."""
    parts = [
        *(_asked(story), _scores(story), _remarks(story), _error(story)),
        *(_repeat(story), _go_on(story)),
    ]
    return "\n\n".join(part for part in parts if part)


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
    parts = [
        f"# {story.name}",
        note(story),
        _learned(story),
        _resumed(story),
        f"Model: `{story.model}`" if story.model else "",
        f"Files:\n\n{kept}" if kept else "",
        f"Record: {url}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _asked(story: Story) -> str:
    params = story.recipe.params if story.recipe else {}
    nouns = [
        f"{noun} `{str(params[key]).rpartition('.')[2]}`"
        for noun in ("estimator", "dataset")
        if (key := f"{noun}._target_") in params
    ]
    return ", ".join([f"**{story.name}**", *nouns, *([story.status] if story.status else [])])


def _scores(story: Story) -> str:
    if not story.scores:
        return ""
    rows = "\n".join(f"| {name} | {score:.6g} |" for name, score in story.scores.items())
    return f"| on {story.held_out_rows:,} held-out rows | |\n|---|---|\n{rows}"


def _remarks(story: Story) -> str:
    return "\n".join(f"- **{remark.name}** {remark.text}" for remark in story.remarks)


def _error(story: Story) -> str:
    return f"```text\n{story.error}\n```" if story.error else ""


def _repeat(story: Story) -> str:
    return f"To repeat it:\n\n```sh\n{story.command}\n```" if story.command else ""


def _go_on(story: Story) -> str:
    if story.status not in ("FAILED", "KILLED") or not story.resumed_by:
        return ""
    return f"To go on with it:\n\n```sh\nrunner resume {story.resumed_by}\n```"


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
        f"{progress.load_s:.1f} s of loading."
    ]
    if progress.empty_blocks:
        lines.append(f"Empty blocks, skipped: {progress.empty_blocks:,}.")
    if progress.bad_blocks:
        lines.append(f"Bad blocks, passed over: {progress.bad_blocks:,}.")
    if progress.best_rows is not None:
        lines.append(f"Kept as it was after {progress.best_rows:,} rows, when it was best.")
    if progress.stop_reason:
        lines.append(f"Stopped early: {progress.stop_reason}.")
    return " ".join(lines)
