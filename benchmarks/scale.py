"""Many small blocks: what a block costs besides its reading and learning, and what is kept of it.

A made-up dataset of blocks of ten rows, of which a fifth is held out, is learned by an estimator
that does nothing, so that what is left is the runner itself. Contenders: a hand-written loop over
the same blocks, the stream and the fit without a record, and a whole run with its record in MLflow
and its states; each does 100 blocks first that are not timed. The time per block is that from the
first block to the last; the loop's of the same turn is taken off. ``--memory`` also compares the
peak memory of several sizes. With ``--cluster`` a run reads its blocks on two workers of this
machine, in both placements, with a count of what is asked of them for each block, and Dask's
scheduler is measured with tasks that do nothing.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from benchmarks.promise import Promise
from benchmarks.row import Row, at_most
from benchmarks.turns import Found, Taken, alternate, job
from runner.base import Callback
from runner.callbacks.checkpoint import Checkpoint
from runner.dataset.chunks import row_chunks
from runner.dataset.dataset import Dataset
from runner.dataset.lazy import Arrays, from_reader
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import fit_loop
from runner.fit.options import FitOptions
from runner.stream.stream import Stream

BLOCK_ROWS, N_COLUMNS, HOLDOUT, FEW = 10, 4, 0.2, 100
METAS = (np.empty((0, N_COLUMNS)), np.empty(0, np.int64))
MS, MORE_MB = at_most(0.5), at_most(50)
COUNTS = {"tasks": "submit", "calls to a worker": "asked", "fetched results": "fetched"}
COUNTED: Counter[str] = Counter()
LOOP, UNTRACKED, TRACKED = "bare loop", "the stream and the fit", "a run, with its record"


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


def here(way: Callable[[int], float], n_blocks: int) -> Found:
    """Learn a few blocks, then all; return the milliseconds per block of the second."""
    from runner.tracking.environment import peak_mb

    way(FEW)
    took = way(n_blocks)
    return {"ms": took / round((1 - HOLDOUT) * n_blocks) * 1000, "peak": peak_mb()}


def on_workers(placement: str, n_blocks: int) -> Found:
    """Learn them with blocks that are read on two workers of this machine."""
    from runner.cluster.local import LocalCluster
    from runner.tracking.environment import peak_mb

    clock = Clock()
    cluster = LocalCluster(n_workers=2, tls=False, placement=placement)
    for what, name in COUNTS.items():
        count_calls(what, name)
    took, n_learned = tracked(n_blocks, clock, cluster), round((1 - HOLDOUT) * n_blocks)
    counted = {what: clock.counted.get(what, 0) / n_learned for what in COUNTS}
    found = {"per second": n_learned / took, "peak": peak_mb(), "worker": clock.workers_mb[0]}
    return found | counted


def count_calls(what: str, name: str) -> None:
    """Count from here on how often something is asked of the cluster."""
    from runner.cluster.reaching import Reaching

    method = getattr(Reaching, name)

    def counting(self, *arguments, **options):
        COUNTED[what] += 1
        return method(self, *arguments, **options)

    setattr(Reaching, name, counting)


def scheduler(n_blocks: int) -> Found:
    """Have Dask's scheduler hand out tasks that do nothing to two workers."""
    from runner.cluster.local import LocalCluster
    from runner.tracking.environment import peak_mb

    with LocalCluster(n_workers=2, tls=False).open() as workers:
        assert workers is not None
        list(workers.each(abs, range(FEW)))
        began = time.perf_counter()
        n_done = sum(1 for _ in workers.each(abs, range(n_blocks)))
        took = time.perf_counter() - began
        assert n_done == n_blocks
        worker = memory_of_children()[0]
    return {"per second": n_blocks / took, "peak": peak_mb(), "worker": worker}


CONTENDERS: dict[str, Callable[..., Found]] = {
    "loop": partial(here, loop),
    "untracked": partial(here, untracked),
    "tracked": partial(here, tracked),
    "scheduler": scheduler,
    "client": partial(on_workers, "client"),
    "data": partial(on_workers, "data"),
}
PROJECTS = count()


def turns_of(names: dict[str, str], sizes: list[int], scratch: Path, turns: int) -> Taken:
    """Let contenders take turns at each size, each time with a record of its own."""

    def way(contender: str, n_blocks: int) -> Found:
        project = scratch / f"project-{next(PROJECTS)}"
        project.mkdir()
        return job("scale", contender, project=project, n_blocks=n_blocks)

    ways = {
        f"{name}, {n_blocks:,} blocks": partial(way, contender, n_blocks)
        for n_blocks in sizes
        for name, contender in names.items()
    }
    return alternate(ways, turns, warm=False)


def measure(
    scratch: Path, turns: int, blocks: list[int], memory: bool, cluster: bool
) -> Iterator[Row]:
    """Compare times, and memory; or count what is asked of a cluster."""
    if cluster:
        yield from measure_cluster(scratch, turns, blocks)
        return
    names = {LOOP: "loop", UNTRACKED: "untracked", TRACKED: "tracked"}
    taken = turns_of(names, blocks, scratch, turns)
    per_block: dict[str, Any] = {"key": "ms", "unit": "ms", "figure_unit": "ms"}
    for n_blocks in blocks:
        of = {name: f"{name}, {n_blocks:,} blocks" for name in names}
        for name, reach in ((TRACKED, MS), (UNTRACKED, MS if memory else None)):
            yield taken.row(
                "per small block, above the loop",
                of[name],
                of[LOOP],
                figure=lambda this, bare: this - bare,
                reach=reach,
                **per_block,
            )
        for name in (UNTRACKED, TRACKED) if memory and n_blocks > blocks[0] else ():
            yield taken.row(
                f"peak memory, above that of {blocks[0]:,} blocks",
                of[name],
                f"{name}, {blocks[0]:,} blocks",
                key="peak",
                unit="MB",
                figure=lambda this, fewest: this - fewest,
                figure_unit="MB",
                reach=MORE_MB,
            )


def measure_cluster(scratch: Path, turns: int, blocks: list[int]) -> Iterator[Row]:
    """Measure the same on two workers; the scheduler is in the process of the client."""
    names = {"nothing at all": "scheduler", "placement: client": "client"}
    names["placement: data"] = "data"
    taken = turns_of(names, blocks, scratch, turns)
    units = {"per second": "1/s", "peak": "MB", "worker": "MB"}
    for full in (*taken.of, *taken.failed):
        for key in taken.of[full][0] if full in taken.of else ["per second"]:
            yield taken.row(f"on two workers, {key}", full, key=key, unit=units.get(key, ""))


PROMISE = Promise(
    measure,
    CONTENDERS,
    {"blocks": ([10_000], [1_000]), "memory": (False, False), "cluster": (False, False)},
    turns=3,
)

if __name__ == "__main__":
    sys.exit(PROMISE.main(__doc__))
