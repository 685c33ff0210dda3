"""Data that count their reads, estimators that fail as asked, and sweeps of them."""

import json
import shutil
import sys
import threading
import time
import weakref
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from runner.base import Callback
from runner.config.app import main as hydra_main
from runner.config.compose import flags_first, opened, selected
from runner.config.messages import in_our_words
from runner.dataset.dataset import Dataset
from runner.dataset.lazy import from_reader
from runner.evaluation.evaluation import Evaluation
from runner.experiment import Experiment
from runner.records import Recipe
from runner.sweeps.halving import Halving, Tournament
from runner.sweeps.job import Job
from runner.sweeps.members import Member
from runner.sweeps.plan import Built, Group
from runner.sweeps.shared_pass import run_group
from runner.sweeps.standing import Standing
from runner.sweeps.teller import Teller
from runner.sweeps.trials import pending
from runner.tracking.client import connect
from runner.tracking.memory_tracker import MemoryTracker
from runner.tracking.record import children, find_all, find_run
from runner.tracking.store import resolve
from runner.tracking.tags import KEY, PARENT

# A project's own module: each read is a line of a file, and an estimator ends as it is told to.
ODD_PARTS = '''
import os
import signal
import sys
import time
from pathlib import Path

import dask
import dask.array as da
import numpy as np
from sklearn.linear_model import SGDClassifier

ROWS = 20
FOLDER = Path(os.environ["RUNNER_PROJECT"])


def note(name, text):
    with open(FOLDER / name, "a") as file:
        file.write(f"{text}\\n")


def read(i, size, delay):
    note("reads", i)
    time.sleep(delay)
    rng = np.random.default_rng([i, size])
    X = rng.normal(size=(size, 3))
    return np.column_stack([X, X[:, 0] + rng.normal(size=size) > 0])


def rows(n_blocks=10, size=ROWS, delay=0.0):
    blocks = [dask.delayed(read)(i, size, delay) for i in range(n_blocks)]
    table = da.concatenate([da.from_delayed(b, (size, 4), dtype=float) for b in blocks])
    return table[:, :3], table[:, 3].astype(int)


def is_first():
    try:
        (FOLDER / "been").open("x").close()
    except FileExistsError:
        return False
    return True


def trouble(how):
    if how == "raise":
        raise RuntimeError("no more")
    if how == "exit":
        sys.exit(3)
    if how == "memory":
        np.empty(10**15)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "ctrl-c":
        os.kill(os.getpid(), signal.SIGINT)
    if how.startswith("once ") and is_first():
        trouble(how.removeprefix("once "))
    if how == "mended" and not (FOLDER / "mended").exists():
        raise RuntimeError("not mended yet")


class Odd(SGDClassifier):
    """Learns, but for one block."""

    def __init__(self, how="", at=2, alpha=1e-4, random_state=None):
        super().__init__(loss="log_loss", alpha=alpha, random_state=random_state)
        self.how = how
        self.at = at
        if how == "unbuildable":
            raise RuntimeError("cannot be built")

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self.calls_ = getattr(self, "calls_", 0) + 1
        if self.calls_ == self.at:
            trouble(self.how)
        return super().partial_fit(X, y, classes, sample_weight)
'''


@pytest.fixture
def store(project, schema):
    """Give the project an empty store, which is quicker than to make one."""
    shutil.copy(schema, project / "mlflow.db")


@pytest.fixture
def odd(project, monkeypatch):
    """Put ``odd_parts`` into the project and allow it."""
    write_odd_parts(project)
    monkeypatch.setenv("RUNNER_ALLOW", "odd_parts")
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.delitem(sys.modules, "odd_parts", raising=False)
    yield
    sys.modules.pop("odd_parts", None)


def write_odd_parts(folder):
    (folder / "odd_parts.py").write_text(ODD_PARTS)


EXPERIMENT = """\
defaults: [{override /dataset: function}, {override /callbacks: []}]
dataset: {function: "odd_parts:rows", arguments: {n_blocks: 10}, holdout: 0.2}
estimator: {_target_: odd_parts.Odd}
partial_fit: {classes: [0, 1]}
evaluation: {scoring: [accuracy]}
tracking: {log_model: false}
"""


def write_experiment(folder, sweep, more=""):
    file = folder / "experiments" / "odd.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"# odd\n{EXPERIMENT}{more}\nsweep: {json.dumps(sweep)}\n")
    return str(file)


def read_of(folder):
    """Return how many blocks were read."""
    file = folder / "reads"
    return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.fixture
def swept(project, odd, store):
    """Return what runs a sweep of the project's own parts as the command line does."""

    def swept(sweep, *overrides, more="", told=None, **options):
        write_experiment(project, sweep, more)
        job = Job(Heard(), **options)
        job.teller.ended = told if told is not None else job.teller.ended
        with selected("odd") as choice, in_our_words():
            hydra_main(flags_first([choice, *opened(overrides)]), job)
        return job

    return swept


def members_of(job):
    """Return the runs of a sweep's members as the record holds them, by number."""
    return children(find_run(job.run_id))


def runs_by_key(run_id):
    """Count the runs of each member of a sweep, those too that count no more."""
    store = resolve()
    runs = list(find_all(connect(store), store, f"tags.`{PARENT}` = '{run_id}'"))
    assert all(KEY in run.tags for run in runs)
    return Counter(run.tags[KEY] for run in runs)


@contextmanager
def when(holds, act):
    """Do something in a thread as soon as something holds."""
    left, done = threading.Event(), []

    def wait():
        deadline = time.monotonic() + 60
        while not left.is_set() and time.monotonic() < deadline:
            if holds():
                done.append(act())
                return
            time.sleep(0.005)

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        left.set()
        thread.join()
    assert done, "it never held"


@dataclass(kw_only=True)
class Counted(Dataset):
    """Blocks of 20 rows that count how often they are read and how many are alive."""

    n_blocks: int = 10
    holdout: float = 0.2
    reads: Counter = field(default_factory=Counter, compare=False)
    now: int = 0
    most: int = 0

    def __post_init__(self):
        super().__post_init__()
        self._lock = threading.Lock()

    def __dask_tokenize__(self):
        return id(self)

    def arrays(self):
        metas = (np.empty((0, 3)), np.empty(0, dtype=int))
        return from_reader(_Reader(self), (20,) * self.n_blocks, metas)

    def read(self, start, stop):
        rng = np.random.default_rng([7, start])
        X = rng.normal(size=(stop - start, 3))
        with self._lock:
            self.reads[start // 20] += 1
            self.now += 1
            self.most = max(self.most, self.now)
        weakref.finalize(X, self._gone)
        return X, (X[:, 0] + rng.normal(size=len(X)) > 0).astype(int)

    def _gone(self):
        with self._lock:
            self.now -= 1

    @property
    def n_reads(self):
        return self.reads.total()


class _Reader:
    def __init__(self, dataset):
        self.dataset = dataset

    def __dask_tokenize__(self):
        return id(self.dataset)

    def __call__(self, start, stop):
        return self.dataset.read(start, stop)


class Failing(SGDClassifier):
    """Raises something at one of its blocks, counted from 1."""

    def __init__(self, error=None, at=2, random_state=None):
        super().__init__(loss="log_loss", random_state=random_state)
        self.error = error
        self.at = at

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self.calls_ = getattr(self, "calls_", 0) + 1
        if self.calls_ == self.at:
            raise self.error
        return super().partial_fit(X, y, classes, sample_weight)


class Speechless(SGDClassifier):
    """Learns, and cannot say what it learned."""

    def predict(self, X):
        raise RuntimeError("no answer")


class Tells(Callback):
    """Calls a function after each block."""

    def __init__(self, function):
        self.function = function

    def on_block_end(self, progress, block):
        self.function(progress)


class Heard(Teller):
    """Keeps what it is told."""

    def __init__(self):
        self.ended = []
        self.plans = []
        self.final = None
        self.verdicts = []

    def on_plan(self, plan, *, is_dry):
        self.plans.append(plan)

    def on_member_end(self, outcome):
        self.ended.append(outcome)

    def on_sweep_end(self, outcomes, run, verdicts):
        self.final, self.verdicts = list(outcomes), list(verdicts)


def sgd(alpha=1e-4, **settings):
    return SGDClassifier(**{"loss": "log_loss", "alpha": alpha, **settings})


def experiment_of(dataset, estimator=None, **changes):
    parts = {
        "name": "counted",
        "dataset": dataset,
        "estimator": sgd() if estimator is None else estimator,
        "tracking": MemoryTracker(),
        "partial_fit": {"classes": [0, 1]},
        "evaluation": Evaluation(scoring=["accuracy"]),
        "seed": 1,
    }
    return Experiment(**parts | changes)


def built_of(experiments):
    return tuple(
        Built(
            Member(number, f"member {number}", {"n": number}, None, f"key {number}", ()),
            experiment,
            Recipe(f"member {number}", {"n": number}),
        )
        for number, experiment in enumerate(experiments)
    )


@dataclass
class Passed:
    """What came of a group."""

    group: Group
    sweep: Any
    heard: Heard
    outcomes: list
    error: BaseException | None = None

    @property
    def tournament(self):
        return self.group.tournament

    @property
    def statuses(self):
        return [outcome.status for outcome in self.outcomes]

    def run(self, number):
        return next(run for run in self.sweep.runs if run.name == f"member {number}")

    def bits(self, number):
        return joblib.hash(self.run(number).model)


def share_pass(experiments, halving=None, known=None, members=None, tracker=None, **options):
    """Let experiments learn in one pass; what ends all of them is kept as ``error``."""
    built, tracker, heard = built_of(experiments), tracker or MemoryTracker(), Heard()
    group = Group(built, experiments[0].dataset.split())
    if halving is not None:
        options_of_it = Halving(**{"first_rows": 40, "scorer": "accuracy", **halving})
        numbers = range(len(experiments))
        tournament = Tournament(options_of_it, numbers, group.total_rows, 1, known)
        group = Group(built, group.split, tournament)
    if members is not None:
        group = Group(tuple(built[n] for n in members), group.split, group.tournament)
    error = None
    try:
        with tracker.start_sweep("all") as sweep:
            standing = Standing((pending(each.member.called) for each in built), sweep, heard)
            run_group(group, standing, **options)
    except BaseException as raised:  # noqa: BLE001  (it is looked at)
        error = raised
    return Passed(group, sweep, heard, standing.outcomes, error)


def alone(experiment):
    """Return the bits of an experiment's model when it learns alone."""
    from runner.experiment import run

    run(experiment, Recipe("alone", {}))
    return joblib.hash(experiment.tracking.runs[-1].model)
