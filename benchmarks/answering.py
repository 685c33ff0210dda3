"""Evaluation and prediction: the same commands on one core, and on all.

A neural network, whose answers cost something, is fitted to one block of a Parquet folder.
``runner run`` scores it on the others, and says how long that took; ``runner predict`` writes what
it answers to every row: a whole command from its imports to its last file. Either runs once
bound to one core, as ``taskset`` does it, and once free, in alternating turns. The scores, and the
bytes of the predictions, are the same, which is checked. How long the command takes on next to no
rows is told, too.
"""

import hashlib
import json
import math
import os
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.data import make_parquet
from benchmarks.promise import Promise
from benchmarks.row import Row, at_least
from benchmarks.turns import Found, alternate, command, runner

ONE, ALL = "one core", "all cores"
START = "next to no rows, all cores"
SEEN = count()


def experiment(folder: Path, chunks: int, holdout: float) -> Path:
    """Write the experiment."""
    file = folder / "answering.yaml"
    dataset = {"path": str(folder / "scored"), "target": "label", "chunks": chunks}
    dataset |= {"holdout": holdout}
    file.write_text(
        f"""\
# a neural network whose answers cost something
defaults:
  - override /dataset: parquet
  - override /estimator: mlp_classifier
  - override /callbacks: []
name: answering
dataset: {json.dumps(dataset)}
estimator: {{hidden_layer_sizes: [256, 256]}}
partial_fit: {{classes: [0, 1]}}
fit: {{progressive_window: 0}}
evaluation: {{scoring: [accuracy, roc_auc]}}
""",
        encoding="utf-8",
    )
    return file


def one_core() -> list[int]:
    """Return the core to which a command is bound."""
    return sorted(os.sched_getaffinity(0))[:1]


def run(file: Path, project: Path, cores: list[int] | None) -> Found:
    """Fit and evaluate; return what the command says."""
    words = runner("run", str(file), "--json")
    told = json.loads(command(words, project, cores)[1])
    return {
        "wall": told["seconds"]["evaluate"],
        "scores": told["scores"],
        "run": told["run_id"],
    }


def predict(run_id: str, rows: Path, project: Path, cores: list[int] | None) -> Found:
    """Predict every row into a new folder; return the time of the command."""
    output = project / f"predicted-{next(SEEN)}"
    words = runner("predict", run_id, f"output={output}", f"dataset.path={rows}")
    wall, _ = command(words, project, cores)
    parts = [path.read_bytes() for path in sorted(output.glob("part-*.parquet"))]
    assert parts, "nothing was predicted"
    return {"wall": wall, "bytes": hashlib.sha256(b"".join(parts)).hexdigest()}


def less_start(one: float, every: float, start: float) -> float:
    """Return how many times faster all cores are, if nothing is off, else NaN."""
    return (one - start) / (every - start) if every > start else math.nan


def measure(scratch: Path, turns: int, blocks: int, scored: int, chunks: int) -> Iterator[Row]:
    """Compare one core with all."""
    make_parquet(scratch / "rows", blocks, chunks)
    make_parquet(scratch / "scored", scored, chunks)
    make_parquet(scratch / "few", 1, 100)
    project = scratch / "project"
    project.mkdir()
    file = experiment(scratch, chunks, 1 - 1 / scored)
    run_id = run(file, project, None)["run"]
    limits = {ONE: one_core(), ALL: None}
    ways = {f"evaluation, {n}": lambda c=c: run(file, project, c) for n, c in limits.items()}
    ways |= {
        f"predict, {name}": lambda c=c: predict(run_id, scratch / "rows", project, c)
        for name, c in limits.items()
    }
    ways[START] = lambda: predict(run_id, scratch / "few", project, None)
    taken = alternate(ways, turns, warm=False)
    taken.same("scores", f"evaluation, {ONE}", f"evaluation, {ALL}")
    taken.same("bytes", f"predict, {ONE}", f"predict, {ALL}")
    for what in ("evaluation", "predict"):
        names = f"{what}, {ONE}", f"{what}, {ALL}"
        yield taken.row(f"{what} by a neural network", *names, reach=at_least(1.5))
    yield taken.row(
        "predict, less the start",
        f"predict, {ONE}",
        f"predict, {ALL}",
        START,
        figure=less_start,
    )


PROMISE = Promise(
    measure, {}, {"blocks": (40, 8), "scored": (12, 6), "chunks": (50_000, 2_000)}, turns=2
)

if __name__ == "__main__":
    sys.exit(PROMISE.main(__doc__))
