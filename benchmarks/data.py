"""The rows that the benchmarks learn: 28 float32 columns and a label, or lines of text."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

N_COLUMNS, GROUPS_PER_FILE = 28, 5
NAMES = [f"x{i}" for i in range(N_COLUMNS)]
MODULES = ["asyncio", "email", "encodings", "http", "importlib"]
MODULES += ["logging", "multiprocessing", "unittest", "urllib", "xml"]


def rows_of(number: int, n_rows: int) -> tuple[Any, Any]:
    """Make a block: normal columns, and labels that follow from them with noise."""
    import numpy as np

    rng = np.random.default_rng([2, number])
    rows = rng.normal(size=(n_rows, N_COLUMNS)).astype("float32")
    weights = np.random.default_rng(1).normal(size=N_COLUMNS)
    labels = (rows @ weights + rng.normal(size=n_rows) > 0).astype("int64")
    return rows, labels


def table_of(number: int, n_rows: int) -> Any:
    import pyarrow as pa

    rows, labels = rows_of(number, n_rows)
    return pa.table({name: rows[:, j] for j, name in enumerate(NAMES)} | {"label": labels})


def make_parquet(folder: Path, n_blocks: int, chunks: int, first: int = 0) -> None:
    """Write files of five row groups, a row group per block."""
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, n_blocks, GROUPS_PER_FILE):
        numbers = range(start, min(start + GROUPS_PER_FILE, n_blocks))
        tables = (table_of(first + number, chunks) for number in numbers)
        one = next(tables)
        with pq.ParquetWriter(folder / f"part-{start:04}.parquet", one.schema) as writer:
            for table in chain([one], tables):
                writer.write_table(table, row_group_size=chunks)


def make_npy(folder: Path, n_blocks: int, chunks: int) -> None:
    """Write all rows as two files."""
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    n_rows = n_blocks * chunks
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", "float32", (n_rows, N_COLUMNS))
    y = np.lib.format.open_memmap(folder / "y.npy", "w+", "int64", (n_rows,))
    for number in range(n_blocks):
        at = slice(number * chunks, (number + 1) * chunks)
        X[at], y[at] = rows_of(number, chunks)
    X.flush()
    y.flush()


def make_csv(folder: Path, n_blocks: int, chunks: int) -> None:
    """Write a file per block."""
    from pyarrow.csv import write_csv

    folder.mkdir(parents=True, exist_ok=True)
    for number in range(n_blocks):
        write_csv(table_of(number, chunks), folder / f"part-{number:04}.csv")


def make_text(folder: Path, n_blocks: int, chunks: int) -> None:
    """Write a folder per block, with a file per label: lines of Python's standard library."""
    import dask
    import numpy as np

    from runner.dataset.text import StdlibLines

    source = StdlibLines(modules=MODULES).arrays()
    X, y = dask.compute(source.X, source.y, scheduler="sync")
    lines = {label: X[y == label] for label in MODULES}
    for number in range(n_blocks):
        rng = np.random.default_rng([3, number])
        part = folder / f"part-{number:04}"
        part.mkdir(parents=True)
        for label in MODULES:
            chosen = rng.choice(lines[label], chunks // len(MODULES))
            text = "".join(f"{line}\n" for line in chosen)
            (part / f"{label}.txt").write_text(text, encoding="utf-8", newline="\n")


def group_of(folder: Path, number: int) -> tuple[Any, Any]:
    """Read a block of Parquet as a careful person would: only what is needed."""
    import pyarrow.parquet as pq

    start, group = number // GROUPS_PER_FILE * GROUPS_PER_FILE, number % GROUPS_PER_FILE
    with pq.ParquetFile(folder / f"part-{start:04}.parquet") as file:
        frame = file.read_row_group(group, columns=[*NAMES, "label"]).to_pandas()
    return frame[NAMES].to_numpy(), frame["label"].to_numpy()


def frames_of_csv(paths: Iterable[Path], chunks: int) -> Iterator[Any]:
    """Read CSV files one after the other, so many rows at a time, as pandas' manual tells."""
    import pandas as pd

    for path in paths:
        with pd.read_csv(path, chunksize=chunks) as reader:
            yield from reader
