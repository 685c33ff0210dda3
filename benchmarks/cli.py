"""How long a person waits for the command line, side by side with an empty Python.

Whole commands, each a process of its own, in alternating turns with ``python -c pass``, in a
project that is empty. Bytecode is compiled and what ``validate`` remembers of classes is
remembered by a turn that is not counted.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.promise import Promise
from benchmarks.row import Reach, Row, at_most
from benchmarks.turns import Found, alternate, command

RUNNER = ["-c", "import sys; from runner.cli import main; sys.exit(main(sys.argv[1:]))"]
EMPTY = "python -c pass"
COMMANDS: dict[str, tuple[list[str], Reach | None]] = {  # within how many milliseconds
    "runner list": ([*RUNNER, "list"], at_most(60)),
    "runner --help": ([*RUNNER, "--help"], at_most(60)),
    "completion of a name": (
        [*RUNNER, "--complete", "2", "runner", "run", "quick"],
        at_most(100),
    ),
    "completion of a key": (
        [*RUNNER, "--complete", "3", "runner", "run", "quickstart", "estimator.al"],
        None,
    ),
    "runner validate quickstart": ([*RUNNER, "validate", "quickstart"], at_most(600)),
    "runner show quickstart": ([*RUNNER, "show", "quickstart"], None),
}


def measure(scratch: Path, turns: int) -> Iterator[Row]:
    """Let them take turns."""

    def way(words: list[str]) -> Found:
        return {"wall": command([sys.executable, *words], scratch)[0]}

    ways = {EMPTY: lambda: way(["-c", "pass"])}
    ways |= {name: lambda words=words: way(words) for name, (words, _) in COMMANDS.items()}
    taken = alternate(ways, turns)
    for name, (_, reach) in COMMANDS.items():
        yield taken.row(
            "how long a person waits",
            name,
            EMPTY,
            unit="ms",
            scale=1000,
            figure=lambda this, _: this,
            figure_unit="ms",
            reach=reach,
        )


PROMISE = Promise(measure, {}, {})

if __name__ == "__main__":
    sys.exit(PROMISE.main(__doc__))
