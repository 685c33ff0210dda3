"""How well the answers of a classifier rank the held-out rows, and what they are worth."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from runner.records import Sample
from runner.tracking.plots.canvas import Corner, figure, legend, plain, png

MAX_CURVES = 10
BINS = 10
_LINE = {"linewidth": 1.3}


class Ranking(NamedTuple):
    """Which rows hold a label, and the answers by which they are ranked, of shape (n_rows,)."""

    label: str
    is_label: np.ndarray
    scores: np.ndarray


def rankings(sample: Sample) -> list[Ranking]:
    """Return what a curve can be drawn of: the second of two labels, or each one of several.

    A label that no row holds, or every row, has no curve. Of many labels these are the ones that
    the most rows hold.

    Examples
    --------
    >>> true, scores = np.array(["no", "yes", "no"]), np.array([-1.0, 2.0, 0.5])
    >>> [found] = rankings(Sample("decision_function", scores, 3, true, np.array(["no", "yes"])))
    >>> found.label, found.is_label.tolist()
    ('yes', [False, True, False])
    """
    true, classes, answers = sample.true, sample.classes, sample.answers
    if true is None or classes is None:
        return []
    if answers.ndim == 1:
        answers = answers[:, None]
    columns = range(len(classes))
    if len(classes) == 2:  # noqa: PLR2004
        columns, answers = range(1, 2), answers[:, [-1, -1]]
    if answers.shape[1] != len(classes):
        return []
    held = {column: true == classes[column] for column in columns}
    counts = {column: int(np.sum(is_label)) for column, is_label in held.items()}
    told = [column for column, n_rows in counts.items() if 0 < n_rows < len(true)]
    most = sorted(sorted(told, key=counts.__getitem__, reverse=True)[:MAX_CURVES])
    return [Ranking(plain(classes[c]), held[c], answers[:, c]) for c in most]


def roc(found: list[Ranking], sample: Sample) -> bytes:
    """Draw the true over the false positive rate, each label against the rest."""
    from sklearn.metrics import RocCurveDisplay

    return _drawn(RocCurveDisplay.from_predictions, found, sample, "lower right")


def precision_recall(found: list[Ranking], sample: Sample) -> bytes:
    """Draw the precision over the recall, each label against the rest."""
    from sklearn.metrics import PrecisionRecallDisplay

    return _drawn(PrecisionRecallDisplay.from_predictions, found, sample, "lower left")


def calibration(found: Ranking, sample: Sample) -> bytes:
    """Draw how often rows hold a label, over the probability that was predicted of it."""
    from sklearn.calibration import CalibrationDisplay

    drawn = figure(5.0, 5.4)
    axes, below = drawn.subplots(2, sharex=True, height_ratios=(4, 1))
    CalibrationDisplay.from_predictions(
        found.is_label, found.scores, n_bins=BINS, name="model", ax=axes
    )
    axes.set(title=_title(sample), xlabel=None, ylabel=f"share of rows that hold {found.label}")
    axes.grid(alpha=0.3)
    below.hist(found.scores, bins=BINS, range=(0, 1), rwidth=0.9)
    below.set(xlabel=f"predicted probability of {found.label}", ylabel="rows")
    return png(drawn)


def _drawn(
    draw: Callable[..., object], found: list[Ranking], sample: Sample, corner: Corner
) -> bytes:
    from sklearn.metrics import RocCurveDisplay

    is_roc = getattr(draw, "__self__", None) is RocCurveDisplay
    drawn = figure(5.0, 4.8)
    axes = drawn.subplots()
    for number, (label, is_label, scores) in enumerate(found, 1):
        is_last = is_roc and number == len(found)
        draw(
            is_label,
            scores,
            name=label,
            ax=axes,
            drop_intermediate=True,
            curve_kwargs=_LINE,
            plot_chance_level=is_last,
            chance_level_kw={"color": "0.6", "linewidth": 1.0} if is_last else None,
        )
    legend(axes, len(found), corner)
    axes.set_title(_title(sample, len(found)), y=1.0)
    for words in (axes.xaxis.label, axes.yaxis.label):
        words.set_text(words.get_text().partition(" (")[0])
    axes.grid(alpha=0.3)
    return png(drawn)


def _title(sample: Sample, n_curves: int = 1) -> str:
    n_drawn, n_rows = len(sample.answers), sample.n_rows
    few = f"{n_drawn:,} of " if n_drawn < n_rows else ""
    n_labels = 0 if sample.classes is None else len(sample.classes)
    some = f", {n_curves} of {n_labels} labels" if 1 < n_curves < n_labels else ""
    return f"{few}{n_rows:,} held-out rows{some}"
