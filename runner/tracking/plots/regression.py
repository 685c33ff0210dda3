"""What the predictions of a regressor miss by."""

import numpy as np

from runner.tracking.plots.canvas import figure, png

MAX_POINTS = 5_000
FEW_POINTS = 500


def residuals(true: np.ndarray, predicted: np.ndarray) -> bytes:
    """Draw what the predictions miss by, over the predictions; at most 5,000 rows."""
    return _scattered(true, predicted, "residual_vs_predicted")


def predicted_vs_actual(true: np.ndarray, predicted: np.ndarray) -> bytes:
    """Draw the true over the predicted values; at most 5,000 rows."""
    return _scattered(true, predicted, "actual_vs_predicted")


def _scattered(true: np.ndarray, predicted: np.ndarray, kind: str) -> bytes:
    from matplotlib.ticker import AutoLocator
    from sklearn.metrics import PredictionErrorDisplay

    n_drawn = min(len(true), MAX_POINTS)
    rows = np.random.default_rng(0).choice(len(true), n_drawn, replace=False, shuffle=False)
    drawn = figure(6.0, 4.8)
    display = PredictionErrorDisplay(y_true=np.ravel(true[rows]), y_pred=np.ravel(predicted[rows]))
    display.plot(
        ax=drawn.subplots(),
        kind=kind,
        scatter_kwargs={"s": 8, "alpha": 0.4, "linewidths": 0}
        if true[rows].size > FEW_POINTS
        else {"s": 16, "alpha": 0.7, "linewidths": 0},
    )
    for axis in (display.ax_.xaxis, display.ax_.yaxis):
        axis.set_major_locator(AutoLocator())
    few = f"{n_drawn:,} of " if n_drawn < len(true) else ""
    outputs = f", {true.shape[1]:,} outputs each" if true.ndim > 1 and true.shape[1] > 1 else ""
    display.ax_.set_title(f"{few}{len(true):,} held-out rows{outputs}", y=1.0)
    display.ax_.grid(alpha=0.3)
    return png(drawn)
