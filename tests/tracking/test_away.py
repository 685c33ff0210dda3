import socket
import subprocess
import sys
from contextlib import closing

import pytest

from runner.errors import ConfigError, RunnerWarning, TrackingError
from runner.tracking.away import STORE, alone, answering, stand_in, stand_ins
from runner.tracking.client import connect
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import children_of, find_all
from runner.tracking.store import AwayError, Store, resolve
from runner.tracking.tags import KIND, PARENT


@pytest.fixture
def away_uri():
    """Return a server's address, with credentials, where nobody answers."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://ann:hunter2@127.0.0.1:{port}"


def local(uri):
    return MlflowTracker(uri=uri, when_away="local", log_model=False)


def runs_in(store):
    return list(find_all(connect(store), store, ""))


def test_by_default_a_store_that_does_not_answer_is_an_error_that_names_the_choice(away_uri):
    tracker = MlflowTracker(uri=away_uri)
    for ask in (tracker.check, lambda: tracker.start_run("a").__enter__()):
        with pytest.raises(AwayError, match="answer within 3 seconds") as told:
            ask()
        assert "tracking.when_away=local to keep the run in the project until" in str(told.value)
        assert "`runner doctor --sync` sends it." in str(told.value)
        assert "hunter2" not in str(told.value)
    assert list(stand_ins()) == []


def test_a_run_is_kept_in_the_project_with_the_name_of_its_store(away_uri, project):
    tracker = local(away_uri)
    with pytest.warns(RunnerWarning, match=r"does not answer\..*kept in .*doctor --sync") as told:
        tracker.check()
    assert "hunter2" not in str(told[0].message)
    with tracker.start_run("a") as run:  # where it is not told again
        run.log_tags({"told": "yes"})
    (away,) = stand_ins()
    assert away == stand_in(Store(away_uri))
    assert run.url == str(away.store)
    (found,) = runs_in(away.store)
    assert (found.run_id, found.status) == (run.run_id, "FINISHED")
    assert found.tags[STORE] == away.name == str(Store(away_uri))
    kept = [path for path in project.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"hunter2" in path.read_bytes()]
    assert not (project / "mlflow.db").exists()


@pytest.mark.parametrize("by_id", [False, True])
def test_a_sweep_and_its_members_are_kept_together(away_uri, by_id, recwarn):
    tracker = local(away_uri)
    with tracker.start_sweep("grid") as sweep:
        parent = sweep.run_id if by_id else sweep
        with tracker.start_run("member", parent=parent) as member:
            pass
    store = stand_in(Store(away_uri)).store
    assert [run.run_id for run in children_of(connect(store), store, sweep.run_id)] == [
        member.run_id
    ]
    assert {run.tags[STORE] for run in runs_in(store)} == {str(Store(away_uri))}


def test_a_member_in_another_process_joins_its_sweep_even_when_the_store_is_back(
    store, schema, monkeypatch, recwarn
):
    """The parent began while the store was away; the member finds it well."""

    def refuse(store):
        raise AwayError("The store", "answer", got="nothing", remedy="Start it.")

    tracker = local(None)
    with monkeypatch.context() as patch:
        patch.setattr("runner.tracking.away.preflight", refuse)
        with tracker.start_sweep("grid") as sweep:
            pass
    with tracker.start_run("member", parent=sweep.run_id) as member:
        pass
    with tracker.start_run("alone") as alone_run:
        pass
    here, there = runs_in(store), runs_in(stand_in(store).store)
    assert [run.run_id for run in here] == [alone_run.run_id]
    assert {run.run_id for run in there} == {sweep.run_id, member.run_id}
    assert next(run for run in there if run.run_id == member.run_id).tags[PARENT] == sweep.run_id
    assert [run.tags[KIND] for run in here] == ["run"]
    assert STORE not in here[0].tags


def test_a_store_that_answers_is_used_and_nothing_is_kept_elsewhere(store, client):
    with local(None).start_run("a") as run:
        pass
    assert client.get_run(run.run_id).info.status == "FINISHED"
    assert list(stand_ins()) == []


def test_a_mistake_is_no_absence():
    """What can never be written is told, whatever is to be done about an outage."""
    with pytest.raises(TrackingError, match="lie in an existing folder"):
        local("sqlite:////no/such/folder/a.db").check()


def test_a_run_that_is_resumed_is_not_begun_elsewhere(away_uri):
    with (
        pytest.raises(AwayError, match="must answer"),
        local(away_uri).start_sweep("grid", resumed="5f" * 16),
    ):
        pytest.fail("begun")
    assert list(stand_ins()) == []


def test_a_project_that_cannot_be_written_is_told(away_uri, project):
    (project / ".runner").mkdir()
    (project / ".runner" / "away").write_text("a file in its place")
    with pytest.raises(TrackingError, match=r"away/.* must be writable, to keep runs while"):
        answering(resolve(away_uri), "local")


def test_a_setting_that_is_neither_is_refused():
    with pytest.raises(ConfigError, match="when_away must be error or local; got 'later'"):
        MlflowTracker(when_away="later")


HELD = """
import sys
from runner.tracking.away import alone, stand_ins
(away,) = stand_ins()
with alone(away) as is_mine:
    sys.exit(0 if is_mine else 3)
"""


def test_one_process_at_a_time_empties_a_stand_in(away_uri, recwarn):
    with local(away_uri).start_run("a"):
        pass
    (away,) = stand_ins()
    ask = [sys.executable, "-c", HELD]
    with alone(away) as is_mine:
        assert is_mine
        assert subprocess.run(ask, check=False).returncode == 3
    assert subprocess.run(ask, check=False).returncode == 0
