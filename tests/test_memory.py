"""Memory does not grow with the number of blocks."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIT = [sys.executable, "-m", "benchmarks.memory", "--contender", "fit", "--given"]


def peak_mb_of(n_blocks):
    done = subprocess.run(
        [*FIT, json.dumps({"n_blocks": n_blocks})],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    return json.loads(done.stdout)["peak"]


def test_ten_times_the_blocks_need_no_more_memory():
    with ThreadPoolExecutor(2) as pool:  # the peak of a process is its own
        short, long = pool.map(peak_mb_of, (40, 400))
    assert long <= 1.05 * short
