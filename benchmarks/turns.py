"""What the benchmarks share: contenders that take turns, each in a process of its own."""

import hashlib
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.row import Contender, Reach, Row

ROOT = Path(__file__).resolve().parents[1]
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
UNSET = ("PYTHONDONTWRITEBYTECODE", "MLFLOW_TRACKING_URI", "RUNNER_EXPERIMENTS", "RUNNER_PROJECT")
LAST_CHARACTERS, GATE_S, GATE_TRIES = 3000, 0.001, 60_000
TOO_NOISY = "the machine was too busy, what is taken off took longer than all"

Found = dict[str, Any]


class ContenderError(Exception):
    """A contender ended with an error; the message is the last that it said."""


def environment(project: Path | str | None = None) -> dict[str, str]:
    """Return the variables of a contender's process: this checkout, and a project of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    own = {"PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true"}
    return kept | own | ({} if project is None else {"RUNNER_PROJECT": str(project)})


def command(
    words: Iterable[str], project: Path | str | None = None, cores: Iterable[int] | None = None
) -> tuple[float, str]:
    """Run a command to its end; return its wall time in seconds and what it wrote.

    Raises
    ------
    ContenderError
        If its exit code is not 0.
    """
    chosen = None if cores is None else set(cores)
    started = time.perf_counter()
    done = subprocess.run(
        list(words),
        env=environment(project),
        cwd=project or ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=(lambda: os.sched_setaffinity(0, chosen)) if chosen else None,
    )
    wall = time.perf_counter() - started
    if done.returncode:
        said = (done.stdout + done.stderr)[-LAST_CHARACTERS:].strip()
        raise ContenderError(f"exit code {done.returncode}\n{said}")
    return wall, done.stdout


def runner(*words: str) -> list[str]:
    """Return the command ``runner`` with these words, by this Python."""
    return [sys.executable, "-m", "runner", *words]


def own_command(module: str, name: str, given: Mapping[str, Any]) -> list[str]:
    """Return the command by which a file of this folder does the job of one contender."""
    words = [sys.executable, "-m", f"benchmarks.{module}", "--contender", name]
    return [*words, "--given", json.dumps(given)]


def job(module: str, name: str, *, project: Path | None = None, **given: Any) -> Found:
    """Let a file of this folder do the job of one contender in a process of its own."""
    return last_line(command(own_command(module, name, given), project)[1])


def last_line(said: str) -> Found:
    """Return what a process told last, as JSON."""
    found: Found = json.loads(said.splitlines()[-1])
    return found


def timed(work: Callable[[], Any], gate: str | None = None) -> Found:
    """Do some work in this process; return what it took, and what it returned as "result".

    Parameters
    ----------
    work : callable
        What is measured.
    gate : str, optional
        A folder by which two processes wait for each other, so that both begin at once.

    Returns
    -------
    dict
        ``wall`` and ``cpu`` in seconds, ``peak`` in MB of the whole process, ``result``.
    """
    from runner.tracking.environment import peak_mb

    if gate:
        _wait_at(Path(gate))
    wall, busy = time.perf_counter(), time.process_time()
    result = work()
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    return {"wall": wall, "cpu": busy, "peak": peak_mb(), "result": result}


def _wait_at(gate: Path) -> None:
    (gate / str(os.getpid())).touch()
    for _ in range(GATE_TRIES):
        if len(list(gate.iterdir())) > 1:
            return
        time.sleep(GATE_S)
    raise TimeoutError("the other process did not come")


def digest(*arrays: Any) -> str:
    """Return what two models have in common only if their arrays are the same to the last bit."""
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


@dataclass
class Taken:
    """What each contender took in each turn, and why some have nothing to tell."""

    of: dict[str, list[Found]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def fail(self, name: str, why: str) -> None:
        """Leave a contender out from here on, and say why."""
        print(f"{name} FAILED: {why}", file=sys.stderr, flush=True)
        self.failed[name] = why.strip().splitlines()[-1]
        self.of.pop(name, None)

    def why_not(self, *names: str) -> tuple[str, bool]:
        """Return why a row of these contenders cannot be told, and whether one failed."""
        failed = [f"{name} failed: {self.failed[name]}" for name in names if name in self.failed]
        absent = [self.absent[name] for name in names if name in self.absent]
        return "; ".join(failed + absent), bool(failed)

    def derive(self, name: str, how: Callable[..., float], *of: str, key: str = "wall") -> None:
        """Add a contender that follows, turn by turn, from what others took."""
        for each in of:
            for reasons in (self.failed, self.absent):
                if each in reasons:
                    reasons[name] = reasons[each]
        if not any(self.why_not(name)):
            turns = zip(*(self.of[each] for each in of), strict=True)
            self.of[name] = [{key: how(*(found[key] for found in turn))} for turn in turns]

    def same(self, key: str, *names: str) -> None:
        """See that contenders ended with the same result in every turn; else they failed."""
        here = [name for name in names if name in self.of]
        results = {
            json.dumps(found[key], sort_keys=True) for name in here for found in self.of[name]
        }
        if len(results) > 1:
            for name in here:
                self.fail(name, f"not all of {', '.join(here)} ended with the same {key}")

    def row(
        self,
        promise: str,
        *names: str,
        key: str = "wall",
        unit: str = "s",
        scale: float = 1,
        figure: Callable[..., float] | None = None,
        figure_unit: str = "",
        reach: Reach | None = None,
    ) -> Row:
        """Return the row of a promise.

        Parameters
        ----------
        promise : str
            What is promised.
        *names : str
            Of the contenders; the figure is that of the first over that of the second, or the
            value itself where there is one.
        key, unit, scale : str, str, float
            Which of the things found is told, in which unit, and times how much.
        figure : callable, optional
            What makes a figure of a turn's values, in the order of the contenders.
        figure_unit : str
            Its unit.
        reach : Reach, optional
            What it should be.
        """
        why, failed = self.why_not(*names)
        if why:
            return Row(promise=promise, names=names, reach=reach, why_not=why, failed=failed)
        values = [[found[key] * scale for found in self.of[name]] for name in names]
        told = [Contender(*each, unit) for each in zip(names, values, strict=True)]
        one = len(names) == 1 and figure is None
        make = figure or (lambda first, *second: first / second[0] if second else first)
        figures = [make(*turn) for turn in zip(*values, strict=True)]
        if figure and not (all(map(math.isfinite, figures)) and statistics.median(figures) > 0):
            return Row(promise=promise, names=names, reach=reach, why_not=TOO_NOISY)
        return Row(
            promise=promise,
            names=names,
            contenders=told,
            figures=figures,
            unit=unit if one else figure_unit,
            reach=reach,
        )


def alternate(
    ways: Mapping[str, Callable[[], Found]],
    turns: int,
    *,
    needs: Mapping[str, str] | None = None,
    warm: bool = True,
) -> Taken:
    """Let contenders take turns; a turn before, which warms caches, is not counted.

    Parameters
    ----------
    ways : mapping of str to callable
        What each contender does in a turn, and returns.
    turns : int
        How many are counted.
    needs : mapping of str to str, optional
        By contender, the library that it needs, where that may not be there.
    warm : bool
        Whether there is a turn that is not counted.
    """
    taken = Taken(of={name: [] for name in ways})
    for name, library in (needs or {}).items():
        if importlib.util.find_spec(library) is None:
            taken.absent[name] = f"{library} is not installed"
            del taken.of[name]
    for turn in range(-1 if warm else 0, turns):
        for name in list(taken.of):
            try:
                found = ways[name]()
            except ContenderError as error:
                taken.fail(name, str(error))
                continue
            if turn >= 0:
                taken.of[name].append(found)
    return taken
