"""Peak memory of a long fit against a short one: 400 blocks against 40 of the same size.

Each fit runs in a process of its own and reports its peak resident memory; the two take turns.
Blocks are 8 MB, made as they are read; the fit is slower than the reading, so that a stream
without a bound would run ahead.
"""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.promise import Promise
from benchmarks.row import Row, at_most
from benchmarks.turns import Found, alternate, job, timed

ROWS, COLUMNS = 20_000, 50


def fit(n_blocks: int) -> Found:
    """Fit so many blocks in this process."""
    from sklearn.neural_network import MLPClassifier

    from runner.dataset.make_blobs import MakeBlobs
    from runner.experiment import Experiment, run
    from runner.fit.options import FitOptions
    from runner.records import Recipe
    from runner.tracking.memory_tracker import MemoryTracker

    experiment = Experiment(
        name="memory",
        dataset=MakeBlobs(
            n_samples=n_blocks * ROWS, n_features=COLUMNS, chunks=ROWS, centers=2, holdout=0
        ),
        estimator=MLPClassifier(hidden_layer_sizes=(16,), batch_size=2000, random_state=0),
        tracking=MemoryTracker(),
        partial_fit={"classes": [0, 1]},
        fit=FitOptions(progressive_window=0),
    )
    found = timed(lambda: run(experiment, Recipe("memory", {})).progress.blocks)
    assert found["result"] == n_blocks
    return found


def measure(_: Path, turns: int, short: int, long: int) -> Iterator[Row]:
    """Compare the two."""
    names = {f"{n_blocks} blocks": n_blocks for n_blocks in (long, short)}
    ways = {name: partial(job, "memory", "fit", n_blocks=n) for name, n in names.items()}
    taken = alternate(ways, turns, warm=False)
    yield taken.row("peak memory", *names, key="peak", unit="MB", reach=at_most(1.05))


PROMISE = Promise(measure, {"fit": fit}, {"short": (40, 4), "long": (400, 40)}, turns=2)

if __name__ == "__main__":
    sys.exit(PROMISE.main(__doc__))
