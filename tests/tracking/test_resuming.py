import subprocess
import sys

import pytest

from runner.errors import TrackingError
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.resuming import ended_sweep
from runner.tracking.session import Session
from runner.tracking.spool import runs_folder

CHILD = """
import os, sys
from runner.tracking.mlflow_tracker import MlflowTracker
with MlflowTracker().start_sweep("grid") as sweep:
    print(sweep.run_id, flush=True)
    input()
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def session(store):
    return Session.open(store)


@pytest.fixture
def elsewhere(store):
    """Let another process hold a sweep, and return it and the sweep's id."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield child, child.stdout.readline().strip()
    child.kill()
    child.communicate()


def test_a_sweep_that_ended_can_be_gone_on_with(session, tracker):
    with tracker.start_sweep("grid") as sweep:
        pass
    assert ended_sweep(session, sweep.run_id).info.run_id == sweep.run_id


@pytest.mark.parametrize("run_id", ["0" * 32, "", "../x"])
def test_a_sweep_that_is_not_there_is_told(session, run_id):
    with pytest.raises(TrackingError, match=r"must be a sweep in sqlite:.*; got none"):
        ended_sweep(session, run_id)


def test_another_run_is_no_sweep(session, tracker, client):
    with tracker.start_run("a") as run:
        pass
    with pytest.raises(TrackingError, match=r"be a sweep .* got another run"):
        ended_sweep(session, run.run_id)
    with tracker.start_sweep("grid") as sweep:
        pass
    client.delete_run(sweep.run_id)
    with pytest.raises(TrackingError, match="got none"):
        ended_sweep(session, sweep.run_id)


def test_a_sweep_that_this_process_holds_is_refused(tracker):
    with (
        tracker.start_sweep("grid") as sweep,
        pytest.raises(TrackingError, match="must have ended before it is resumed"),
        MlflowTracker().start_sweep("grid", resumed=sweep.run_id),
    ):
        pytest.fail("it was resumed")


@pytest.mark.parametrize("has_folder", [True, False])
def test_a_sweep_that_another_process_goes_on_with_is_refused(session, elsewhere, has_folder):
    child, run_id = elsewhere
    if not has_folder:
        (runs_folder() / run_id).rename(runs_folder().parent / "away")
    with pytest.raises(TrackingError, match=f"got process {child.pid}, which goes on with it"):
        ended_sweep(session, run_id)


def test_a_sweep_whose_process_was_killed_can_be_gone_on_with(session, elsewhere):
    child, run_id = elsewhere
    child.communicate("\n")
    assert child.returncode == -9
    assert ended_sweep(session, run_id).info.status == "RUNNING"
