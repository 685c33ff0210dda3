"""Peak memory of a long fit against a short one: 400 blocks against 40 of the same size.

Each fit runs in a process of its own and reports its peak resident memory; the two take turns.
Blocks are 8 MiB, made as they are read; the fit is slower than the reading, so that a stream
without a bound would run ahead.
"""

import argparse
import statistics
import subprocess
import sys

ROWS, COLUMNS = 20_000, 50


def measure(n_blocks: int) -> None:
    """Fit so many blocks in this process and print its peak memory in MB."""
    from sklearn.neural_network import MLPClassifier

    from runner.dataset.make_blobs import MakeBlobs
    from runner.experiment import Experiment, run
    from runner.fit.options import FitOptions
    from runner.records import Recipe
    from runner.tracking.environment import peak_mb
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
    progress = run(experiment, Recipe("memory", {})).progress
    assert progress.blocks == n_blocks
    print(peak_mb())


def peak(n_blocks: int) -> float:
    """Return the peak memory in MB of a process that fits so many blocks."""
    command = [sys.executable, __file__, "--blocks", str(n_blocks)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Compare, or measure one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    if asked.blocks:
        measure(asked.blocks)
        return
    pairs = [(peak(40), peak(400)) for _ in range(asked.repeats)]
    for name, values in zip(("40 blocks", "400 blocks"), zip(*pairs, strict=True), strict=True):
        spread = f"({min(values):.1f} to {max(values):.1f})"
        print(f"{name:10} {statistics.median(values):6.1f} MB {spread}")
    ratio = statistics.median(long / short for short, long in pairs)
    print(f"400 blocks / 40 blocks: {ratio:.3f} (reach 1.05)")


if __name__ == "__main__":
    main()
