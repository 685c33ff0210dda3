"""What a person sees of configs, plans, results and records."""

import json
import sys
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from runner.pace import pace
from runner.redaction import redacted
from runner.steps import listener

if TYPE_CHECKING:
    from runner.base import Part, Split
    from runner.experiment import Experiment
    from runner.pace import Pace
    from runner.prediction.job import Prediction
    from runner.reproduction.job import Reproduction
    from runner.tracking.finding import Finding
    from runner.trial import Result


LARGE = 1e6
MOST_COLUMNS = 8
WIDEST = 10_000  # characters
MINUTES = 120.0  # seconds, from which on they are told in hours, minutes and seconds
STYLES = {"failed": "red", "killed": "red", "stopped": "yellow"}
VERDICTS = {"identical": "green", "differs": "red", "unknown": "yellow"}


def show_config(text: str) -> None:
    """Write a composed config as YAML, coloured on a terminal."""
    console = Console()
    if console.is_terminal:
        console.print(Syntax(text.rstrip(), "yaml", background_color="default"))
    else:
        sys.stdout.write(text)


def show_plan(experiment: "Experiment", split: "Split") -> None:
    """Write what a run would do."""
    show_pairs(plan_of(experiment, split))
    sys.stdout.write("dry run: nothing was learned or logged\n")


def plan_of(experiment: "Experiment", split: "Split") -> list[tuple[str, str]]:
    """Return what a run would do, as names and words."""
    train, holdout, validation = split
    return [
        ("experiment", experiment.name),
        ("dataset", f"{type(experiment.dataset).__name__}, {_width(train)}"),
        ("train", _extent(train)),
        *([] if validation is None else [("validation", _extent(validation))]),
        ("holdout", "none" if holdout is None else _extent(holdout)),
        *(
            (f"preprocessing.{name}", type(stage).__name__)
            for name, stage in experiment.preprocessing.items()
        ),
        ("estimator", _one_line(experiment.estimator)),
        (
            "partial_fit",
            _one_line(dict(experiment.partial_fit)) if experiment.partial_fit else "-",
        ),
        ("epochs", str(experiment.fit.epochs)),
        ("scores", ", ".join(_scorers(experiment, train)) or "none"),
        *_cluster_row(experiment),
    ]


def show_result(experiment: "Experiment", result: "Result") -> None:
    """Write the scores of a run and where to look at it."""
    progress = result.progress
    rows = [(name, score_text(score)) for name, score in result.scores.items()]
    if not rows:
        rows.append(("scores", _why_none(experiment)))
    learned = f"{progress.rows:,} rows in {count(progress.blocks, 'block')}"
    rows.append(("learned", f"{learned}, {count(progress.epoch, 'epoch')}"))
    if progress.empty_blocks:
        rows.append(("skipped", count(progress.empty_blocks, "empty block")))
    if progress.best_rows is not None:
        rows.append(("best", f"after {progress.best_rows:,} rows: evaluated and logged as then"))
    if progress.stop_reason:
        rows.append(("stopped", progress.stop_reason))
    rows += [*_cluster_row(experiment), *_pace_rows(pace(progress, listener()))]
    if result.run_id:
        rows.append(("run", result.run_id))
    if result.url:
        rows.append(("record", result.url))
    if result.run_id:
        rows.append(("look", f"runner ui {result.run_id[:8]}"))
        rows.append(("again", f"runner reproduce {result.run_id[:8]}"))
    sys.stdout.write(f"{redacted(experiment.name)}\n")
    show_pairs(rows, {**dict.fromkeys(result.scores, "bold"), "stopped": STYLES["stopped"]})


def _cluster_row(experiment: "Experiment") -> list[tuple[str, str]]:
    return [("cluster", told)] if (told := experiment.cluster.told) else []


def _pace_rows(taken: "Pace") -> list[tuple[str, str]]:
    """Say where the time went, and how fast rows were learned, as far as it is known."""
    rows = []
    if taken.load_s or taken.fit_s:
        parts = [("load", taken.load_s), ("fit", taken.fit_s), ("evaluate", taken.evaluate_s)]
        told = ", ".join(f"{name} {seconds_text(s)}" for name, s in parts if s is not None)
        whole = "" if taken.total_s is None else f"{seconds_text(taken.total_s)} in all; "
        rows.append(("time", f"{whole}{told}"))
    if taken.rows_per_s:
        rows.append(("speed", f"{taken.rows_per_s:,.0f} rows/s{taken.bound_told}"))
    return rows


def show_prediction(prediction: "Prediction") -> None:
    """Write what was predicted and where it is."""
    sys.stdout.write("prediction\n")
    columns = ", ".join(prediction.columns[:MOST_COLUMNS])
    more = len(prediction.columns) - MOST_COLUMNS
    show_pairs(
        [
            ("rows", f"{prediction.rows:,} in {count(prediction.blocks, 'block')}"),
            ("columns", f"{columns} and {more} more" if more > 0 else columns),
            ("run", prediction.run_id),
            ("model", prediction.model),
            ("folder", str(prediction.folder)),
        ]
    )


def show_comparison(reproduction: "Reproduction") -> None:
    """Write how a run compares with the one that it repeats, and what changed since."""
    run, again, same = reproduction.run, reproduction.again, reproduction.is_identical
    rows = [(each.name, f"{each.verdict:<9}  {each.told}") for each in reproduction.aspects]
    found = reproduction.causes
    effective = [] if same else [cause for cause in found if cause.is_effective]
    rows += [("because", str(cause)) for cause in effective]
    if not same and not effective:
        rows.append(("because", "of nothing that the record keeps; is there an unseeded choice?"))
    rows += [
        ("note", f"{cause}; it makes no difference") for cause in found if cause not in effective
    ]
    rows += [("run", again.run_id), ("record", reproduction.url)]
    sys.stdout.write(f"reproduction of {run.run_id[:8]} ({run.name})\n")
    show_pairs(rows, {each.name: VERDICTS[each.verdict] for each in reproduction.aspects})


def _why_none(experiment: "Experiment") -> str:
    if not experiment.dataset.holdout:
        return "none: nothing is held out"
    if experiment.evaluation.scoring is not None:
        return "none: evaluation.scoring is empty"
    name = type(experiment.estimator).__name__
    return f"none: {name} has no score of its own; name some as evaluation.scoring"


def show_table(columns: Iterable[str], rows: Iterable[Iterable[str | Text]]) -> None:
    """Write a table as wide as it must be: an id that is cut is of no use."""
    console = Console(width=WIDEST)
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:  # else [text] in brackets is taken for markup
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    console.print(table, crop=False)


def show_json(value: Any) -> None:
    """Write a value as one JSON document for scripts; what JSON has no word for is told as text.

    A number that is not finite is null.
    """
    sys.stdout.write(json.dumps(_plain(value), indent=2) + "\n")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {redacted(str(key)): _plain(each) for key, each in value.items()}
    return (
        [_plain(each) for each in value]
        if isinstance(value, list | tuple)
        else redacted(str(value))
    )


def show_pairs(rows: list[tuple[str, str]], styles: Mapping[str, str] | None = None) -> None:
    """Write names and values, one pair a line; some values in a style, on a terminal."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        show_line(f"  {name:<{width}}  ", value, (styles or {}).get(name, ""))


def show_line(before: str, text: str, style: str = "", file: TextIO | None = None) -> None:
    """Write a line, the text of which has a style where it is shown on a terminal."""
    console = Console(file=file)
    line = redacted(text)
    if console.is_terminal and style:
        console.print(Text(before).append(line, style), soft_wrap=True, highlight=False)
    else:
        console.file.write(f"{before}{line}\n")


def _scorers(experiment: "Experiment", train: "Part") -> list[str]:
    return list(experiment.evaluation.names(experiment.estimator, train.y is not None))


def _extent(part: "Part") -> str:
    sizes = sorted(set(part.X.chunks[0]))
    each = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
    return f"{part.n_rows:,} rows in {count(part.n_blocks, 'block')} of {each}"


def _width(part: "Part") -> str:
    if len(part.X.shape) == 1:
        return "lines of text"
    return f"{part.X.shape[1]:,} features of {_kind(part)}"


def _kind(part: "Part") -> str:
    if part.frame is None:
        return str(part.X.dtype)
    first, *others = dict.fromkeys(map(str, part.frame.dtypes))
    if others:
        return "mixed types"
    return "text" if first in ("object", "str") else first


def score_text(score: float) -> str:
    """Write a score with four digits.

    Examples
    --------
    >>> score_text(0.81818), score_text(-1699123.4)
    ('0.8182', '-1.699e+06')
    """
    return f"{score:.4f}" if abs(score) < LARGE else f"{score:.4g}"


def seconds_text(seconds: float) -> str:
    """Write how long something took.

    Examples
    --------
    >>> seconds_text(0.0123), seconds_text(12.34), seconds_text(3723.4)
    ('0.01 s', '12.3 s', '1:02:03')
    """
    if seconds < MINUTES:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004
    minutes, left = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{left:02}"


def count(n: int, noun: str) -> str:
    """Write how many of something there are.

    Examples
    --------
    >>> count(1, "block"), count(1200, "row")
    ('1 block', '1,200 rows')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _one_line(value: Any) -> str:
    return " ".join(str(value).split())


def show_findings(findings: "list[Finding]") -> None:
    """Write what a check of the installation and the record found."""
    for finding in findings:
        sign = "ok " if finding.ok else "BAD"
        sys.stdout.write(f"{sign}  {finding.name}: {finding.told}\n")
