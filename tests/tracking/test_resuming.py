import subprocess
import sys

import pytest

from runner.errors import TrackingError
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.resuming import Sittings, ended_run, sittings
from runner.tracking.session import Session
from runner.tracking.spool import FILE_NAME, claim, is_open, runs_folder
from runner.tracking.tags import MEMBER, RUN, SWEEP

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


def free(session, run_id, kind):
    """Return a run that can be gone on with, and leave it at that."""
    begun = ended_run(session, run_id, kind)
    assert is_open(run_id)
    begun.claimed.give_up()
    assert not is_open(run_id)
    return begun.run


@pytest.fixture(autouse=True)
def is_left_alone(project):
    """See that nothing is made in the project for what is refused or left."""
    yield
    assert [file for file in runs_folder().glob("*/*") if not file.stat().st_size] == []


def test_a_sweep_that_ended_can_be_gone_on_with(session, tracker):
    with tracker.start_sweep("grid") as sweep:
        pass
    assert free(session, sweep.run_id, SWEEP).info.run_id == sweep.run_id


@pytest.mark.parametrize("run_id", ["0" * 32, "", "../x"])
def test_a_sweep_that_is_not_there_is_told(session, run_id):
    with pytest.raises(TrackingError, match=r"must be a sweep in sqlite:.*; got none"):
        ended_run(session, run_id, SWEEP)


def test_another_run_is_no_sweep(session, tracker, client):
    with tracker.start_run("a") as run:
        pass
    with pytest.raises(TrackingError, match=r"be a sweep .* got another run"):
        ended_run(session, run.run_id, SWEEP)
    with tracker.start_sweep("grid") as sweep:
        pass
    client.delete_run(sweep.run_id)
    with pytest.raises(TrackingError, match="got none"):
        ended_run(session, sweep.run_id, SWEEP)


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
        ended_run(session, run_id, SWEEP)


def test_a_sweep_whose_process_was_killed_can_be_gone_on_with(session, elsewhere):
    child, run_id = elsewhere
    child.communicate("\n")
    assert child.returncode == -9
    assert free(session, run_id, SWEEP).info.status == "RUNNING"


@pytest.fixture
def killed(tracker):
    """Return the id of a run that Ctrl-C ended."""
    with pytest.raises(KeyboardInterrupt), tracker.start_run("a") as run:
        raise KeyboardInterrupt
    return run.run_id


def test_a_run_that_did_not_finish_can_be_gone_on_with(session, killed):
    assert free(session, killed, RUN).info.status == "KILLED"


def test_a_run_that_finished_is_not_gone_on_with(session, tracker):
    with tracker.start_run("a") as run:
        pass
    with pytest.raises(TrackingError, match=r"ended before it was finished.*; got FINISHED"):
        ended_run(session, run.run_id, RUN)
    assert list(runs_folder().iterdir()) == []


@pytest.mark.parametrize("kind", [RUN, SWEEP])
def test_of_two_that_go_on_at_once_one_is_refused(session, tracker, killed, kind):
    run_id = killed
    if kind == SWEEP:
        with tracker.start_sweep("grid") as sweep:
            run_id = sweep.run_id
    first = ended_run(session, run_id, kind)
    told = "must have ended before it is resumed; got another process, which has it open"
    with pytest.raises(TrackingError, match=told):
        ended_run(session, run_id, kind)
    first.claimed.give_up()
    assert free(session, run_id, kind).info.run_id == run_id


def test_of_two_that_go_on_at_once_one_is_refused_before_histories_are_read(
    session, killed, monkeypatch
):
    def slowly(*arguments):
        with (
            pytest.raises(TrackingError, match="got another process, which has it open"),
            MlflowTracker().start_run("a", resumed=killed),
        ):
            pytest.fail("both go on")
        return sittings(*arguments)

    monkeypatch.setattr("runner.tracking.mlflow_tracker.sittings", slowly)
    with MlflowTracker().start_run("a", resumed=killed) as run:
        pass
    assert session.client.get_run(run.run_id).info.status == "FINISHED"
    assert session.client.get_run(run.run_id).data.tags["runner.resumed"] == "1"
    assert list(runs_folder().iterdir()) == []


def test_a_run_that_another_finishes_just_before_it_is_locked_is_refused(
    session, killed, monkeypatch
):
    def late(folder):
        session.client.set_terminated(killed, "FINISHED")
        return claim(folder)

    monkeypatch.setattr("runner.tracking.resuming.claim", late)
    with pytest.raises(TrackingError, match="got FINISHED"):
        ended_run(session, killed, RUN)
    assert list(runs_folder().iterdir()) == []


@pytest.mark.parametrize("error", [OSError("no way"), KeyboardInterrupt()])
def test_a_run_that_fails_before_it_goes_on_is_free_again(session, killed, monkeypatch, error):
    def fail(*arguments):
        raise error

    monkeypatch.setattr("runner.tracking.mlflow_tracker.sittings", fail)
    with (
        pytest.raises(type(error)),
        MlflowTracker().start_run("a", resumed=killed),
    ):
        pytest.fail("it goes on")
    assert list(runs_folder().iterdir()) == []
    assert free(session, killed, RUN).info.status == "KILLED"


@pytest.mark.parametrize(
    ("kind", "said"),
    [(RUN, "be a run that is no sweep's in .*; got a sweep"), (MEMBER, "a member of a sweep in")],
)
def test_a_sweep_is_neither_a_run_nor_a_member(session, tracker, kind, said):
    with tracker.start_sweep("grid") as sweep:
        pass
    with pytest.raises(TrackingError, match=said):
        ended_run(session, sweep.run_id, kind)


def test_a_member_is_gone_on_with_as_a_member(session, tracker):
    with (
        tracker.start_sweep("grid") as sweep,
        pytest.raises(ValueError, match="no"),
        tracker.start_run("a", parent=sweep) as run,
    ):
        raise ValueError("no")
    assert free(session, run.run_id, MEMBER).info.status == "FAILED"
    with pytest.raises(TrackingError, match="got a member of a sweep"):
        ended_run(session, run.run_id, RUN)


def test_a_run_of_somebody_else_is_refused(session, run_id):
    with pytest.raises(TrackingError, match="got another run"):
        ended_run(session, run_id, RUN)


def test_a_run_that_is_open_is_refused(session, tracker):
    with (
        tracker.start_run("a") as run,
        pytest.raises(TrackingError, match=r"The run .* must have ended before it is resumed"),
    ):
        ended_run(session, run.run_id, RUN)


def test_a_run_that_left_something_for_another_store_is_refused(session, killed):
    left = runs_folder() / killed / FILE_NAME
    left.parent.mkdir(parents=True)
    left.write_text('{"store": "http://elsewhere"}\n')
    with pytest.raises(TrackingError, match=r"wholly in sqlite:.* what it left .* http://elsewh"):
        ended_run(session, killed, RUN)
    assert left.read_text() == '{"store": "http://elsewhere"}\n'
    assert not is_open(killed)


def sat(session, run_id):
    return sittings(session, session.client.get_run(run_id))


def test_a_run_that_has_told_nothing_has_no_sittings(session, run_id):
    assert sat(session, run_id) == Sittings()


def test_what_the_store_holds_of_a_run_is_found(session, client, run_id):
    for key, value, timestamp, step in [
        ("progress/blocks", 1.0, 1000, 25),
        ("progress/blocks", 2.0, 2000, 50),
        ("progress/rows", 50.0, 3000, 0),
        ("memory/peak_mb", 300.0, 3000, 0),
    ]:
        client.log_metric(run_id, key, value, timestamp, step)
    client.log_text(run_id, "a", "report.md")
    client.log_text(run_id, "a", "config/config.yaml")
    client.set_tag(run_id, "runner.resumed", "2")
    found = sat(session, run_id)
    assert {key: tuple(point) for key, point in found.points.items()} == {
        ("progress/blocks", 25): ("progress/blocks", 1.0, 1000, 25),
        ("progress/blocks", 50): ("progress/blocks", 2.0, 2000, 50),
    }
    assert sorted(found.files) == ["config/config.yaml", "report.md"]
    assert (found.peak_mb, found.resumed) == (300.0, 2)


def test_a_sitting_that_was_killed_took_until_its_end(session, client, run_id):
    began = client.get_run(run_id).info.start_time
    client.set_terminated(run_id, "KILLED", began + 7000)
    assert sat(session, run_id).seconds == 7
    client.log_metric(run_id, "time/total_s", 5.0, began + 6500, 0)
    assert sat(session, run_id).seconds == 5.5
    client.log_metric(run_id, "time/total_s", 5.5, began + 60_000, 0)  # another one began
    assert sat(session, run_id).seconds == 5.5
    client.set_terminated(run_id, "KILLED", began + 62_000)
    assert sat(session, run_id).seconds == 7.5


def test_a_history_of_several_pages_is_read_whole(session, client, run_id, monkeypatch):
    monkeypatch.setattr(
        "mlflow.tracking._tracking_service.client.GET_METRIC_HISTORY_MAX_RESULTS", 3
    )
    for step in range(1, 11):
        client.log_metric(run_id, "a", step / 2, step, step)
    assert sorted(step for _, step in sat(session, run_id).points) == list(range(1, 11))
