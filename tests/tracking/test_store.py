import os
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from runner.errors import TrackingError
from runner.tracking.store import AwayError, Store, default_uri, preflight, resolve

NOBODY = 65534


def test_the_default_is_one_database_beside_the_project(project):
    assert resolve().file == project / "mlflow.db"
    assert default_uri() == f"sqlite:///{project}/mlflow.db"


def test_the_argument_comes_before_the_environment(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert resolve().uri == "http://127.0.0.1:1"
    assert resolve("http://127.0.0.1:2").uri == "http://127.0.0.1:2"


def test_a_relative_path_counts_from_the_project(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolve("sqlite:///runs/mlflow.db").file == project / "runs" / "mlflow.db"
    assert resolve(f"sqlite:///{tmp_path}/a.db?timeout=3").file == tmp_path / "a.db"


@pytest.mark.parametrize("uri", ["./mlruns", "mlruns", "file:///runs/mlruns", "/runs/mlruns"])
def test_a_folder_of_files_is_refused_with_the_database_to_use(uri, project):
    with pytest.raises(TrackingError, match="be a database or a server") as refused:
        resolve(uri)
    assert f"Set tracking.uri=sqlite:///{project}/mlflow.db" in str(refused.value)


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_database_without_a_file_is_refused(uri):
    with pytest.raises(TrackingError, match="must name a database file"):
        resolve(uri)


def test_credentials_are_in_no_text_of_a_store():
    store = Store("https://ann:pw@example.org:8443/mlflow/")
    assert store.base_url == "https://example.org:8443/mlflow"
    assert "pw" not in str(store)
    assert Store("postgresql://ann:pw@db/mlflow").base_url is None


def test_a_file_that_can_be_written_is_left_as_it_was(project):
    file = project / "mlflow.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE kept (x)")
    before = file.read_bytes()
    preflight(resolve())
    assert file.read_bytes() == before


def in_a_missing_folder(project):
    return project / "missing" / "mlflow.db"


def below_a_file(project):
    (project / "file").write_text("")
    return project / "file" / "mlflow.db"


def a_folder(project):
    (project / "folder.db").mkdir()
    return project / "folder.db"


def no_database(project):
    (project / "mlflow.db").write_text("these are no pages of a database, " * 100)
    return project / "mlflow.db"


def on_a_file_system_that_nobody_can_write(project):
    return "/proc/mlflow.db"


@pytest.mark.parametrize(
    "place",
    [
        in_a_missing_folder,
        below_a_file,
        a_folder,
        no_database,
        on_a_file_system_that_nobody_can_write,
    ],
)
def test_an_unwritable_file_is_told_within_five_seconds(place, project):
    store = resolve(f"sqlite:///{place(project)}")
    began = time.monotonic()
    with pytest.raises(TrackingError) as refused:
        preflight(store)
    assert time.monotonic() - began < 5
    assert str(store.file) in str(refused.value)
    assert "tracking.uri" in str(refused.value)


@pytest.fixture
def guarded():
    """Return a database that only its owner may write, as somebody else."""
    folder = Path(tempfile.mkdtemp())
    file = folder / "mlflow.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE kept (x)")
    file.chmod(0o444)
    folder.chmod(0o555)
    was_root = os.geteuid() == 0
    if was_root:  # whom no permission stops
        os.seteuid(NOBODY)
    yield file
    if was_root:
        os.seteuid(0)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_file_that_can_only_be_read_is_told(guarded):
    with pytest.raises(TrackingError, match="attempt to write a readonly database"):
        preflight(Store(f"sqlite:///{guarded}"))


def test_a_folder_that_can_only_be_read_is_told(guarded):
    with pytest.raises(TrackingError, match="Permission denied"):
        preflight(Store(f"sqlite:///{guarded.parent}/new.db"))


def test_a_file_that_another_process_is_writing_is_writable(store, monkeypatch):
    monkeypatch.setattr("runner.tracking.store.PATIENCE_S", 0.1)
    with closing(sqlite3.connect(store.file, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        preflight(store)


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "https", "postgresql", "mysql+pymysql", "mssql"])
def test_what_does_not_answer_is_told_at_once_and_without_credentials(scheme):
    store = resolve(f"{scheme}://ann:hunter2@127.0.0.1:{free_port()}/mlflow")
    began = time.monotonic()
    with pytest.raises(TrackingError, match="answer within 3 seconds") as refused:
        preflight(store)
    assert time.monotonic() - began < 5
    assert "hunter2" not in str(refused.value)
    assert "127.0.0.1" in str(refused.value)


def test_a_server_that_accepts_and_says_nothing_is_told_within_five_seconds():
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        began = time.monotonic()
        with pytest.raises(TrackingError, match="timed out"):
            preflight(resolve(f"http://127.0.0.1:{mute.getsockname()[1]}"))
        assert time.monotonic() - began < 5


@contextmanager
def answering(status):
    """Answer one request with a status, and yield the address."""

    def answer():
        connection, _ = listening.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found"])
def test_a_server_that_wants_a_password_or_has_no_such_page_answers(status):
    with answering(status) as uri:
        preflight(resolve(uri))


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Unavailable"])
def test_a_proxy_with_nobody_behind_it_is_away(status):
    with answering(status) as uri, pytest.raises(AwayError, match=f"got HTTP Error {status[:3]}"):
        preflight(resolve(uri))


def test_what_is_away_names_the_choice_that_a_new_run_has():
    with pytest.raises(AwayError) as told:
        preflight(resolve(f"http://127.0.0.1:{free_port()}"))
    assert "when_away" not in str(told.value)
    choice = str(told.value.with_choice())
    assert choice.startswith(str(told.value).partition(" Start it")[0])
    assert choice.endswith(
        "Start it, set tracking.uri, or MLFLOW_TRACKING_URI, to another store, or set "
        "tracking.when_away=local to keep the run in the project until `runner doctor --sync` "
        "sends it."
    )


def test_a_file_that_cannot_be_written_is_not_away():
    with pytest.raises(TrackingError) as told:
        preflight(resolve("sqlite:////no/such/folder/mlflow.db"))
    assert not isinstance(told.value, AwayError)


def test_a_database_that_listens_answers():
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        preflight(resolve(f"postgresql://127.0.0.1:{listening.getsockname()[1]}/mlflow"))


def test_a_database_behind_a_socket_file_is_left_to_mlflow():
    preflight(resolve("postgresql:///mlflow?host=/var/run/postgresql"))
    assert "MLFLOW_TRACKING_URI" not in os.environ
