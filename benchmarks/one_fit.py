"""One fit from Parquet and from npy, side by side: by hand, by dask-ml, by the runner.

Every contender first imports what it needs and prepares; then the wall time of its job, and at the
end the peak resident memory of its process, are taken. All learn the same rows in blocks of
100,000, in the same order, with the same estimator, and end with the same coefficients, which is
checked. There is no holdout, no progressive score and no record.

The limit is the larger of two times: of reading alone, in one thread, and of learning alone, from
as many distinct blocks in memory as there are. It is told twice: each measured with the machine to
itself, and both at once in two processes that begin together, because cores that share caches and
memory slow each other down, whatever program they run.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from benchmarks.data import N_COLUMNS, NAMES, make_npy, make_parquet
from benchmarks.promise import Promise
from benchmarks.row import Row, at_least, at_most
from benchmarks.turns import (
    ContenderError,
    Found,
    alternate,
    digest,
    environment,
    job,
    last_line,
    own_command,
    timed,
)

CLASSES = [0, 1]
RUNNER, LOOP = "runner", "hand-written loop"
RUNNER_NPY, DASK_ML = "runner (npy)", "dask-ml's Incremental"
READ, LEARN = "reading alone", "learning alone"
ALONE, AT_ONCE = "the larger of the two alone", "the larger of the two at once"


def estimator() -> Any:
    """Return the estimator all contenders fit."""
    from sklearn.linear_model import SGDClassifier

    return SGDClassifier(random_state=0)


def loop(folder: str) -> Found:
    """Learn as a careful person would read: only what is needed, one block at a time."""
    import pyarrow.parquet as pq

    model = estimator()

    def work() -> Any:
        for path in sorted((Path(folder) / "parquet").glob("*.parquet")):
            file = pq.ParquetFile(path)
            for group in range(file.num_row_groups):
                frame = file.read_row_group(group, columns=[*NAMES, "label"]).to_pandas()
                X, y = frame[NAMES].to_numpy(), frame["label"].to_numpy()
                model.partial_fit(X, y, classes=CLASSES)
        return digest(model.coef_)

    return timed(work)


def dask_ml(folder: str, chunks: int) -> Found:
    """Learn the npy files by dask-ml's Incremental."""
    import dask.array as da
    import numpy as np
    from dask_ml.wrappers import Incremental

    model = Incremental(estimator(), shuffle_blocks=False)

    def work() -> Any:
        X = np.load(f"{folder}/X.npy", mmap_mode="r")
        y = np.load(f"{folder}/y.npy", mmap_mode="r")
        model.fit(
            da.from_array(X, chunks=(chunks, N_COLUMNS)),
            da.from_array(y, chunks=chunks),
            classes=CLASSES,
        )
        return digest(model.estimator_.coef_)

    return timed(work)


def by_runner(kind: str, folder: str, chunks: int) -> Found:
    """Learn by the runner."""
    from runner.experiment import Experiment, run
    from runner.fit.options import FitOptions
    from runner.records import Recipe
    from runner.stream.stream import Stream
    from runner.tracking.memory_tracker import MemoryTracker

    experiment = Experiment(
        name=kind,
        dataset=dataset(kind, folder, chunks),
        estimator=estimator(),
        tracking=MemoryTracker(),
        partial_fit={"classes": CLASSES},
        stream=Stream(shuffle=False),
        fit=FitOptions(progressive_window=0),
    )
    return timed(lambda: digest(run(experiment, Recipe(kind, {})).estimator.coef_))


def dataset(kind: str, folder: str, chunks: int) -> Any:
    from runner.dataset.npy import Npy
    from runner.dataset.parquet import Parquet

    common: dict[str, Any] = {"chunks": chunks, "holdout": 0}
    if kind == "npy":
        return Npy(X=f"{folder}/X.npy", y=f"{folder}/y.npy", **common)
    return Parquet(path=f"{folder}/parquet", target="label", **common)


def read(folder: str, chunks: int, gate: str | None = None) -> Found:
    """Read alone, by the runner's reader, in one thread."""
    from runner.stream.stream import Stream

    train = dataset("parquet", folder, chunks).split()[0]
    stream = Stream(shuffle=False, prefetch=0)

    def work() -> None:
        for block in stream.in_order(stream.source(train)):
            del block

    return timed(work, gate)


def learn(folder: str, chunks: int, gate: str | None = None) -> Found:
    """Learn alone: all blocks are in memory."""
    from runner.stream.stream import Stream

    train = dataset("parquet", folder, chunks).split()[0]
    source = Stream().source(train)
    blocks = [source.read(number) for number in range(train.n_blocks)]
    model = estimator()

    def work() -> str:
        for block in blocks:
            model.partial_fit(block.X, block.y, classes=CLASSES)
        return digest(model.coef_)

    return timed(work, gate)


def at_once(folder: str, chunks: int) -> Found:
    """Read and learn at the same time, in two processes; return the larger of the two times."""
    given = {"folder": folder, "chunks": chunks, "gate": mkdtemp(dir=folder)}
    pipe = subprocess.PIPE
    both = [
        subprocess.Popen(
            own_command("one_fit", name, given), env=environment(), stdout=pipe, text=True
        )
        for name in ("read", "learn")
    ]
    said = [process.communicate()[0] for process in both]
    if any(process.returncode for process in both):
        raise ContenderError("reading or learning ended with an error")
    return {"wall": max(last_line(each)["wall"] for each in said)}


CONTENDERS: dict[str, Callable[..., Found]] = {
    "loop": loop,
    "runner": partial(by_runner, "parquet"),
    "dask_ml": dask_ml,
    "runner_npy": partial(by_runner, "npy"),
    "read": read,
    "learn": learn,
}


def measure(scratch: Path, turns: int, blocks: int, chunks: int) -> Iterator[Row]:
    """Compare them all."""
    make_parquet(scratch / "parquet", blocks, chunks)
    make_npy(scratch, blocks, chunks)
    given = {"folder": str(scratch), "chunks": chunks}
    ways = {
        LOOP: partial(job, "one_fit", "loop", folder=str(scratch)),
        RUNNER: partial(job, "one_fit", "runner", **given),
        READ: partial(job, "one_fit", "read", **given),
        LEARN: partial(job, "one_fit", "learn", **given),
        AT_ONCE: partial(at_once, **given),
        DASK_ML: partial(job, "one_fit", "dask_ml", **given),
        RUNNER_NPY: partial(job, "one_fit", "runner_npy", **given),
    }
    taken = alternate(ways, turns, needs={DASK_ML: "dask_ml"})
    taken.same("result", LOOP, RUNNER, LEARN, DASK_ML, RUNNER_NPY)
    taken.derive(ALONE, max, READ, LEARN)
    yield taken.row("one fit from Parquet", RUNNER, LOOP, reach=at_most(0.7))
    yield taken.row("one fit from Parquet", RUNNER, ALONE, reach=at_most(1.25))
    yield taken.row("one fit from Parquet, the limit of these cores", RUNNER, AT_ONCE)
    yield taken.row("the limit, of which", READ, LEARN)
    yield taken.row("one fit from npy", DASK_ML, RUNNER_NPY, reach=at_least(1.7))
    yield taken.row(
        "one fit from npy, memory", DASK_ML, RUNNER_NPY, key="peak", unit="MB", reach=at_least(1.7)
    )


PROMISE = Promise(measure, CONTENDERS, {"blocks": (40, 6), "chunks": (100_000, 10_000)})

if __name__ == "__main__":
    sys.exit(PROMISE.main(__doc__))
