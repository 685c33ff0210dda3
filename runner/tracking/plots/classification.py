"""Which labels were predicted for which."""

import numpy as np

from runner.records import Confusion
from runner.tracking.plots.canvas import figure, plain, png

MAX_LABELS = 100
MAX_WRITTEN_LABELS = 25
MAX_COUNTED_LABELS = 10
SHORT_LABEL = 2  # characters


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
    labels = [plain(label) for label in confusion.labels]
    is_short = written and max(map(len, labels)) <= SHORT_LABEL
    drawn = figure(side * 1.1 + 0.05, side)
    display = ConfusionMatrixDisplay(
        row_shares(confusion.counts) if shares else confusion.counts,
        display_labels=labels,
    )
    display.plot(
        ax=drawn.subplots(),
        cmap="Blues",
        im_kw={"vmin": 0},
        include_values=written,
        values_format=".2f" if shares else None,
        xticks_rotation="horizontal" if is_short else "vertical",
        text_kw={"fontsize": size} if written else None,
        colorbar=False,
    )
    drawn.colorbar(display.im_, ax=display.ax_, fraction=0.06, pad=0.03)
    display.ax_.tick_params(labelsize=size)
    n_rows = f"{int(confusion.counts.sum()):,} held-out rows"
    display.ax_.set_title(f"{n_rows}, as shares of each true label" if shares else n_rows, y=1.0)
    return png(drawn)


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
