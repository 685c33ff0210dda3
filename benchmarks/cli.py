"""How long a person waits for the command line, side by side with an empty Python.

Whole commands, each a process of its own, in alternating turns with ``python -c pass``, in a
project that is empty. Bytecode is compiled and what ``validate`` remembers of classes is
remembered by a turn that is not counted. A ratio is the median of the ratios turn by turn.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
RUNNER = ["-c", "import sys; from runner.cli import main; sys.exit(main(sys.argv[1:]))"]
COMMANDS = {  # and within how many milliseconds
    "python -c pass": (["-c", "pass"], None),
    "list": ([*RUNNER, "list"], 60),
    "--help": ([*RUNNER, "--help"], 60),
    "completion of a name": ([*RUNNER, "--complete", "2", "runner", "run", "quick"], 100),
    "completion of a key": (
        [*RUNNER, "--complete", "3", "runner", "run", "quickstart", "estimator.al"],
        None,
    ),
    "validate quickstart": ([*RUNNER, "validate", "quickstart"], 600),
    "show quickstart": ([*RUNNER, "show", "quickstart"], None),
}


def seconds(arguments, project):
    """Return the wall time of a command."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RUNNER_PROJECT": project}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, env=environment, cwd=project
    )
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=11)
    n_turns = parser.parse_args().turns
    times = {name: [] for name in COMMANDS}
    with TemporaryDirectory() as project:
        for turn in range(n_turns + 1):
            for name, (arguments, _) in COMMANDS.items():
                spent = seconds(arguments, project)
                if turn:
                    times[name].append(spent * 1000)
    empty = times["python -c pass"]
    print(f"medians of {n_turns} turns (least to most)")
    for name, (_, reach) in COMMANDS.items():
        ratio = statistics.median(a / b for a, b in zip(times[name], empty, strict=True))
        median = statistics.median(times[name])
        told = f"{median:6.0f} ms ({min(times[name]):.0f} to {max(times[name]):.0f})"
        verdict = f"  to reach: {reach} ms: {'yes' if median < reach else 'NO'}" if reach else ""
        print(f"  {name:<22} {told:<26} {ratio:5.1f} x{verdict}")


if __name__ == "__main__":
    main()
