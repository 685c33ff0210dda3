"""Measure every promise, one after the other, and write one table and one picture.

A contender that fails is told, and the others go on; then the exit code is 1. A figure that is out
of reach is no error.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Section, about_machine, picture, table
from benchmarks.row import Row
from benchmarks.turns import ROOT, environment

PROMISES = ("one_fit", "csv_fit", "cluster", "sweep", "scale", "answering", "start", "memory")
PROMISES += ("cli", "compose", "peers")
STUDIES = ("threads", "ledger", "checkpoint")


def section_of(name: str, options: list[str], scratch: Path) -> Section:
    """Let a file measure what it promises, in a process of its own."""
    print(f"\n## {name}\n", flush=True)
    section, rows = Section(name, os.getloadavg()), scratch / f"{name}.json"
    began = time.monotonic()
    words = [sys.executable, "-m", f"benchmarks.{name}", *options, "--rows-to", str(rows)]
    done = subprocess.run(words, env=environment(), cwd=ROOT, check=False)
    section.seconds, section.failed = time.monotonic() - began, done.returncode != 0
    if rows.is_file():
        found = json.loads(rows.read_text(encoding="utf-8"))
        section.rows = [Row.from_json(each) for each in found]
    else:
        why = f"ended with exit code {done.returncode}"
        section.rows = [Row(promise=name, why_not=why, failed=True)]
    return section


def study(name: str, output: Path) -> bool:
    """Let a study print what it finds, here and to a file; say whether it failed."""
    print(f"\n## {name}\n", flush=True)
    words = [sys.executable, "-m", f"benchmarks.{name}"]
    with (output / f"{name}.txt").open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            words, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for line in process.stdout or ():
            print(line, end="", flush=True)
            file.write(line)
        return process.wait() != 0


def parsed() -> argparse.Namespace:
    """Return what the command line asks."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    folder = ROOT / "benchmarks" / "results"
    parser.add_argument("--only", nargs="+", choices=(*PROMISES, *STUDIES), metavar="NAME")
    parser.add_argument("--turns", type=int, help="instead of what each file does by default")
    parser.add_argument("--quick", action="store_true", help="small sizes and one turn, to try it")
    parser.add_argument("--all", action="store_true", help=f"the studies too: {STUDIES}")
    parser.add_argument("--output", type=Path, default=folder, metavar="FOLDER")
    return parser.parse_args()


def main() -> int:
    """Measure, print and write; return 1 if a contender failed."""
    asked = parsed()
    options = ["--quick"] if asked.quick else []
    options += ["--turns", str(asked.turns)] if asked.turns else []
    asked.output.mkdir(parents=True, exist_ok=True)
    chosen = asked.only or (*PROMISES, *(STUDIES if asked.all else ()))
    machine, sections = about_machine(), []
    with tempfile.TemporaryDirectory() as scratch:
        for name in PROMISES:
            if name in chosen:
                sections.append(section_of(name, options, Path(scratch)))
                told = table(sections, machine)
                (asked.output / "table.md").write_text(told, encoding="utf-8")
    if sections:
        picture(sections, asked.output / "picture.svg")
        print(f"\n{told}\n{asked.output / 'table.md'}\n{asked.output / 'picture.svg'}")
    failed = [study(name, asked.output) for name in STUDIES if name in chosen]
    return int(any(failed) or any(section.failed for section in sections))


if __name__ == "__main__":
    sys.exit(main())
