"""The table and the picture of a run of all benchmarks."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.promise import head
from benchmarks.row import Row, short
from benchmarks.turns import CORES

LIBRARIES = ("numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "dask", "distributed")
LIBRARIES += ("hydra-core", "omegaconf", "mlflow", "matplotlib", "dask-ml", "joblib")
LIBRARIES += ("hydra-joblib-launcher", "river", "vowpalwabbit")
INK, KEPT, MISSED = "#7d7d7d", "#2f8f6b", "#d9622b"  # legible on white and on black
ROW_INCHES, WIDE_INCHES = 0.42, 11
COVERED = 2.5


@dataclass
class Section:
    """What one file measured, and how busy the machine was before."""

    name: str
    load: tuple[float, float, float]
    rows: list[Row] = field(default_factory=list)
    seconds: float = 0.0
    failed: bool = False


def about_machine() -> list[str]:
    """Return lines that tell the date, the machine and the versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    system = f"{platform.system()} {platform.release()} on {platform.machine()}"
    found = [f"Python {platform.python_version()}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return [
        f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}. {CORES} cores{_processor()}, "
        f"{memory:.0f} GB of memory, {system}.",
        f"{', '.join(found)}.",
    ]


def _processor() -> str:
    """Return the kind of processor, where Linux tells it."""
    lines = Path("/proc/cpuinfo")
    if not lines.is_file():
        return ""
    names = [line for line in lines.read_text().splitlines() if line.startswith("model name")]
    return f" ({names[0].partition(':')[2].strip()})" if names else ""


def table(sections: Iterable[Section], machine: Sequence[str]) -> str:
    """Return everything as Markdown."""
    sections = list(sections)
    rows = [row.line() for section in sections for row in section.rows]
    loads = [
        f"| {section.name} | {' '.join(f'{each:.2f}' for each in section.load)} "
        f"| {section.seconds:.0f} s |{' failed |' if section.failed else ' |'}"
        for section in sections
    ]
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "\n\n".join(machine),
            "",
            "Medians (smallest to largest) of the turns that are counted. `measured` is the first",
            "over the second, as the median of the ratios turn by turn, unless it has a unit.",
            "",
            head(),
            *rows,
            "",
            "| file | load average before (1, 5, 15 minutes) | took | |\n|---|---|---|---|",
            *loads,
            "",
        ]
    )


def picture(sections: Iterable[Section], path: Path) -> None:
    """Draw how far each figure is from its reach: to the right of the line is within.

    The background is transparent and the ink grey, so that light and dark pages can show it.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator

    rows = [r for section in sections for r in section.rows if r.reach and r.figures]
    ink = {f"{part}.color": INK for part in ("text", "xtick", "ytick")}
    ink |= {"axes.edgecolor": INK, "axes.labelcolor": INK, "svg.fonttype": "path"}
    with rc_context(ink):
        figure = Figure((WIDE_INCHES, 1.2 + ROW_INCHES * len(rows)), layout="constrained")
        axes = figure.subplots()
        for place, row in enumerate(rows):
            _draw(axes, place, row)
        axes.axvline(1, color=INK, linewidth=1.5)
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, 1 / COVERED), max(high, COVERED))
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} x")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("times better than its reach: filled, within; hollow, not")
        axes.set_yticks(range(len(rows)), [_told(row) for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(axis="x", color=INK, alpha=0.25)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.tick_params(axis="y", length=0)
        twin = axes.secondary_yaxis("right")
        told = [f"{short(row.figure)} {row.unit}".strip() + f" ({row.reach})" for row in rows]
        twin.set_yticks(range(len(rows)), told)
        twin.tick_params(length=0)
        twin.spines["right"].set_visible(False)
        figure.savefig(path, transparent=True)


def _draw(axes: object, place: int, row: Row) -> None:
    """Draw the spread of a row and its median."""
    assert row.reach is not None
    ends = sorted(row.reach.times_better(each) for each in (min(row.figures), max(row.figures)))
    colour = KEPT if row.met else MISSED
    axes.plot(ends, [place, place], color=colour, linewidth=3, alpha=0.5, solid_capstyle="round")
    axes.plot(
        row.reach.times_better(row.figure),
        place,
        "o" if row.met else "D",
        color=colour,
        markersize=8,
        markeredgewidth=2,
        markerfacecolor=colour if row.met else "none",
    )


def _told(row: Row) -> str:
    """Return the label of a row: the promise, and which two are compared."""
    names = [contender.name for contender in row.contenders]
    if row.unit:
        return f"{row.promise}\n{names[0]}"
    return f"{row.promise}\n{names[0]} / {names[1]}"
