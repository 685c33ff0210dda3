"""Many small blocks: what a block costs besides its reading and learning, and what is kept of it.

A made-up dataset of 1,000, 10,000 and 100,000 blocks of ten rows, of which a fifth is held out, is
learned by an estimator that does nothing, so that what is left is the runner itself. Three
contenders take turns in this process: a hand-written loop over the same blocks, the stream and the
fit without a record, and a whole run with its record in MLflow and its states. The time per block
is that from the first block to the last, less that of the loop in the same turn; the median of the
turns is printed. Peak memory is that of a fresh process for each. With ``--cluster`` a run reads
its blocks on two workers of this machine, in both placements, with a count of what is asked of
them for each block, and Dask's scheduler is measured with tasks that do nothing. One line per
figure: `id metric value unit`.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from runner.base import Callback
from runner.callbacks.checkpoint import Checkpoint
from runner.dataset.chunks import row_chunks
from runner.dataset.dataset import Dataset
from runner.dataset.lazy import Arrays, from_reader
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import fit_loop
from runner.fit.options import FitOptions
from runner.stream.stream import Stream

BLOCK_ROWS, N_COLUMNS, HOLDOUT = 10, 4, 0.2
METAS = (np.empty((0, N_COLUMNS)), np.empty(0, np.int64))
LIMITS = {"ms": 0.5, "MB": 50}
COUNTS = {"tasks": "submit", "calls to a worker": "asked", "fetched results": "fetched"}
COUNTED: Counter[str] = Counter()


def read(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Make some rows."""
    rows = np.arange(start, stop)
    return np.repeat(rows / 7.0, N_COLUMNS).reshape(-1, N_COLUMNS), rows % 2


@dataclass(kw_only=True)
class Rows(Dataset):
    """Rows that cost nothing to read, in many blocks."""

    n_blocks: int = 1000
    chunks: int = BLOCK_ROWS
    holdout: float = HOLDOUT

    def arrays(self) -> Arrays:
        """Return X and y."""
        return from_reader(read, row_chunks(self.chunks, self.n_blocks * BLOCK_ROWS, 1), METAS)


class Nothing(ClassifierMixin, BaseEstimator):
    """Learn nothing, in no time."""

    def partial_fit(self, X, y, classes=None):
        """Return at once."""
        return self


class Clock(Callback):
    """Keep what the blocks took, from the first to the last, and how large the workers were."""

    def on_fit_begin(self, progress, estimator):
        """Start the clock."""
        self.began = time.perf_counter()

    def on_epoch_end(self, progress):
        """Stop it."""
        self.took = time.perf_counter() - self.began
        self.workers_mb = memory_of_children()
        self.counted = dict(COUNTED)


def memory_of_children() -> list[float]:
    """Return the resident memory of what this process started, in MB, the largest first."""
    import psutil

    found = [child.memory_info().rss / 1e6 for child in psutil.Process().children(recursive=True)]
    return sorted(found, reverse=True)


def loop(n_blocks: int) -> float:
    """Learn the blocks by a loop of a few lines, and return how long it took in seconds."""
    numbers = Stream().order(n_blocks, epoch=0)[: round((1 - HOLDOUT) * n_blocks)]
    model = Nothing()
    began = time.perf_counter()
    for i in numbers:
        X, y = read(i * BLOCK_ROWS, (i + 1) * BLOCK_ROWS)
        model.partial_fit(X, y, classes=[0, 1])
    return time.perf_counter() - began


def untracked(n_blocks: int) -> float:
    """Learn them by the stream and the fit alone."""
    train, stream, clock = Rows(n_blocks=n_blocks).split().train, Stream(), Clock()
    source = stream.source(train)
    fit = IncrementalFit(Nothing(), {"classes": [0, 1]}, callbacks={"clock": clock})
    fit_loop([fit], lambda epoch: stream.epoch(source, epoch))
    assert fit.progress.blocks == train.n_blocks
    return clock.took


def tracked(n_blocks: int, clock: Clock | None = None, cluster: Any = None) -> float:
    """Learn them in a run, with a record in MLflow and states kept as by default."""
    from runner.evaluation.evaluation import Evaluation
    from runner.experiment import Experiment, run
    from runner.records import Recipe
    from runner.tracking.mlflow_tracker import MlflowTracker

    clock = clock or Clock()
    experiment = Experiment(
        name="scale",
        dataset=Rows(n_blocks=n_blocks),
        estimator=Nothing(),
        tracking=MlflowTracker(log_model=False),
        partial_fit={"classes": [0, 1]},
        fit=FitOptions(progressive_window=0),
        evaluation=Evaluation(scoring=[]),
        callbacks={"clock": clock, "checkpoint": Checkpoint()},
        **({} if cluster is None else {"cluster": cluster}),
    )
    assert run(experiment, Recipe("scale", {})).progress.is_over
    return clock.took


CONTENDERS: dict[str, Callable[[int], float]] = {
    "loop": loop,
    "untracked": untracked,
    "tracked": tracked,
}


def on_workers(n_blocks: int, placement: str) -> dict[str, Any]:
    """Learn them with blocks that are read on two workers of this machine."""
    from runner.cluster.local import LocalCluster

    clock = Clock()
    cluster = LocalCluster(n_workers=2, tls=False, placement=placement)
    for what, name in COUNTS.items():
        count(what, name)
    took = tracked(n_blocks, clock, cluster)
    return {"took": took, "workers": clock.workers_mb[:2], "counted": clock.counted}


def count(what: str, name: str) -> None:
    """Count from here on how often something is asked of the cluster."""
    from runner.cluster.reaching import Reaching

    method = getattr(Reaching, name)

    def counting(self, *arguments, **options):
        COUNTED[what] += 1
        return method(self, *arguments, **options)

    setattr(Reaching, name, counting)


def scheduler(n_tasks: int) -> dict[str, Any]:
    """Have Dask's scheduler hand out tasks that do nothing to two workers."""
    from runner.cluster.local import LocalCluster

    with LocalCluster(n_workers=2, tls=False).open() as workers:
        assert workers is not None
        list(workers.each(abs, range(100)))
        began = time.perf_counter()
        n_done = sum(1 for _ in workers.each(abs, range(n_tasks)))
        took = time.perf_counter() - began
        assert n_done == n_tasks
        return {"took": took, "workers": memory_of_children()[:2]}


def measure(way: str, n_blocks: int) -> None:
    """Do it once in this process; print the seconds and the peak memory in MB."""
    from runner.tracking.environment import peak_mb

    told: dict[str, Any]
    if way == "scheduler":
        told = scheduler(n_blocks)
    elif way in CONTENDERS:
        told = {"took": CONTENDERS[way](n_blocks)}
    else:
        told = on_workers(n_blocks, way)
    print(json.dumps({**told, "peak": peak_mb()}))


def fresh(way: str, n_blocks: int) -> dict[str, Any]:
    """Do it once in a process of its own, with a record of its own."""
    command = [sys.executable, __file__, "--way", way, "--blocks", str(n_blocks)]
    with own_record() as env:
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env)
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def own_record():
    """Yield an environment in which the record is in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        unset = {"MLFLOW_TRACKING_URI", "RUNNER_EXPERIMENTS"}
        yield {k: v for k, v in os.environ.items() if k not in unset} | {"RUNNER_PROJECT": folder}


def told(name: str, metric: str, value: float, unit: str, reach: float | None = None) -> None:
    """Print a figure."""
    print(
        f"scale.{name:22} {metric:28} {value:10.3f} {unit}"
        + (f"  (reach {reach})" if reach else "")
    )


def times(sizes: list[int], repeats: int) -> None:
    """Let the contenders take turns in this process."""
    with own_record() as env:
        os.environ.clear()
        os.environ.update(env)
        for contender in CONTENDERS.values():  # imports, and the store
            contender(100)
        for n_blocks in sizes:
            turns = [{k: run(n_blocks) for k, run in CONTENDERS.items()} for _ in range(repeats)]
            n_learned = round((1 - HOLDOUT) * n_blocks)
            bare = statistics.median(turn["loop"] for turn in turns) / n_learned * 1000
            told(f"{n_blocks}", "bare loop", bare, "ms/block")
            for way in ("untracked", "tracked"):
                added = [(turn[way] - turn["loop"]) / n_learned * 1000 for turn in turns]
                middle = statistics.median(added)
                told(f"{n_blocks}", f"{way}, above it", middle, "ms/block", LIMITS["ms"])


def memory(sizes: list[int], repeats: int) -> None:
    """Let each contender run in fresh processes."""
    for way in ("untracked", "tracked"):
        peaks = {
            n: statistics.median(fresh(way, n)["peak"] for _ in range(repeats)) for n in sizes
        }
        least = peaks[sizes[0]]
        for n_blocks, peak in peaks.items():
            told(f"{n_blocks}", f"{way}, peak", peak, "MB")
            if n_blocks != sizes[0]:
                name = f"{way}, above {sizes[0]} blocks"
                told(f"{n_blocks}", name, peak - least, "MB", LIMITS["MB"])


def cluster(sizes: list[int]) -> None:
    """Measure the same on two workers; the scheduler is in the process of the client."""
    for way in ("scheduler", "client", "data"):
        for n_blocks in sizes:
            found = fresh(way, n_blocks)
            n_done = n_blocks if way == "scheduler" else round((1 - HOLDOUT) * n_blocks)
            what = "tasks" if way == "scheduler" else "blocks"
            name = f"{way}.{n_blocks}"
            told(name, f"{what} per second", n_done / found["took"], "1/s")
            told(name, "client and scheduler, peak", found["peak"], "MB")
            for each, number in found.get("counted", {}).items():
                told(name, f"{each} per block", number / n_done, "")
            for number, rss in enumerate(found["workers"]):
                told(name, f"worker {number}, at the end", rss, "MB")


def main() -> None:
    """Compare, or do one thing once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--memory-only", action="store_true")
    parser.add_argument("--way")
    parser.add_argument("--blocks", type=int)
    asked = parser.parse_args()
    if asked.way:
        measure(asked.way, asked.blocks)
        return
    print(f"Python {platform.python_version()}, {asked.repeats} turns, medians")
    if asked.cluster:
        cluster(asked.sizes)
        return
    if not asked.memory_only:
        times(asked.sizes, asked.repeats)
    memory(asked.sizes, min(asked.repeats, 3))


if __name__ == "__main__":
    main()
