"""A picture of the curves of several runs, one over the other."""

from collections.abc import Mapping, Sequence
from itertools import chain, cycle
from typing import TYPE_CHECKING, Any

from runner.tracking.plots import canvas
from runner.tracking.plots.learning import MAX_MARKERS, finite_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Curves = Mapping[str, Sequence[tuple[int, float]]]

MOST_LABEL = 200  # characters
MOST_IN_A_COLUMN = 3
WIDTH, PANEL, LINE = 8.0, 2.6, 0.25  # inches
_STYLES = ("-", "--", "-.", ":")
_COLOURS = 10  # as many as matplotlib's own cycle has


def overlay(labels: Sequence[str], curves: Sequence[Curves]) -> bytes | None:
    """Draw the curves of runs over the rows seen, as `figure` does; return the PNG, if any."""
    drawn = figure(labels, curves)
    return None if drawn is None else canvas.png(drawn)


def figure(labels: Sequence[str], curves: Sequence[Curves]) -> "Figure | None":
    """Draw the curves of runs over the rows seen, a panel for each metric.

    Parameters
    ----------
    labels : sequence of str
        What each run is called in the legend.
    curves : sequence of mapping of str to sequence of (int, float)
        The points of each run, by metric.

    Returns
    -------
    matplotlib.figure.Figure or None
        None where there is nothing to draw.
    """
    finite = [finite_curves(each) for each in curves]
    names = sorted(set(chain.from_iterable(finite)))
    if not names:
        return None
    n_columns = 1 if len(names) <= MOST_IN_A_COLUMN else 2
    n_rows = -(-len(names) // n_columns)
    height = PANEL * n_rows + LINE * len(labels) / n_columns + PANEL / 4
    drawn = canvas.laid_out(WIDTH * n_columns, height)
    panels = list(drawn.subplots(n_rows, n_columns, squeeze=False, sharex=True).flat)
    lines: dict[int, Any] = {}
    for name, axes in zip(names, panels, strict=False):
        lines |= _draw(axes, name, [each.get(name, []) for each in finite])
    _label_rows(panels, len(names), n_columns)
    drawn.legend(
        [lines[number] for number in sorted(lines)],
        [canvas.plain(labels[number], MOST_LABEL) for number in sorted(lines)],
        loc="outside upper left",
        ncols=n_columns,
        frameon=False,
    )
    return drawn


def _draw(axes: Any, name: str, curves: Sequence[Sequence[tuple[int, float]]]) -> dict[int, Any]:
    """Draw a metric of each run that has it; return the line of each by the run's number."""
    lines = {}
    for number, (curve, style) in enumerate(zip(curves, cycle(_STYLES), strict=False)):
        if curve:
            rows, scores = zip(*curve, strict=True)
            (lines[number],) = axes.plot(
                rows,
                scores,
                color=f"C{number % _COLOURS}",
                linestyle=style,
                marker=_marker(len(curve)),
                alpha=0.85,
            )
    axes.set_title(canvas.plain(name, MOST_LABEL), loc="left", fontsize="medium")
    axes.grid(alpha=0.3)
    return lines


def _marker(n_points: int) -> str:
    if n_points == 1:
        return "o"
    return "." if n_points <= MAX_MARKERS else ""


def _label_rows(panels: Sequence[Any], n_names: int, n_columns: int) -> None:
    """Write what is counted below the last panel of each column; take away those left over."""
    for number, axes in enumerate(panels):
        if number >= n_names:
            axes.remove()
        elif number >= n_names - n_columns:
            axes.set_xlabel("rows seen")
            axes.xaxis.set_major_formatter("{x:,.0f}")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.tick_params(labelbottom=True)
