"""Pictures of how a fit went and of what came out, drawn without pyplot's global state."""

import warnings
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from runner.records import Confusion, Evaluated
from runner.tracking.recorder import Curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_LABELS = 100
MAX_WRITTEN_LABELS = 25
MAX_COUNTED_LABELS = 10
MAX_RESIDUALS = 10_000
MAX_MARKERS = 50
_MAX_LABEL_LENGTH = 24


def plots(
    evaluated: Evaluated, curves: Curves, validation: Curves
) -> dict[str, Callable[[], bytes]]:
    """Return what can be drawn: by file name, the function that draws the PNG."""
    drawn: dict[str, Callable[[], bytes]] = {}
    finite, held_out = finite_curves(curves), finite_curves(validation)
    if finite or held_out:
        drawn["learning_curve.png"] = partial(learning_curve, finite, held_out)
    if evaluated.confusion is not None and len(evaluated.confusion.labels) <= MAX_LABELS:
        drawn["confusion_matrix.png"] = partial(confusion_matrix, evaluated.confusion)
    if evaluated.predictions is not None and len(evaluated.predictions[0]):
        drawn["residuals.png"] = partial(residuals, *evaluated.predictions)
    return drawn


def finite_curves(curves: Curves) -> Curves:
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
    figure = _figure(7.0, 2.4 * len(names) + 0.8)
    panels = figure.subplots(len(names), sharex=True, squeeze=False)[:, 0]
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
        axes.set_ylabel(_plain(name))
        axes.grid(alpha=0.3)
    if curves:
        panels[0].set_title("Progressive score: each block is scored before it is learned")
    panels[-1].set_xlabel("rows seen")
    return _png(figure)


def confusion_matrix(confusion: Confusion) -> bytes:
    """Draw which labels were predicted for which: counts, or shares when there are many labels.

    Up to 10 labels the cells hold counts, beyond that the share of each true label; beyond 25
    only the colours are left.
    """
    from sklearn.metrics import ConfusionMatrixDisplay

    n_labels = len(confusion.labels)
    shares = n_labels > MAX_COUNTED_LABELS
    written = n_labels <= MAX_WRITTEN_LABELS
    side = min(3.5 + 0.3 * n_labels, 12.0)
    size = 9 if n_labels <= MAX_COUNTED_LABELS else 7 if written else 5
    figure = _figure(side * 1.15, side)
    display = ConfusionMatrixDisplay(
        row_shares(confusion.counts) if shares else confusion.counts,
        display_labels=[_plain(label) for label in confusion.labels],
    )
    display.plot(
        ax=figure.subplots(),
        cmap="Blues",
        include_values=written,
        values_format=".2f" if shares else None,
        xticks_rotation="vertical",
        text_kw={"fontsize": size} if written else None,
    )
    display.ax_.tick_params(labelsize=size)
    display.ax_.set_title("Share of each true label" if shares else "Held-out rows")
    return _png(figure)


def row_shares(counts: np.ndarray) -> np.ndarray:
    """Divide each row by its sum; a label without a row stays at zero.

    Examples
    --------
    >>> row_shares(np.array([[3, 1], [0, 0]])).tolist()
    [[0.75, 0.25], [0.0, 0.0]]
    """
    sums = counts.sum(axis=1, keepdims=True)
    shares: np.ndarray = np.divide(counts, sums, out=np.zeros(counts.shape), where=sums > 0)
    return shares


def residuals(true: np.ndarray, predicted: np.ndarray) -> bytes:
    """Draw what the predictions miss by, over the predictions; at most 10,000 drawn rows."""
    from sklearn.metrics import PredictionErrorDisplay

    n_drawn = min(len(true), MAX_RESIDUALS)
    rows = np.random.default_rng(0).choice(len(true), n_drawn, replace=False, shuffle=False)
    figure = _figure(6.4, 4.8)
    display = PredictionErrorDisplay(y_true=np.ravel(true[rows]), y_pred=np.ravel(predicted[rows]))
    display.plot(
        ax=figure.subplots(),
        kind="residual_vs_predicted",
        scatter_kwargs={"s": 8, "alpha": 0.4, "linewidths": 0},
    )
    display.ax_.set_title(f"{len(rows):,} of {len(true):,} held-out rows")
    return _png(figure)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _png(figure: "Figure") -> bytes:
    stream = BytesIO()
    with warnings.catch_warnings():
        # Labels come from the data, in any script; a box stands for what the font does not have.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(stream, format="png", dpi=110)
    return stream.getvalue()


def _plain(label: object) -> str:
    text = str(label).replace("\n", " ").replace("$", r"\$")
    return text if len(text) <= _MAX_LABEL_LENGTH else f"{text[: _MAX_LABEL_LENGTH - 3]}..."
