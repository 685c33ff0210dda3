"""What it costs to keep the state of a fit: the same fit with and without, taking turns.

Blocks that take 2, 20 and 200 ms to learn, and learners whose state has 1 kB and 21 MB, with the
curves and the ledger of a recorded run. States are written from the first block on
(``after_s=0``), by the default settings, and with ``every_s=0``, when the cost alone decides how
often. Each case is measured in a process of its own; a turn is a fit of some seconds in each way.
What is told is the median over the turns of the wall time, in proportion to that of the same turn
without, and what the callback counts itself. The states go to the disk of ``--folder``.
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
import warnings
from collections.abc import Generator
from dataclasses import replace
from itertools import islice
from typing import Any

N_BLOCKS = 5  # that take turns
BLOCK_MS = (2, 20, 200)
SIZES = ("1 kB", "21 MB")
WAYS: dict[str, dict[str, float] | None] = {
    "without": None,
    "default": {"after_s": 0},
    "every_s=0": {"after_s": 0, "every_s": 0},
}
CLASSES = [0, 1]
COLUMNS = 28
HIDDEN, WIDE = 4600, 285  # weights, a gradient and two moments of each, as float32: 21 MB
HASHED, WORDS = 2_600_000, 30  # weights as float64: 21 MB


def learner_of(size: str, block_ms: int) -> Any:
    """Return a learner whose state is so large and that can learn a block in such a time."""
    from sklearn.linear_model import SGDClassifier
    from sklearn.neural_network import MLPClassifier

    if size == "21 MB" and block_ms > min(BLOCK_MS):
        return MLPClassifier((HIDDEN,), random_state=0)
    return SGDClassifier(random_state=0)


def rows_of(learner: Any, size: str, n_rows: int, number: int) -> tuple[Any, Any]:
    """Return rows that suit a learner, and their labels."""
    import numpy as np
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng([number, n_rows])
    y = rng.integers(0, 2, n_rows)
    if size == "1 kB":
        return rng.normal(size=(n_rows, COLUMNS)), y
    if type(learner).__name__ == "MLPClassifier":
        return rng.normal(size=(n_rows, WIDE)).astype("float32"), y
    words = rng.integers(0, HASHED, n_rows * WORDS)
    starts = np.arange(0, n_rows * WORDS + 1, WORDS)
    return csr_matrix((np.ones(len(words)), words, starts), (n_rows, HASHED)), y


def calibrated(size: str, block_ms: int) -> int:
    """Return how many rows take so long to be learned."""
    learner, n_rows, took_ms = learner_of(size, block_ms), 10, 0.0
    while True:
        rows = rows_of(learner, size, n_rows, 0)
        learner.partial_fit(*rows, classes=CLASSES)
        times = []
        for _ in range(5):
            started = time.perf_counter()
            learner.partial_fit(*rows)
            times.append((time.perf_counter() - started) * 1000)
        took_ms = statistics.median(times)
        if took_ms > 0.8 * block_ms:
            return max(1, round(n_rows * min(1.2, block_ms / took_ms)))
        n_rows = max(n_rows + 1, round(n_rows * min(10, block_ms / took_ms)))


def fit_once(
    size: str, block_ms: int, blocks: list[Any], n_steps: int, way: str
) -> dict[str, Any]:
    """Learn from so many blocks, keep states in some way, and say what that took."""
    from runner.base import Progress
    from runner.callbacks.checkpoint import Checkpoint
    from runner.fit.incremental_fit import IncrementalFit
    from runner.fit.loop import fit_loop
    from runner.saved import forget, writing
    from runner.tracking.ledger import Ledger
    from runner.tracking.recorder import Recorder
    from runner.tracking.saved_states import state_file

    settings, run_id = WAYS[way], "measured"
    checkpoint = None if settings is None else Checkpoint(**settings)
    kept = {"recorder": Recorder(lambda *_: []), "ledger": Ledger(lambda _: None)}
    progress = Progress(epochs=1, total_rows=n_steps * blocks[0].n_rows)
    fit = IncrementalFit(
        learner_of(size, block_ms),
        {"classes": CLASSES},
        checkpoint=checkpoint,
        callbacks=kept if checkpoint is None else {"checkpoint": checkpoint, **kept},
        progress=progress,
    )
    if checkpoint is not None:
        checkpoint.attach(writing(run_id, {}, bytes, progress))

    def epoch(number: int) -> Generator[Any]:
        for position in range(n_steps):
            yield replace(blocks[position % len(blocks)], epoch=number, position=position)

    started = time.perf_counter()
    fit_loop([fit], epoch)
    wall = time.perf_counter() - started
    n_bytes = state_file(run_id).stat().st_size if checkpoint is not None else 0
    forget(run_id)
    return {
        "wall": wall,
        "kept": checkpoint.kept if checkpoint else 0,
        "spent": checkpoint.spent_s if checkpoint else 0.0,
        "bytes": n_bytes,
    }


def measure(size: str, block_ms: int, seconds: float, repeats: int) -> dict[str, Any]:
    """Measure one case in this process, in turns."""
    from runner.base import Block, Place
    from runner.one_core import one_core

    warnings.simplefilter("ignore")
    with one_core():
        n_rows = calibrated(size, block_ms)
        learner, blocks = learner_of(size, block_ms), []
        for i in range(N_BLOCKS):
            X, y = rows_of(learner, size, n_rows, i)
            blocks.append(Block(X, y, None, Place(i, i * n_rows, (i + 1) * n_rows)))
        n_steps = max(10, round(seconds * 1000 / block_ms))
        fit_once(size, block_ms, blocks, 10, "default")  # it warms up
        turns = []
        for turn in range(repeats):
            ways = list(WAYS) if turn % 2 else list(WAYS)[::-1]
            turns.append({way: fit_once(size, block_ms, blocks, n_steps, way) for way in ways})
    return {"n_steps": n_steps, "n_rows": n_rows, "turns": turns}


HEAD = (
    "state",
    "block",
    "kept",
    "overhead (min to max)",
    "states",
    "state",
    "spent, as it counts",
)


def table_rows(size: str, result: dict[str, Any]) -> Generator[list[str]]:
    """Yield the cells of a line of the table for each way of keeping states."""
    turns = result["turns"]
    for way in islice(WAYS, 1, None):
        over = [100 * (turn[way]["wall"] / turn["without"]["wall"] - 1) for turn in turns]
        spent = statistics.median(100 * t[way]["spent"] / t[way]["wall"] for t in turns)
        plain = statistics.median(turn["without"]["wall"] for turn in turns)
        yield [
            size,
            f"{1000 * plain / result['n_steps']:.1f} ms",
            way,
            f"{statistics.median(over):+.2f} % ({min(over):+.2f} to {max(over):+.2f})",
            f"{statistics.median(turn[way]['kept'] for turn in turns):g}",
            f"{turns[0][way]['bytes'] / 1e6:.3f} MB",
            f"{statistics.median(t[way]['spent'] for t in turns):.3f} s, {spent:.2f} %",
        ]


def compare(asked: argparse.Namespace) -> None:
    """Measure one case after the other and print the table."""
    print(f"{platform.python_version()}, {asked.repeats} turns of fits of {asked.seconds:g} s")
    print(f"\n| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for size in asked.sizes:
        for block_ms in asked.blocks:
            with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
                command = [sys.executable, __file__, "--contender", size, str(block_ms)]
                command += ["--seconds", str(asked.seconds), "--repeats", str(asked.repeats)]
                done = subprocess.run(
                    command,
                    capture_output=True,
                    text=True,
                    check=False,
                    env={**os.environ, "RUNNER_PROJECT": folder},
                )
            if done.returncode:
                print(f"| {size} | {block_ms} ms | failed: {done.stderr.splitlines()[-1]} |")
                continue
            result = json.loads(done.stdout.splitlines()[-1])
            for cells in table_rows(size, result):
                print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=SIZES)
    parser.add_argument("--blocks", nargs="+", type=int, choices=BLOCK_MS, default=BLOCK_MS)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", default=".", help="where states are written")
    parser.add_argument("--contender", nargs=2)
    asked = parser.parse_args()
    if asked.contender:
        size, block_ms = asked.contender
        print(json.dumps(measure(size, int(block_ms), asked.seconds, asked.repeats)))
    else:
        compare(asked)


if __name__ == "__main__":
    main()
