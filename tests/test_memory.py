"""Memory does not grow with the number of blocks."""

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).resolve().parents[1] / "benchmarks" / "memory.py"


def peak_mb_of(n_blocks):
    done = subprocess.run(
        [sys.executable, BENCHMARK, "--blocks", str(n_blocks)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout.split()[-1])


def test_ten_times_the_blocks_need_no_more_memory():
    short, long = peak_mb_of(40), peak_mb_of(400)
    assert long <= 1.05 * short
