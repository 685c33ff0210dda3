import logging
import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import Engine, event

from runner.errors import TrackingError
from runner.tracking import client as client_module
from runner.tracking.client import connect, experiment_id, import_ahead, reported
from runner.tracking.store import Store, resolve

COLD = """
import multiprocessing, sys
import mlflow
from runner.tracking.client import _import_database_store, connect, experiment_id
from runner.tracking.store import resolve

def use(number):
    start.wait()
    store = resolve()
    client = connect(store)
    client.create_run(experiment_id(client, store, "cold"), run_name=str(number))

_import_database_store()
fork = multiprocessing.get_context("fork")
start = fork.Barrier(8)
processes = [fork.Process(target=use, args=(number,)) for number in range(8)]
for process in processes:
    process.start()
for process in processes:
    process.join()
sys.exit(any(process.exitcode for process in processes))
"""


def test_eight_processes_may_be_the_first_to_use_a_store_at_the_same_moment(project):
    done = subprocess.run([sys.executable, "-c", COLD], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    client = connect(resolve())
    experiment = client.get_experiment_by_name("cold").experiment_id
    names = [run.info.run_name for run in client.search_runs([experiment])]
    assert sorted(names) == [str(number) for number in range(8)]


def test_an_experiment_that_many_ask_for_at_once_is_made_once(client, store):
    found = []
    start = threading.Barrier(6)

    def ask():
        start.wait()
        found.append(experiment_id(client, store, "asked"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_artifacts_lie_beside_the_database_wherever_that_is(project, schema):
    folder = project / "50 % of #1"
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(schema.read_bytes())
    store = resolve("sqlite:///50 % of #1/mlflow.db")
    client = connect(store)
    run = client.create_run(experiment_id(client, store, "a/b: c"))
    client.log_text(run.info.run_id, "kept", "notes/a.txt")
    kept = folder / "mlruns" / "a_b_c" / run.info.run_id / "artifacts" / "notes" / "a.txt"
    assert kept.read_text() == "kept"


def test_an_experiment_says_what_it_holds_and_keeps_what_a_person_wrote(client, store):
    made = experiment_id(client, store, "told")
    note = client.get_experiment(made).tags["mlflow.note.content"]
    assert note.startswith("**told**: ")
    assert "runner ui" in note
    client.set_experiment_tag(made, "mlflow.note.content", "mine")
    assert experiment_id(client, store, "told") == made
    assert client.get_experiment(made).tags["mlflow.note.content"] == "mine"


def test_a_deleted_experiment_is_refused(client, store):
    client.delete_experiment(experiment_id(client, store, "gone"))
    with pytest.raises(TrackingError, match=r"'gone' of sqlite:.* must not be deleted"):
        experiment_id(client, store, "gone")


def test_an_experiment_whose_artifacts_only_a_server_can_write_is_refused(client, store):
    client.create_experiment("served", "mlflow-artifacts:/7")
    with pytest.raises(TrackingError, match=r"made through a server\. Set tracking\.experiment"):
        experiment_id(client, store, "served")


def test_the_schema_of_another_mlflow_is_refused_with_the_command_that_mends_it(store):
    with closing(sqlite3.connect(store.file)) as database:
        database.execute("UPDATE alembic_version SET version_num = 'bd07f7e963c5'")
        database.commit()
    with pytest.raises(TrackingError, match=f"mlflow db upgrade {store}"):
        connect(store)


def test_what_mlflow_raises_names_the_store_and_hides_credentials():
    store = Store("http://ann:hunter2@example.org")
    with pytest.raises(TrackingError) as told, reported(store):
        raise OSError("API request to http://ann:hunter2@example.org/api failed")
    assert "The tracking store http://<redacted>@example.org must answer" in str(told.value)
    assert "hunter2" not in str(told.value)


def test_something_else_than_mlflow_behind_an_address_is_told(server):
    store = resolve(f"{server.url}/no/such/prefix")
    with pytest.raises(TrackingError, match="must answer and keep what it is given"):
        experiment_id(connect(store), store, "any")


def test_mlflow_is_quiet_unless_it_was_asked_to_speak(client):
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] == "true"
    assert int(os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"]) <= 3
    assert int(os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"]) <= 10
    assert not logging.getLogger("mlflow.store.db.utils").isEnabledFor(logging.ERROR)


def test_an_interrupt_while_the_schema_is_made_leaves_no_half_made_store(project, monkeypatch):
    import mlflow

    whole = mlflow.MlflowClient

    def interrupted(uri):
        whole(uri)
        raise KeyboardInterrupt

    monkeypatch.setattr(mlflow, "MlflowClient", interrupted)
    with pytest.raises(KeyboardInterrupt):
        connect(resolve())
    assert not (project / "mlflow.db").exists()
    monkeypatch.setattr(mlflow, "MlflowClient", whole)
    assert connect(resolve()).search_experiments()
    assert [path.name for path in project.glob("mlflow.db*")] == ["mlflow.db"]


def test_more_threads_than_connections_take_turns(store):
    from mlflow.entities import Metric

    client = connect(store)
    runs = [client.create_run(experiment_id(client, store, "any")) for _ in range(20)]

    def log(run):
        for step in range(3):
            client.log_batch(run.info.run_id, metrics=[Metric("a", 1.0, 1000 + step, step)])

    with ThreadPoolExecutor(len(runs)) as pool:
        list(pool.map(log, runs))
    for run in runs:
        assert len(client.get_metric_history(run.info.run_id, "a")) == 3


def test_a_client_tells_what_it_is_as_before(store):
    assert connect(store).tracking_uri == store.uri


def test_a_new_store_waits_for_the_disk_once_and_later_for_every_change(project, monkeypatch):
    waited, settings = [], {}

    def connected(connection, *_):
        name = connection.execute("PRAGMA database_list").fetchone()[2]
        (settings[name.endswith(".new")],) = connection.execute("PRAGMA synchronous").fetchone()

    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: waited.append(fsync(number)))
    event.listen(Engine, "checkout", connected)
    try:
        connect(resolve())
    finally:
        event.remove(Engine, "checkout", connected)
    assert len(waited) == 1
    assert settings == {True: 0, False: 2}, "off for what is thrown away if it is interrupted"


@pytest.mark.parametrize(
    ("uri", "n_imports"), [(None, 1), ("http://127.0.0.1:1", 0), ("postgresql://db/mlflow", 0)]
)
def test_only_what_opens_a_file_is_imported_ahead(monkeypatch, uri, n_imports):
    imported = []
    monkeypatch.setattr(client_module, "_import_database_store", lambda: imported.append(uri))
    import_ahead(uri)
    assert len(imported) == n_imports
