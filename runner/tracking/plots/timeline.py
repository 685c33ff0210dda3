"""Where the time of the blocks went: what bounds the run."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from runner.tracking.plots.canvas import figure, png

if TYPE_CHECKING:
    import pyarrow as pa

MAX_BINS = 300
UNEVEN = 50
COLUMNS = {"load_ms": "load, in threads", "wait_ms": "wait", "fit_ms": "fit"}


def block_timeline(table: "Callable[[], pa.Table]") -> bytes:
    """Draw how long the blocks took to load, to wait for and to learn, in the order learned.

    Parameters
    ----------
    table : callable
        Returns the table of the ledger; more than 300 blocks are drawn as means of equal bins.
    """
    from matplotlib.ticker import MaxNLocator

    blocks = table()
    times = {words: blocks[name].to_numpy() for name, words in COLUMNS.items()}
    n_blocks = blocks.num_rows
    edges = bins(n_blocks)
    drawn = figure(7.2, 3.6)
    axes = drawn.subplots()
    heights = []
    for words, taken in times.items():
        means = bin_means(taken, edges)
        heights.append(means[means > 0])
        axes.stairs(
            means, edges, baseline=None, label=f"{words}: {np.nansum(taken) / 1000:,.2f} s in all"
        )
    every = np.concatenate(heights)
    if len(every) and every.max() > UNEVEN * np.median(every):
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, axes.get_ylim()[1] * 1.2)
    axes.set(xlabel="blocks, in the order learned", ylabel="ms per block", xlim=(0, n_blocks))
    per_bin = f", in {len(edges) - 1} bins" if len(edges) <= n_blocks else ""
    axes.set_title(f"{n_blocks:,} block{'s' * (n_blocks != 1)}{per_bin}", y=1.0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right", fontsize=8, ncols=len(times))
    return png(drawn)


def bins(n_blocks: int) -> np.ndarray:
    """Return the edges of at most 300 bins of blocks.

    Examples
    --------
    >>> bins(3).tolist(), len(bins(10_000))
    ([0, 1, 2, 3], 301)
    """
    return np.linspace(0, n_blocks, min(n_blocks, MAX_BINS) + 1).astype(int)


def bin_means(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the mean of what is known in each bin; NaN where nothing is.

    Examples
    --------
    >>> bin_means(np.array([1.0, 3.0, np.nan, np.nan]), np.array([0, 2, 3, 4])).tolist()
    [2.0, nan, nan]
    """
    known = np.isfinite(values)
    sums = np.add.reduceat(np.where(known, values, 0.0), edges[:-1])
    counts = np.add.reduceat(known.astype(int), edges[:-1])
    means: np.ndarray = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return means
