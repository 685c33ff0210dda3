"""What a person, and a script, sees of recorded runs: as a table, and side by side."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from runner.terminal import count, score_text, seconds_text, show_json, show_pairs, show_table
from runner.tracking.comparison import Comparison
from runner.tracking.record import RecordedRun
from runner.tracking.tags import ERROR, PARENT

SHORT = 8
LEAST_CELL = 16
NONE = "-"
STYLES = {"FINISHED": "green", "FAILED": "red", "KILLED": "yellow", "RUNNING": "cyan"}
SMALL = 5e-5  # what four digits show as zero
MOST_TOLD, MOST_LABEL = 2, 60
Cell = str | Text


def show_runs(runs: Sequence[RecordedRun], *, is_asked: bool = False) -> None:
    """Write recent runs as a table, the newest first, with every score that one of them has.

    Parameters
    ----------
    runs : sequence of RecordedRun
        The runs.
    is_asked : bool
        Whether only some were asked for.
    """
    if not runs:
        empty = "no runs yet; `runner run quickstart` makes the first\n"
        sys.stdout.write("no such runs\n" if is_asked else empty)
        return
    scorers = list(dict.fromkeys(name for run in runs for name in run.scores))
    columns: dict[str, list[Any]] = {
        "run": [run.run_id[:SHORT] for run in runs],
        "name": [run.name for run in runs],
        "members": [f"{run.members:,}" if run.is_sweep else "" for run in runs],
        "sweep": [run.tags.get(PARENT, "")[:SHORT] for run in runs],
        "status": [_status(run) for run in runs],
        "started": [run.started.astimezone().strftime("%Y-%m-%d %H:%M:%S") for run in runs],
        "took": [_took(run) for run in runs],
        **{name: [_score(run.scores.get(name)) for run in runs] for name in scorers},
    }
    told = {name: cells for name, cells in columns.items() if any(cells)}
    show_table(told, zip(*told.values(), strict=True))


def show_runs_json(runs: Iterable[RecordedRun]) -> None:
    """Write recent runs as one JSON list, the newest first."""
    show_json([_plain(run) for run in runs])


def show_compared(comparison: Comparison, picture: Path | None) -> None:
    """Write what differs between runs, and where their picture is.

    Parameters
    ----------
    comparison : Comparison
        The runs.
    picture : Path or None
        None where there was nothing to draw.
    """
    runs = comparison.runs
    params, scores = _params(comparison), _scores(comparison)
    sections: dict[str, list[list[Cell]]] = {
        "params that differ" if params else "no param differs": params,
        "scores, + is better" if scores else "no scores": scores,
        "compared with the first": [
            [what, NONE, *told[1:]] for what, told in comparison.verdicts.items()
        ],
    }
    rows = _of_each_run(comparison)
    for title, told in sections.items():
        rows += [[""], [Text(title, style="bold")], *told]
    show_table(["run", *(run.run_id[:SHORT] for run in runs)], rows)
    sys.stdout.write("\n")
    pages = f"runner ui {' '.join(run.run_id[:SHORT] for run in runs)}"
    drawn = str(picture) if picture else "none: no run has a curve"
    show_pairs([("look", comparison.url or pages), ("picture", drawn)])


def show_compared_json(comparison: Comparison, picture: Path | None) -> None:
    """Write what differs between runs as one JSON document; lists are in the order of the runs."""
    sweeps = {run_id: sweep.run_id for run_id, sweep in comparison.sweeps.items()}
    show_json(
        {
            "runs": [
                {**_plain(run), "best_of_sweep": sweeps.get(run.run_id)} for run in comparison.runs
            ],
            "params": comparison.params,
            "scores": comparison.scores,
            "differences": comparison.differences,
            "hashes": comparison.hashes,
            "verdicts": comparison.verdicts,
            "url": comparison.url,
            "picture": picture and str(picture),
        }
    )


def legend(comparison: Comparison) -> list[str]:
    """Return what each run is called in a picture: its id, and its name or what differs."""
    runs, params = comparison.runs, comparison.params
    is_named = len({run.name for run in runs}) == len(runs)
    if is_named or not 0 < len(params) <= MOST_TOLD:
        return [f"{run.run_id[:SHORT]}  {shortened(run.name, MOST_LABEL)}" for run in runs]
    each = zip(*params.values(), strict=True)
    told = [
        ", ".join(
            f"{key.rpartition('.')[2]}={'-' if value is None else value}"
            for key, value in zip(params, values, strict=True)
        )
        for values in each
    ]
    called = [
        run.name if text in run.name else f"{run.name}  {shortened(text, MOST_LABEL)}"
        for run, text in zip(runs, told, strict=True)
    ]
    return [f"{run.run_id[:SHORT]}  {name}" for run, name in zip(runs, called, strict=True)]


def shortened(text: str, width: int) -> str:
    """Leave out the middle of what is too long.

    Examples
    --------
    >>> shortened("sgd_classifier", 9), shortened("short", 9)
    ('sgd_…fier', 'short')
    """
    if len(text) <= width:
        return text
    head = width // 2
    return f"{text[:head]}…{text[len(text) - (width - head - 1) :]}"


def _of_each_run(comparison: Comparison) -> list[list[Cell]]:
    runs, width = comparison.runs, _width(comparison)
    rows: list[list[Cell]] = [["name", *(shortened(run.name, width) for run in runs)]]
    if comparison.sweeps:
        rows.append(["best of sweep", *(_sweep_of(run, comparison) for run in runs)])
    rows.append(["status", *map(_status, runs)])
    rows.append(["learned", *(count(run.rows, "row") for run in runs)])
    rows.append(["took", *map(_took, runs)])
    if len({run.commit for run in runs}) > 1:
        rows.append(["git commit", *(run.commit[:10] or NONE for run in runs)])
    return rows


def _sweep_of(run: RecordedRun, comparison: Comparison) -> str:
    sweep = comparison.sweeps.get(run.run_id)
    return NONE if sweep is None else f"{sweep.run_id[:SHORT]}, of {sweep.members:,}"


def _params(comparison: Comparison) -> list[list[Cell]]:
    width = _width(comparison)
    return [
        [
            Text(key, overflow="fold"),  # else a narrow terminal shows only how it begins
            *(NONE if value is None else shortened(value, width) for value in values),
        ]
        for key, values in comparison.params.items()
    ]


def _width(comparison: Comparison) -> int:
    """Return how many characters of a value are shown: on a terminal, what fits."""
    console = Console()
    if not console.is_terminal:
        return sys.maxsize
    taken = max(map(len, comparison.params), default=0)
    return max(LEAST_CELL, (console.width - taken) // len(comparison.runs) - 2)


def _scores(comparison: Comparison) -> list[list[Cell]]:
    differences, best = comparison.differences, comparison.best
    return [
        [
            name,
            _score(values[0], is_best=best[name][0]),
            *map(_score, values[1:], differences[name][1:], best[name][1:]),
        ]
        for name, values in comparison.scores.items()
    ]


def _score(value: float | None, more: float | None = None, is_best: bool = False) -> Text:
    told = NONE if value is None else score_text(value)
    told += "" if more is None else f"  {signed(more)}"
    return Text(told, style="green" if is_best else "")


def signed(difference: float) -> str:
    """Write a difference with its sign; what four digits cannot show as a power of ten.

    Examples
    --------
    >>> signed(0.04), signed(-0.00001), signed(0.0)
    ('+0.0400', '-1.0e-05', '=')
    """
    if difference == 0:
        return "="
    if abs(difference) < SMALL:
        return f"{difference:+.1e}"
    return f"{'+' * (difference > 0)}{score_text(difference)}"


def _status(run: RecordedRun) -> Text:
    return Text(run.status, style=STYLES.get(run.status, ""))


def _took(run: RecordedRun) -> str:
    return NONE if run.duration_s is None else seconds_text(run.duration_s)


def _plain(run: RecordedRun) -> dict[str, Any]:
    """Return a run as plain values."""
    return {
        "run_id": run.run_id,
        "name": run.name,
        "status": run.status,
        "error": run.tags.get(ERROR) or None,
        "started": run.started.isoformat(timespec="seconds"),
        "duration_s": run.duration_s,
        "rows": run.rows,
        "scores": run.scores,
        "params": run.params,
        "members": run.members if run.is_sweep else None,
        "sweep": run.tags.get(PARENT),
        "experiment_id": run.experiment_id,
        "command": run.command,
        "commit": run.commit or None,
    }
