"""What the content hash and the ledger cost, set against what they are added to.

The hash of a block is measured beside reading that block, from Parquet and from npy, and the
ledger's part of a block beside both; the ledger also beside learning small blocks. In each turn
every contender runs once, and the median of the turns is printed, as `id metric value unit`. All
times are of the processor, so that what else runs on the machine counts little.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

BLOCK_ROWS, N_COLUMNS, N_BLOCKS = 100_000, 28, 4
SMALL_ROWS = 100

Contenders = dict[str, Callable[[], Any]]


def seconds(contenders: Contenders, repeats: int) -> dict[str, list[float]]:
    """Measure each contender in turn, several times; the first turn warms up."""
    took: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(repeats + 1):
        for name, run in contenders.items():
            started = time.process_time()
            run()
            if turn:
                took[name].append(time.process_time() - started)
    return took


def per_block(took: dict[str, list[float]], n_blocks: int) -> dict[str, tuple[float, str]]:
    """Return the medians."""
    return {
        name: (statistics.median(times) / n_blocks * 1000, "ms/block")
        for name, times in took.items()
    }


def write(folder: Path) -> None:
    """Write the same blocks once as Parquet, with a row group each, and once as npy."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_BLOCKS * BLOCK_ROWS, N_COLUMNS))
    y = (X[:, 0] > 0).astype(np.int64)
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)
    table = pa.table({f"x{j}": X[:, j] for j in range(N_COLUMNS)} | {"label": y})
    pq.write_table(table, folder / "rows.parquet", row_group_size=BLOCK_ROWS)


def sources(folder: Path) -> dict[str, Any]:
    """Return what reads the blocks, by kind of file."""
    from runner.dataset.npy import Npy
    from runner.dataset.parquet import Parquet
    from runner.stream.stream import Stream

    files: dict[str, Any] = {
        "parquet": Parquet(
            path=str(folder / "rows.parquet"), target="label", chunks=BLOCK_ROWS, holdout=0
        ),
        "npy": Npy(X=str(folder / "X.npy"), y=str(folder / "y.npy"), chunks=BLOCK_ROWS, holdout=0),
    }
    return {name: Stream().source(dataset.split().train) for name, dataset in files.items()}


def large_blocks(folder: Path, repeats: int) -> dict[str, tuple[float, str]]:
    """Measure blocks of 100,000 rows of 28 float64 columns."""
    from runner.base import Progress
    from runner.stream.content import content
    from runner.tracking.ledger import Ledger

    write(folder)
    readers = sources(folder)
    block = readers["npy"].read(0)
    rows = np.arange(BLOCK_ROWS)
    ledger, progress = Ledger(print, counts_labels=True), Progress()

    def every(step: Callable[[int], Any]) -> Callable[[], None]:
        def run() -> None:
            for i in range(N_BLOCKS):
                step(i)

        return run

    contenders = {f"read {name}": every(source.read) for name, source in readers.items()}
    contenders["hash"] = every(lambda _: content(block.X, block.y, None, rows))
    contenders["ledger"] = every(lambda _: ledger.on_block_end(progress, block))
    took = seconds(contenders, repeats)
    figures = per_block(took, N_BLOCKS)
    for name in readers:
        for what in ("hash", "ledger"):
            pairs = zip(took[what], took[f"read {name}"], strict=True)
            share = statistics.median(one / other for one, other in pairs)
            figures[f"{what} / read {name}"] = (100 * share, "%")
    return figures


def small_blocks(n_blocks: int, repeats: int) -> dict[str, tuple[float, str]]:
    """Measure a fit over many blocks of 100 rows, with and without the hash and the ledger."""
    import dask.array as da
    from sklearn.linear_model import SGDClassifier

    from runner.base import Part, Place, Progress
    from runner.stream.source import BlockSource
    from runner.tracking.ledger import Ledger, parquet

    X = np.random.default_rng(0).normal(size=(n_blocks * SMALL_ROWS, N_COLUMNS))
    y = (X[:, 0] > 0).astype(np.int64)
    chunks = (SMALL_ROWS, N_COLUMNS)
    places = tuple(Place(i, i * SMALL_ROWS, (i + 1) * SMALL_ROWS) for i in range(n_blocks))
    lazy = (da.from_array(X, chunks=chunks), da.from_array(y, chunks=SMALL_ROWS))
    plain, hashed = (BlockSource(Part(*lazy, None, places), hashed=it) for it in (False, True))

    def fit(source: BlockSource, *, keeps: bool) -> None:
        model, progress = SGDClassifier(random_state=0), Progress()
        ledger = Ledger(parquet, counts_labels=True)
        for i in range(n_blocks):
            block = source.read(i, position=i)
            model.partial_fit(block.X, block.y, classes=[0, 1])
            if keeps:
                ledger.on_block_end(progress, block)
        if keeps:
            ledger.on_fit_end(progress)

    took = seconds(
        {
            "fit": lambda: fit(plain, keeps=False),
            "fit, hash": lambda: fit(hashed, keeps=False),
            "fit, hash, ledger": lambda: fit(hashed, keeps=True),
        },
        repeats,
    )
    figures = per_block(took, n_blocks)
    for more, less in (("fit, hash", "fit"), ("fit, hash, ledger", "fit, hash")):
        differences = [a - b for a, b in zip(took[more], took[less], strict=True)]
        added = more.removeprefix(f"{less}, ")
        figures[f"{added}, added"] = (
            statistics.median(differences) / n_blocks * 1000,
            "ms/block",
        )
    return figures


def main() -> None:
    """Parse the arguments and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--blocks", type=int, default=10_000, help="small ones")
    asked = parser.parse_args()
    print(f"# {platform.python_version()}, medians of {asked.repeats} turns")
    with tempfile.TemporaryDirectory() as folder:
        large = large_blocks(Path(folder), asked.repeats)
    for name, (value, unit) in large.items():
        print(f"block-of-{BLOCK_ROWS} {name.replace(' ', '-')} {value:.3f} {unit}")
    for name, (value, unit) in small_blocks(asked.blocks, asked.repeats).items():
        print(f"block-of-{SMALL_ROWS} {name.replace(', ', '-')} {value:.4f} {unit}")


if __name__ == "__main__":
    main()
