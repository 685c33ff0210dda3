"""The learning curve: the scores on the way, over the rows seen."""

from collections.abc import Mapping, Sequence

import numpy as np

from runner.tracking.plots.canvas import figure, plain, png
from runner.tracking.recorder import Curves

MAX_MARKERS = 50


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
    names = list(dict.fromkeys([*curves, *validation]))
    drawn = figure(7.0, 2.4 * len(names) + 0.8)
    panels = drawn.subplots(len(names), sharex=True, squeeze=False)[:, 0]
    for axes, name in zip(panels, names, strict=True):
        for label, curve in (
            ("progressive", curves.get(name)),
            ("held out", validation.get(name)),
        ):
            if curve:
                rows, scores = zip(*curve, strict=True)
                axes.plot(rows, scores, marker="." * (len(curve) <= MAX_MARKERS), label=label)
        if validation:
            axes.legend()
        axes.set_ylabel(plain(name))
        axes.grid(alpha=0.3)
    if curves:
        panels[0].set_title("Progressive score: each block is scored before it is learned")
    panels[-1].set_xlabel("rows seen")
    panels[-1].xaxis.set_major_formatter("{x:,.0f}")
    return png(drawn)
