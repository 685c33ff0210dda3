"""The learning curve: the scores on the way, over the rows seen."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from runner.tracking.plots.canvas import figure, plain, png
from runner.tracking.recorder import Curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_MARKERS = 50
PROGRESSIVE, HELD_OUT = "progressive", "held out"
Looks: TypeAlias = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
_ALONE = Lock()


def finite_curves(curves: Mapping[str, Sequence[tuple[int, float]]]) -> Curves:
    """Leave out the points that cannot be drawn, and the curves without any other.

    Examples
    --------
    >>> finite_curves({"r2": [(25, float("nan")), (50, 0.5)], "other": [(25, float("inf"))]})
    {'r2': [(50, 0.5)]}
    """
    kept = {
        name: [(rows, score) for rows, score in curve if np.isfinite(score)]
        for name, curve in curves.items()
    }
    return {name: curve for name, curve in kept.items() if curve}


def learning_curve(curves: Curves, validation: Curves) -> bytes:
    """Draw the progressive and the held-out scores over the rows seen, one panel per scorer."""
    given: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for label, kind in ((PROGRESSIVE, curves), (HELD_OUT, validation)):
        for name, curve in kind.items():
            given.setdefault(name, {})[label] = curve
    looks = tuple(
        (name, tuple((label, "." * (len(curve) <= MAX_MARKERS)) for label, curve in each.items()))
        for name, each in given.items()
    )
    with _ALONE:
        drawn, panels = _panels(looks)
        for axes, each in zip(panels, given.values(), strict=True):
            for line, curve in zip(axes.lines, each.values(), strict=True):
                line.set_data(*zip(*curve, strict=True))
            axes.relim()
            axes.autoscale_view()
        return png(drawn)


@lru_cache(maxsize=1)
def _panels(looks: Looks) -> "tuple[Figure, list[Axes]]":
    """Return a figure without points; members of a sweep draw on the same, one after the other.

    Parameters
    ----------
    looks : tuple
        Of each scorer the name, and of each of its curves the label and the marker.
    """
    drawn = figure(7.0, 2.4 * len(looks) + 0.8)
    panels = list(drawn.subplots(len(looks), sharex=True, squeeze=False)[:, 0])
    labels = {label for _, lines in looks for label, _ in lines}
    for axes, (name, lines) in zip(panels, looks, strict=True):
        for label, marker in lines:
            axes.plot([], [], marker=marker, label=label)
        if HELD_OUT in labels:
            axes.legend()
        axes.set_ylabel(plain(name))
        axes.grid(alpha=0.3)
    if PROGRESSIVE in labels:
        panels[0].set_title("Progressive score: each block is scored before it is learned", y=1.0)
    panels[-1].set_xlabel("rows seen")
    panels[-1].xaxis.set_major_formatter("{x:,.0f}")
    return drawn, panels
