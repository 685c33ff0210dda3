import os
import shutil
import subprocess
import sys
from contextlib import suppress

import pytest

from runner.tracking.checkup import check_record
from runner.tracking.client import connect
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.saved_states import state_file
from runner.tracking.spool import Spool, runs_folder
from runner.tracking.store import AwayError, resolve
from runner.tracking.tags import PROCESS

KILLED = """
import os
from runner.tracking.mlflow_tracker import MlflowTracker
with MlflowTracker().start_sweep("grid") as sweep:
    print(sweep.run_id, flush=True)
    with MlflowTracker().start_run("member", parent=sweep) as run:
        print(run.run_id, flush=True)
        os.kill(os.getpid(), 9)
"""


def found(uri=None):
    return {finding.name: finding for finding in check_record(uri)}


def all_well(findings):
    return all(finding.ok for finding in findings.values())


def test_a_project_without_a_record_is_well_and_gets_none(project):
    findings = found()
    assert all_well(findings)
    assert findings["store"].told.endswith("is made by the first run")
    assert not (project / "mlflow.db").exists()


def test_a_record_in_order_is_well(tracker):
    with tracker.start_run("a"):
        pass
    findings = found()
    assert list(findings) == [
        *("project", "store", "experiments", "killed runs", "running runs"),
        *("database", "unsent", "saved states", "disk"),
    ]
    assert all_well(findings)
    assert findings["store"].told.endswith("can be written, and has the schema of this MLflow")
    assert findings["database"].told.endswith("MB, whole")
    assert findings["killed runs"].told == "none to mend"
    assert findings["running runs"].told == "0 open"


def test_a_killed_sweep_is_mended_and_a_live_one_left_alone(store, client, tracker):
    with tracker.start_sweep("live") as sweep:
        done = subprocess.run([sys.executable, "-c", KILLED], check=False, capture_output=True)
        assert done.returncode == -9, done.stderr
        killed = done.stdout.decode().split()
        findings = found()
        assert client.get_run(sweep.run_id).info.status == "RUNNING"
    assert findings["killed runs"].ok
    assert findings["killed runs"].told.startswith("2 mended: ")
    assert findings["running runs"].told == "1 open"
    assert [client.get_run(run_id).info.status for run_id in killed] == ["KILLED"] * 2
    assert found()["killed runs"].told == "none to mend"


def test_a_run_without_a_folder_is_ended_only_if_its_process_is_gone(store, client, tracker):
    with tracker.start_run("a") as run:
        pass
    here = client.get_run(run.run_id).data.tags[PROCESS]
    head = here.rpartition("/")[0]
    processes = {
        "here": here,
        "gone": f"{head}/1",
        "elsewhere": "far/boot/pid:[1]/7/1",
        "untold": "",
    }
    experiment = client.get_run(run.run_id).info.experiment_id
    runs = {
        name: client.create_run(
            experiment, tags={"runner.version": "1", PROCESS: text}
        ).info.run_id
        for name, text in processes.items()
    }
    finding = found()["running runs"]
    ended = {name: client.get_run(run_id).info.status for name, run_id in runs.items()}
    assert ended == dict.fromkeys(runs, "RUNNING") | {"gone": "KILLED"}
    assert not finding.ok
    assert f"1 whose process is gone marked as killed: {runs['gone']}" in finding.told
    assert f"{runs['elsewhere']} (process 7 on far)" in finding.told
    assert f"{runs['untold']} (of an unknown process)" in finding.told
    assert runs["here"] not in finding.told


def test_runs_of_others_are_none_of_our_business(client):
    client.create_run(client.create_experiment("theirs"))
    assert found()["running runs"].told == "0 open"


def test_what_waits_for_another_store_is_told(store):
    Spool(runs_folder() / "ab", "http://elsewhere").close()
    finding = found()["unsent"]
    assert not finding.ok
    assert finding.told == "1 unsent rest for http://elsewhere; `runner doctor --sync` sends it"


def test_artifacts_that_are_not_there_are_told(project, tracker):
    with tracker.start_run("a") as run:
        run._put("a.txt", lambda: b"a")
    assert found()["experiments"].ok
    shutil.rmtree(project / "mlruns")
    finding = found()["experiments"]
    assert not finding.ok
    assert f"runner in {project}/mlruns/runner" in finding.told


@pytest.mark.parametrize(
    ("uri", "said"),
    [("./mlruns", "be a database or a server"), ("http://127.0.0.1:1", "answer within")],
)
def test_a_store_that_cannot_be_used_is_told(uri, said):
    finding = found(uri)["store"]
    assert not finding.ok
    assert said in finding.told


def test_a_schema_of_another_version_is_told(store):
    import sqlite3

    with sqlite3.connect(store.file) as database:
        database.execute("UPDATE alembic_version SET version_num = 'abc'")
    database.close()
    finding = found()["store"]
    assert not finding.ok
    assert "schema" in finding.told or "abc" in finding.told


def test_a_folder_that_cannot_be_written_is_told(project):
    (project / ".runner").write_text("a file in its place")
    finding = found()["project"]
    assert not finding.ok
    assert "must be writable" in finding.told


def test_what_cannot_be_sent_is_told(store, flaky, run_id, monkeypatch):
    Spool(runs_folder() / run_id, str(store)).close()
    monkeypatch.setattr("runner.tracking.checkup.connect", lambda store: flaky)
    real = flaky.set_terminated

    def refuse(*_, **__):
        raise OSError("no way")

    flaky.set_terminated = refuse
    finding = found()["killed runs"]
    assert not finding.ok
    assert "could not be sent" in finding.told
    flaky.set_terminated = real
    assert found()["killed runs"].told == f"1 mended: {run_id}"


def test_many_names_are_counted(store):
    for number in range(12):
        Spool(runs_folder() / f"run{number}", f"http://h{number}").close()
    told = found()["unsent"].told
    assert "1 unsent rest for http://h0; 1 unsent rest for http://h1; " in told
    assert "; 2 more stores; `runner doctor --sync` sends it" in told


def test_a_server_is_looked_at_too(server):
    with MlflowTracker(uri=server.url, experiment="checked").start_run("a"):
        pass
    findings = found(server.url)
    assert all_well(findings)
    assert findings["store"].told.startswith(f"{server.url} answers")
    assert "database" not in findings


def test_what_waits_is_sent_only_when_that_is_asked_for(project, schema, client):
    shutil.copy(schema, project / "other.db")
    other = resolve("sqlite:///other.db")
    there = connect(other)
    run_id = there.create_run(there.create_experiment("any")).info.run_id
    Spool(runs_folder() / run_id, str(other)).close()
    assert not found()["unsent"].ok
    assert there.get_run(run_id).info.status == "RUNNING"
    findings = {finding.name: finding for finding in check_record(send=True)}
    assert findings["sync"].told == f"sent 1 unsent rest to {other}"
    assert findings["unsent"].told == "nothing"
    assert all_well(findings)
    assert there.get_run(run_id).info.status == "KILLED"


def test_a_damaged_store_is_told_by_its_file_too(project):
    (project / "mlflow.db").write_text("these are no pages of a database, " * 100)
    findings = found()
    assert not findings["store"].ok
    assert not findings["database"].ok


def test_states_of_runs_that_are_kept_in_the_project_are_known(store, monkeypatch, recwarn):
    def refuse(store):
        raise AwayError("The store", "answer", got="nothing", remedy="Start it.")

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr("runner.tracking.away.preflight", refuse)
        with MlflowTracker(when_away="local").start_run("a") as run:
            raise KeyboardInterrupt
    state_file(run.run_id).parent.mkdir(parents=True)
    state_file(run.run_id).write_bytes(b"state")
    assert f"to go on: `runner resume {run.run_id[:8]}`" in found()["saved states"].told


def test_states_are_left_alone_when_the_store_stops_answering(store, flaky, monkeypatch):
    state_file("5f").parent.mkdir(parents=True)
    state_file("5f").write_bytes(b"state")
    os.utime(state_file("5f"), (0, 0))
    assert found("http://127.0.0.1:1")["saved states"].ok
    monkeypatch.setattr("runner.tracking.checkup.connect", lambda store: flaky)

    def away(run_id):
        raise OSError("connection refused")

    flaky.get_run = away
    finding = found()["saved states"]
    assert not finding.ok
    assert "connection refused" in finding.told
    assert state_file("5f").exists()
