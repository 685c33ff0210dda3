"""How many rows each cluster holds."""

import numpy as np

from runner.records import Sample
from runner.tracking.plots.canvas import figure, plain, png

MAX_CLUSTERS = 50
MAX_NAMED = 25


def cluster_sizes(sample: Sample) -> bytes:
    """Draw the share of the held-out rows in each cluster, the largest first, at most 50."""
    clusters, counts = np.unique(sample.answers, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MAX_CLUSTERS]
    places, n_drawn = np.arange(len(order)), len(sample.answers)
    drawn = figure(max(4.5, min(9.0, 2.0 + 0.3 * len(order))), 3.8)
    axes = drawn.subplots()
    bars = axes.bar(places, 100 * counts[order] / n_drawn)
    if len(order) <= MAX_NAMED:
        axes.set_xticks(places, [plain(clusters[place]) for place in order])
        axes.bar_label(bars, fmt="%.1f", fontsize=7, padding=1)
    else:
        axes.set_xticks([])
    axes.set(ylabel="% of the rows", xlabel="cluster, the largest first")
    axes.margins(x=0.02)
    axes.set_title(title(len(order), len(clusters), n_drawn, sample.n_rows), fontsize=11, y=1.0)
    return png(drawn)


def title(n_drawn: int, n_clusters: int, n_sampled: int, n_rows: int) -> str:
    """Say what is drawn.

    Examples
    --------
    >>> title(16, 16, 20_000, 109_312)
    '16 clusters of 20,000 of 109,312 held-out rows'
    >>> title(50, 80, 200, 200)
    'the largest 50 of 80 clusters of 200 held-out rows'
    """
    which = f"the largest {n_drawn} of " if n_drawn < n_clusters else ""
    few = f"{n_sampled:,} of " if n_sampled < n_rows else ""
    plural = "" if n_clusters == 1 else "s"
    return f"{which}{n_clusters} cluster{plural} of {few}{n_rows:,} held-out rows"
