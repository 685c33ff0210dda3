"""Commands that are killed at some instant, and what tells how far each had come.

``python tests/killed.py`` is a server: it imports all that a command needs once, and forks a child
for each command that it is asked for. So a kill costs no import, and what is killed is a process
of its own all the same. A child notes in a file what it does: ``learn`` before each block, with a
digest of its rows; ``keep`` and ``kept`` around a saved state; ``test``, ``score`` and ``upload``.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import zlib
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from functools import wraps
from inspect import getattr_static
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from joblib.hashing import NumpyHasher

from runner import statefile
from runner.cli import main
from runner.tracking.client import connect
from runner.tracking.leaderboard import PATH as LEADERBOARD
from runner.tracking.loading import load_model
from runner.tracking.record import children, kept_bytes, recent_runs
from runner.tracking.store import resolve
from runner.tracking.tags import (
    CONTENT,
    HALVING,
    MODEL_HASH,
    ORDER_HASH,
    RUNG,
    STOP_REASON,
)

ROOT = Path(__file__).resolve().parents[1]
LEARNERS = (
    ("sklearn.linear_model", "SGDClassifier"),
    ("sklearn.neural_network", "MLPClassifier"),
    ("sklearn.naive_bayes", "GaussianNB"),
    ("sklearn.cluster", "MiniBatchKMeans"),
    ("sklearn.decomposition", "IncrementalPCA"),
)
NOT_THE_SAME = ("progress/rows_per_second", "time/", "memory/", "system/")
SAME_TAGS = (MODEL_HASH, f"{CONTENT}train", ORDER_HASH, STOP_REASON, HALVING, RUNG)
TIMES = ["load_ms", "wait_ms", "fit_ms"]
PATIENCE_S = 120


# What runs in a child.


def noting(notes):
    """Note from now on in a file what this process does."""
    descriptor = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(*words):
        os.write(descriptor, f"{' '.join(map(str, (*words, time.monotonic())))}\n".encode())

    for module, name in LEARNERS:
        note_learning(getattr(importlib.import_module(module), name), note)
    note_calls(note)
    return note


def note_learning(learner, note):
    """Let a class of scikit-learn note each block before it is learned."""
    # ``partial_fit`` may be there for some settings only, and is then no plain function.
    whole = getattr_static(learner, "partial_fit")

    @wraps(learner.partial_fit)
    def partial_fit(self, X, *others, **named):
        note("learn", zlib.crc32(X.tobytes()))
        return whole.__get__(self, learner)(X, *others, **named)

    learner.partial_fit = partial_fit


def note_calls(note):
    import runner.experiment
    import runner.fit.loop
    from runner.callbacks.checkpoint import Checkpoint
    from runner.tracking.run import MlflowRun

    def noted(owner, name, *words, after=None):
        call = getattr(owner, name)

        @wraps(call)
        def calling(*given, **named):
            note(*words)
            result = call(*given, **named)
            if after is not None:
                note(after, given[0]._due)
            return result

        setattr(owner, name, calling)

    noted(Checkpoint, "keep", "keep", after="kept")
    noted(runner.fit.loop, "measure", "test")
    noted(runner.experiment, "measure", "score")
    noted(MlflowRun, "log_model", "upload")


def obey(arguments, project, notes, output):
    """Run a command in this process, and end it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else 0)
    os.environ["RUNNER_PROJECT"] = project
    os.chdir(project)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    code = 70
    try:
        note = noting(notes)
        code = main(arguments)
    except BaseException:  # noqa: BLE001  (it must not come to what the server does next)
        traceback.print_exc()
    finally:
        note("end")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve(project):
    """Fork a child for each line of standard input, and say its number and how it ended."""
    told = os.dup(1)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        warmed(project)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            obey(**asked)
        os.write(told, f"{child}\n".encode())
        _, status = os.waitpid(child, 0)
        os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def warmed(project):
    """Import what a child needs, by what it does."""
    os.environ["RUNNER_PROJECT"] = project
    os.chdir(project)
    code = main(["run", "experiments/sgd.yaml", "fit.epochs=1"])
    assert code == 0, code
    assert threading.active_count() == 1, threading.enumerate()


# What a test does.


class Note(NamedTuple):
    """A line of the notes: what, of what, and when."""

    what: str
    of: str
    at: float


def notes_in(file):
    if not file.exists():
        return []
    found = []
    for line in file.read_text().splitlines():
        what, *of, at = line.split()
        found.append(Note(what, " ".join(of), float(at)))
    return found


class Kill(NamedTuple):
    """When to kill: so many seconds after something is noted for the nth time."""

    what: str
    nth: int = 1
    after_s: float = 0.0
    number: int = signal.SIGKILL


@dataclass
class Attempt:
    """One command: from which block of the whole fit it learned, and what it noted."""

    start: int
    code: int
    output: str
    notes: list = field(repr=False)
    took_s: float

    @property
    def learned(self):
        """What tells the blocks apart that were begun to be learned."""
        return [note.of for note in self.notes if note.what == "learn"]

    @property
    def stop(self):
        """How many blocks of the whole fit were begun to be learned when it ended."""
        return self.start + len(self.learned)

    @property
    def at_stake(self):
        """How many blocks a kill may cost: those of one interval, and one."""
        kept = [note for note in self.notes if note.what == "kept"]
        if not kept:
            return 1
        due = float(kept[-1].of)
        times = [note.at for note in self.notes if note.what == "learn"]
        return sum(kept[-1].at < at <= due for at in times) + 1

    @property
    def intervals(self):
        """How many blocks were learned between each two states."""
        found = [0]
        for note in self.notes:
            if note.what == "kept":
                found.append(0)
            elif note.what == "learn":
                found[-1] += 1
        return found[1:]

    def seconds(self, what="learn"):
        """How long after it was noted for the first time it ended; 0 where it never was."""
        first = next((note.at for note in self.notes if note.what == what), None)
        return 0.0 if first is None else self.notes[-1].at - first


class Server:
    """Runs commands in children, one at a time, and kills them.

    Parameters
    ----------
    project : Path
        Where it may learn once what there is, to have all imported.
    """

    def __init__(self, project):
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(project)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self):
        self._process.kill()
        self._process.communicate()

    def run(self, project, *arguments, kills=(), start=0):
        """Run a command, and send it signals if it goes on for so long."""
        folder = project / "noted"
        folder.mkdir(exist_ok=True)
        name = f"{len(list(folder.glob('*.out'))):04}"
        notes, output = folder / f"{name}.notes", folder / f"{name}.out"
        asked = {"notes": str(notes), "output": str(output), "project": str(project)}
        began = time.monotonic()
        self._process.stdin.write(f"{json.dumps({'arguments': arguments, **asked})}\n")
        self._process.stdin.flush()
        child = self._answer()
        for kill in kills:
            wait_for(kill, notes, child)
        code = self._answer()
        took_s = time.monotonic() - began
        return Attempt(start, code, output.read_text(), notes_in(notes), took_s)

    def _answer(self):
        line = self._process.stdout.readline()
        assert line, "the server has ended"
        return int(line)


def wait_for(kill, notes, child):
    """Send a signal when it is due, unless the child has ended."""
    deadline, n_found = time.monotonic() + PATIENCE_S, 0
    notes.touch()
    with notes.open() as lines:
        while is_alive(child) and time.monotonic() < deadline:
            for line in lines:
                if line.startswith(f"{kill.what} "):
                    n_found += 1
                    if n_found == kill.nth:
                        due = float(line.split()[-1]) + kill.after_s
                        time.sleep(max(0.0, due - time.monotonic()))
                        with suppress(ProcessLookupError):
                            os.kill(child, kill.number)
                        return
            time.sleep(0.0005)


def is_alive(child):
    try:
        status = Path(f"/proc/{child}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def state_of(project, run_id):
    """Return the header of the state that a run has; nothing where there is none."""
    file = project / ".runner" / "checkpoints" / f"{run_id}.state"
    return statefile.load(file).header if statefile.exists(file) else {}


def uri_of(project):
    return f"sqlite:///{project / 'mlflow.db'}"


def latest(project):
    return recent_runs(uri_of(project), limit=1)[0]


class Digest(NumpyHasher):
    """Hashes objects as joblib does, but arrays and random states by what they hold alone.

    An array that is loaded may lie otherwise in memory. A random state that is loaded has been
    made from chance before its state was set, and remembers that.
    """

    def save(self, obj):
        if isinstance(obj, np.random.RandomState):
            obj = obj.get_state(legacy=False)
        super().save(np.array(obj, order="C") if type(obj) is np.ndarray else obj)


def facts(project, run, *, has_model=True):
    """Return what must not depend on whether a run was killed."""
    uri = uri_of(project)
    tags = {key: run.tags.get(key) for key in SAME_TAGS}
    curves, scores = points(uri, run.run_id)
    ledger = pq.read_table(BytesIO(kept_bytes(run.run_id, "ledger/blocks.parquet", uri)))
    columns = ledger.drop_columns(TIMES).to_pydict()
    return {
        "status": run.status,
        "model": Digest("md5").hash(load_model(run, uri).model) if has_model else "",
        "tags": tags,
        "curves": curves,
        "scores": scores,
        "ledger": {name: [*map(repr, column)] for name, column in columns.items()},
    }


def facts_of_sweep(project, run):
    """Return the same of a sweep: of its leaderboard, and of each member."""
    uri = uri_of(project)
    board = json.loads(kept_bytes(run.run_id, LEADERBOARD, uri))
    own = [i for i, name in enumerate(board["columns"]) if name != "run_id"]
    rows = [[row[i] for i in own] for row in board["data"]]
    members = {
        member.name: facts(project, member, has_model=False) for member in children(run, uri)
    }
    tags = {key: run.tags.get(key) for key in SAME_TAGS}
    return {"status": run.status, "board": rows, "members": members, "tags": tags}


def points(uri, run_id):
    """Return the points of a run's curves, all that there are, and its values at step 0."""
    client = connect(resolve(uri))
    curves, single = {}, {}
    for key in sorted(client.get_run(run_id).data.metrics):
        if not key.startswith(NOT_THE_SAME):
            history = client.get_metric_history(run_id, key)
            found = sorted((point.step, repr(point.value)) for point in history)
            curves[key] = [point for point in found if point[0]]
            single[key] = sorted({value for step, value in found if not step})
    return curves, single


if __name__ == "__main__":
    serve(sys.argv[1])
