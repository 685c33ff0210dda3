"""Many real processes are the first to use a store, all at the same moment."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from runner.tracking.client import connect
from runner.tracking.record import find_all, recent_runs
from runner.tracking.store import resolve

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ["run", "quickstart", "callbacks=[]"]
SHORT = [*COMMAND, "tracking.log_model=false"]

# One process imports and then becomes several, so that they meet at the store at the same moment.
AT_ONCE = f"""
import multiprocessing, sys
import mlflow.sklearn, runner.experiment, runner.shown
from runner.cli import main
from runner.tracking.client import _import_database_store

def run():
    start.wait()
    sys.exit(main({SHORT}))

_import_database_store()
fork = multiprocessing.get_context("fork")
number = int(sys.argv[1])
start = fork.Barrier(number)
processes = [fork.Process(target=run) for _ in range(number)]
for process in processes:
    process.start()
for process in processes:
    process.join()
sys.exit(any(process.exitcode for process in processes))
"""

MANY = """
import sys
from runner.tracking.mlflow_tracker import MlflowTracker
tracker = MlflowTracker(log_model=False)
sys.stdin.readline()
for number in range(8):
    with tracker.start_run(f"{sys.argv[1]}-{number}") as run:
        run._outbox.log({"number": number}, number)
"""


def started(*arguments):
    return subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(processes):
    """Let processes go on together, and see that each of them ends well."""
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=600)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    assert not [text for text in said if "warning" in text or "Traceback" in text], said


def check(project, number):
    runs = recent_runs()
    assert len(runs) == number
    assert {run.status for run in runs} == {"FINISHED"}
    assert len({tuple(run.scores.items()) for run in runs}) == 1
    assert len({run.experiment_id for run in runs}) == 1
    assert sorted(path.name for path in project.glob("mlflow.db*")) == ["mlflow.db"]
    assert list((project / ".runner" / "runs").iterdir()) == []


@pytest.mark.parametrize("number", [4, pytest.param(8, marks=pytest.mark.slow)])
def test_processes_at_once_on_a_store_that_is_not_there_yet_log_every_run(project, number):
    ended([started("-c", AT_ONCE, str(number))])
    check(project, number)


@pytest.mark.slow
def test_eight_commands_at_once_on_a_store_that_is_not_there_yet_log_every_run(project):
    ended([started("-m", "runner", *COMMAND) for _ in range(8)])
    check(project, 8)


@pytest.mark.slow
@pytest.mark.parametrize("repeat", range(3))
def test_sixteen_processes_of_eight_runs_each_on_a_store_that_is_not_there_yet(project, repeat):
    ended([started("-c", MANY, str(number)) for number in range(16)])
    store = resolve()
    runs = list(find_all(connect(store), store, ""))
    assert Counter(run.status for run in runs) == {"FINISHED": 128}
    assert len({run.name for run in runs}) == 128
    assert len({run.experiment_id for run in runs}) == 1
