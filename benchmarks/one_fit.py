"""One fit, side by side: a hand-written loop, dask-ml's Incremental, and the runner.

Every contender runs in a process of its own, in turn, several times. A process first imports what
it needs, then reports the wall time of its job and its peak resident memory. All learn from the
same 4 million rows of 28 float32 columns in blocks of 100,000, in the same order, with the same
estimator, and end with the same coefficients, which is checked.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

N_COLUMNS, BLOCK_ROWS, BLOCKS_PER_FILE = 28, 100_000, 5
NAMES = [f"x{i}" for i in range(N_COLUMNS)]


def estimator():
    """Return the estimator all contenders fit."""
    from sklearn.linear_model import SGDClassifier

    return SGDClassifier(random_state=0)


def make(folder: Path, n_blocks: int) -> None:
    """Write the rows once as Parquet files, with a row group per block, and once as npy."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "parquet").mkdir(parents=True, exist_ok=True)
    n_rows = n_blocks * BLOCK_ROWS
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", "float32", (n_rows, N_COLUMNS))
    y = np.lib.format.open_memmap(folder / "y.npy", "w+", "int64", (n_rows,))
    weights = np.random.default_rng(1).normal(size=N_COLUMNS)
    writer = None
    for i in range(n_blocks):
        rng = np.random.default_rng([2, i])
        rows = rng.normal(size=(BLOCK_ROWS, N_COLUMNS)).astype("float32")
        labels = (rows @ weights + rng.normal(size=BLOCK_ROWS) > 0).astype("int64")
        at = slice(i * BLOCK_ROWS, (i + 1) * BLOCK_ROWS)
        X[at], y[at] = rows, labels
        table = pa.table({name: rows[:, j] for j, name in enumerate(NAMES)} | {"label": labels})
        if i % BLOCKS_PER_FILE == 0:
            writer and writer.close()
            path = folder / "parquet" / f"part-{i // BLOCKS_PER_FILE:03}.parquet"
            writer = pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=BLOCK_ROWS)
    writer.close()
    X.flush()
    y.flush()


def blocks_by_hand(folder: Path):
    """Yield the blocks as a careful person would read them: only what is needed, one at a time."""
    import pyarrow.parquet as pq

    for path in sorted((folder / "parquet").glob("*.parquet")):
        file = pq.ParquetFile(path)
        for group in range(file.num_row_groups):
            frame = file.read_row_group(group, columns=[*NAMES, "label"]).to_pandas()
            yield frame[NAMES].to_numpy(), frame["label"].to_numpy()


def loop_parquet(folder: Path):
    """Prepare the hand-written loop."""
    model = estimator()

    def job():
        for X, y in blocks_by_hand(folder):
            model.partial_fit(X, y, classes=[0, 1])
        return model

    return job


def load_parquet(folder: Path):
    """Prepare the reading alone, by the runner's reader, in one thread."""
    from runner.stream.stream import Stream

    _, train = _experiment(folder, "parquet")

    def job():
        stream = Stream(shuffle=False, prefetch=0)
        for block in stream.in_order(stream.source(train())):
            del block

    return job


def fit_alone(folder: Path):
    """Prepare the learning alone: as many blocks, all already in memory."""
    from runner.stream.stream import Stream

    _, train = _experiment(folder, "parquet")
    part = train()
    block = Stream().source(part).read(0)
    model = estimator()

    def job():
        for _ in range(part.n_blocks):
            model.partial_fit(block.X, block.y, classes=[0, 1])

    return job


def dask_ml_npy(folder: Path):
    """Prepare dask-ml's Incremental over the npy files."""
    import dask.array as da
    import numpy as np
    from dask_ml.wrappers import Incremental

    model = Incremental(estimator(), shuffle_blocks=False)

    def job():
        X = np.load(folder / "X.npy", mmap_mode="r")
        y = np.load(folder / "y.npy", mmap_mode="r")
        model.fit(
            da.from_array(X, chunks=(BLOCK_ROWS, N_COLUMNS)),
            da.from_array(y, chunks=BLOCK_ROWS),
            classes=[0, 1],
        )
        return model.estimator_

    return job


def runner_parquet(folder: Path):
    """Prepare the runner over the Parquet folder."""
    return _runner_job(folder, "parquet")


def runner_npy(folder: Path):
    """Prepare the runner over the npy files."""
    return _runner_job(folder, "npy")


def _runner_job(folder: Path, kind: str):
    experiment, _ = _experiment(folder, kind)
    from runner.experiment import run
    from runner.records import Recipe

    return lambda: run(experiment, Recipe(kind, {})).estimator


def _experiment(folder: Path, kind: str):
    from runner.dataset.npy import Npy
    from runner.dataset.parquet import Parquet
    from runner.experiment import Experiment
    from runner.fit.options import FitOptions
    from runner.stream.stream import Stream
    from runner.tracking.memory_tracker import MemoryTracker

    common = {"chunks": BLOCK_ROWS, "holdout": 0}
    dataset = (
        Parquet(path=str(folder / "parquet"), target="label", **common)
        if kind == "parquet"
        else Npy(X=str(folder / "X.npy"), y=str(folder / "y.npy"), **common)
    )
    experiment = Experiment(
        name=kind,
        dataset=dataset,
        estimator=estimator(),
        tracking=MemoryTracker(),
        partial_fit={"classes": [0, 1]},
        stream=Stream(shuffle=False),
        fit=FitOptions(progressive_window=0),
    )
    return experiment, lambda: dataset.split()[0]


CONTENDERS: dict[str, Callable] = {
    "loop_parquet": loop_parquet,
    "runner_parquet": runner_parquet,
    "dask_ml_npy": dask_ml_npy,
    "runner_npy": runner_npy,
    "load_parquet": load_parquet,
    "fit_alone": fit_alone,
}


def measure(name: str, folder: Path) -> None:
    """Do one contender's job in this process and print what it took."""
    from runner.tracking.environment import peak_mb

    job = CONTENDERS[name](folder)
    started = time.perf_counter()
    model = job()
    wall = time.perf_counter() - started
    peak = peak_mb()
    digest = "" if model is None else model.coef_.tobytes().hex()
    print(json.dumps({"wall": wall, "peak": peak, "coef": digest}))


def compare(folder: Path, repeats: int) -> None:
    """Run every contender in turn and print medians and ratios."""
    taken: dict[str, list[dict]] = {name: [] for name in CONTENDERS}
    for turn in range(repeats + 1):
        for name in CONTENDERS:
            command = [sys.executable, __file__, "--contender", name, "--folder", str(folder)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            if turn:  # the first turn warms the page cache
                taken[name].append(json.loads(done.stdout.splitlines()[-1]))
    assert len({t["coef"] for taking in taken.values() for t in taking if t["coef"]}) == 1
    print(f"{platform.python_version()}, {repeats} turns, medians (min to max)")
    for name, taking in taken.items():
        wall, peak = ([t[key] for t in taking] for key in ("wall", "peak"))
        print(
            f"{name:15} {statistics.median(wall):6.2f} s ({min(wall):.2f} to {max(wall):.2f})"
            f"  {statistics.median(peak):6.0f} MB"
        )

    def ratio(a: str, b: str, key: str) -> float:
        return statistics.median(x[key] / y[key] for x, y in zip(taken[a], taken[b], strict=True))

    limit = statistics.median(
        r["wall"] / max(load["wall"], fit["wall"])
        for r, load, fit in zip(
            taken["runner_parquet"], taken["load_parquet"], taken["fit_alone"], strict=True
        )
    )
    loop = ratio("runner_parquet", "loop_parquet", "wall")
    print(f"Parquet: runner / hand-written loop          wall {loop:.2f} (reach 0.70)")
    print(f"Parquet: runner / max(load alone, fit alone) wall {limit:.2f} (reach 1.25)")
    print(
        f"npy: runner / dask-ml Incremental            "
        f"wall {ratio('runner_npy', 'dask_ml_npy', 'wall'):.2f} (reach 0.60), "
        f"peak memory {ratio('runner_npy', 'dask_ml_npy', 'peak'):.2f} (reach 0.60)"
    )


def main() -> None:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--contender", choices=CONTENDERS)
    asked = parser.parse_args()
    if asked.contender:
        measure(asked.contender, asked.folder)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        if not (folder / "parquet").is_dir():
            make(folder, asked.blocks)
        compare(folder, asked.repeats)


if __name__ == "__main__":
    main()
