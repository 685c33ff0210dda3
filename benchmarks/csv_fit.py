"""One fit from CSV, side by side: a loop over ``pandas.read_csv``, and the runner.

The loop reads file after file with ``chunksize``, so many rows as the runner has in a block, and
learns each. Both are timed after their imports, learn in the same order with the same estimator,
and end with the same coefficients, which is checked.
"""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.data import NAMES, frames_of_csv, make_csv
from benchmarks.one_fit import CLASSES, LOOP, RUNNER, estimator
from benchmarks.promise import Promise
from benchmarks.row import Row, at_least
from benchmarks.turns import Found, alternate, digest, job, timed


def loop(folder: str, chunks: int) -> Found:
    """Learn by hand."""
    import pandas as pd  # noqa: F401  it is imported before it is timed

    model = estimator()

    def work() -> str:
        for frame in frames_of_csv(sorted(Path(folder).glob("*.csv")), chunks):
            X, y = frame[NAMES].to_numpy(), frame["label"].to_numpy()
            model.partial_fit(X, y, classes=CLASSES)
        return digest(model.coef_)

    return timed(work)


def by_runner(folder: str, chunks: int) -> Found:
    """Learn by the runner."""
    from runner.dataset.csv import Csv
    from runner.experiment import Experiment, run
    from runner.fit.options import FitOptions
    from runner.records import Recipe
    from runner.stream.stream import Stream
    from runner.tracking.memory_tracker import MemoryTracker

    experiment = Experiment(
        name="csv",
        dataset=Csv(path=folder, target="label", chunks=chunks, holdout=0),
        estimator=estimator(),
        tracking=MemoryTracker(),
        partial_fit={"classes": CLASSES},
        stream=Stream(shuffle=False),
        fit=FitOptions(progressive_window=0),
    )
    return timed(lambda: digest(run(experiment, Recipe("csv", {})).estimator.coef_))


def measure(scratch: Path, turns: int, blocks: int, chunks: int) -> Iterator[Row]:
    """Compare the two."""
    make_csv(scratch, blocks, chunks)
    given = {"folder": str(scratch), "chunks": chunks}
    ways = {
        LOOP: partial(job, "csv_fit", "loop", **given),
        RUNNER: partial(job, "csv_fit", "runner", **given),
    }
    taken = alternate(ways, turns)
    taken.same("result", LOOP, RUNNER)
    yield taken.row("one fit from CSV", LOOP, RUNNER, reach=at_least(1.7))


PROMISE = Promise(
    measure,
    {"loop": loop, "runner": by_runner},
    {"blocks": (20, 4), "chunks": (50_000, 5_000)},
    turns=4,
)

if __name__ == "__main__":
    sys.exit(PROMISE.main(__doc__))
