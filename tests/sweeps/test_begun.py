"""The run that a member has already."""

import threading
import time

import pytest

from runner.sweeps import begun
from runner.sweeps.begun import begun_run
from runner.tracking.memory_tracker import MemoryTracker
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.tags import member_tags


@pytest.fixture
def sweep(store):
    """Return a tracker with an open sweep, and what opens a run of its member."""
    tracker = MlflowTracker()
    with tracker.start_sweep("all") as run:

        def member(key="k1"):
            return tracker.start_run("0", parent=run.run_id, tags=member_tags(0, key, {}))

        yield tracker, run.run_id, member


def test_a_member_that_never_began_has_none(sweep):
    tracker, parent, member = sweep
    with member("another"):
        pass
    assert begun_run(tracker, parent, "k1") is None
    assert begun_run(tracker, None, "another") is None
    assert begun_run(MemoryTracker(), "sweep-1", "another") is None


def test_one_that_finished_is_found_with_its_page(sweep):
    tracker, parent, member = sweep
    with member() as run:
        pass
    found = begun_run(tracker, parent, "k1")
    assert (found.run.run_id, found.run.status) == (run.run_id, "FINISHED")
    assert found.page.startswith("sqlite://")


def test_one_that_is_open_is_waited_for(sweep, monkeypatch):
    tracker, parent, member = sweep
    monkeypatch.setattr(begun, "PAUSE_S", 0.01)
    opened, may_end, found = threading.Event(), threading.Event(), []

    def hold():
        with member():
            opened.set()
            may_end.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert opened.wait(10)
    asker = threading.Thread(target=lambda: found.append(begun_run(tracker, parent, "k1")))
    asker.start()
    time.sleep(0.2)
    assert asker.is_alive()
    may_end.set()
    holder.join()
    asker.join(10)
    assert found[0].run.status == "FINISHED"


def test_there_is_an_end_of_waiting(sweep, monkeypatch):
    tracker, parent, member = sweep
    monkeypatch.setattr(begun, "PATIENCE_S", 0.0)
    with member():
        assert begun_run(tracker, parent, "k1").run.status == "RUNNING"
