import subprocess

import pytest

from runner.errors import TrackingError
from runner.tracking.session import Session
from runner.tracking.spool import Spool, runs_folder


def test_a_session_mends_and_asks_for_an_experiment_once(store, client, run_id, monkeypatch):
    Spool(runs_folder() / run_id, str(store)).close()
    session = Session.open(store)
    assert client.get_run(run_id).info.status == "KILLED"
    first = session.experiment("mine")
    monkeypatch.setattr("runner.tracking.session.experiment_id", None)
    assert (
        session.experiment("mine") == first == client.get_experiment_by_name("mine").experiment_id
    )


def test_a_session_knows_which_code_runs(project, store):
    assert Session.open(store).git is None
    git = ["git", "-C", str(project), "-c", "user.name=a", "-c", "user.email=a@b.org"]
    subprocess.run([*git, "init"], check=True, capture_output=True)
    subprocess.run([*git, "commit", "--allow-empty", "-m", "x"], check=True, capture_output=True)
    assert len(Session.open(store).git.commit) == 40


def test_a_folder_that_cannot_be_written_is_told_before_the_store_is_touched(project, store):
    (project / ".runner").write_text("a file in its place")
    with pytest.raises(TrackingError, match="must be writable"):
        Session.open(store)
