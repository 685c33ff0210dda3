"""The run that a member has already."""

import os
import threading
import time

import pytest

from runner.errors import ClusterError, TrackingError
from runner.sweeps import begun
from runner.sweeps.begun import Sitting, begun_runs, check_left
from runner.tracking.memory_tracker import MemoryTracker
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import children, find_run
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
    assert begun_runs(tracker, parent, ["k1"]) == {}
    assert begun_runs(tracker, None, ["another"]) == {}
    assert begun_runs(MemoryTracker(), "sweep-1", ["another"]) == {}


def test_one_that_finished_is_found_with_its_page(sweep):
    tracker, parent, member = sweep
    with member() as run:
        pass
    found = begun_runs(tracker, parent, ["k1"])["k1"]
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
    asker = threading.Thread(
        target=lambda: found.append(begun_runs(tracker, parent, ["k1"])["k1"])
    )
    asker.start()
    time.sleep(0.2)
    assert asker.is_alive()
    may_end.set()
    holder.join()
    asker.join(10)
    assert found[0].run.status == "FINISHED"


def test_one_that_is_open_all_the_same_is_not_run_again_but_told_once_for_all(sweep, monkeypatch):
    tracker, parent, member = sweep
    monkeypatch.setattr(begun, "PATIENCE_S", 0.3)
    with member("k1"), member("k2") as other:
        since = time.monotonic()
        with pytest.raises(
            ClusterError, match=rf"got process {os.getpid()} on \S+, which goes on"
        ):
            begun_runs(tracker, parent, ["k1", "k2", "k3"])
        assert time.monotonic() - since < 30
        (open_one,) = [run for run in recent_children(parent) if run.run_id == other.run_id]
        with pytest.raises(TrackingError, match="must have ended before its sweep is resumed"):
            check_left(open_one)
    assert len(begun_runs(tracker, parent, ["k1", "k2", "k3"])) == 2


def test_nobody_waits_who_is_not_waited_for(sweep):
    tracker, parent, member = sweep
    with member(), pytest.raises(KeyboardInterrupt):
        begun_runs(tracker, parent, ["k1"], is_wanted=lambda: False)


def test_what_was_before_the_launch_was_not_begun_since(sweep):
    tracker, parent, member = sweep
    with member() as run:
        pass
    before = {"k1": Sitting(run.run_id, 0)}
    assert begun_runs(tracker, parent, ["k1"], before) == {}
    assert [*begun_runs(tracker, parent, ["k1"], {"k1": Sitting(run.run_id, 1)})] == ["k1"]


def recent_children(parent):
    return children(find_run(parent))
