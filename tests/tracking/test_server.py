import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest
import requests

from runner.cli import WRONG
from runner.errors import TrackingError
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.server import Interface, _process, _stop, _wait, serve
from runner.tracking.store import resolve

ROOT = Path(__file__).resolve().parents[2]


def listening_addresses(port):
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    local = [row[1].partition(":") for row in rows if row[3] == "0A"]
    return {address for address, _, hexadecimal in local if int(hexadecimal, 16) == port}


def test_the_interface_is_served_to_this_machine_alone(server):
    assert requests.get(f"{server.url}/health", timeout=10).text == "OK"
    assert "MLflow" in requests.get(server.url, timeout=10).text
    port = int(server.url.rpartition(":")[2])
    assert listening_addresses(port) == {"0100007F"}


def test_a_page_that_names_another_host_is_refused(server):
    search = f"{server.url}/api/2.0/mlflow/experiments/search?max_results=1"
    assert requests.get(search, timeout=10).status_code == 200
    foreign = {"Host": "evil.example"}
    assert requests.get(search, headers=foreign, timeout=10).status_code == 403


def test_a_server_needs_no_server():
    with serve("http://ann:pw@127.0.0.1:5000/mlflow/") as interface:
        assert interface.base_url == "http://127.0.0.1:5000/mlflow"
        interface.wait()


def test_a_taken_port_is_told(store):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(TrackingError, match=f"Port {port} must be free; got .*in use"),
            serve(port=port),
        ):
            pytest.fail("served")


def test_a_server_of_the_same_store_is_used_and_no_other(server, store):
    port, served = int(server.url.rpartition(":")[2]), f"sqlite:///{server._file}"
    for uri in (served, store.uri):
        with MlflowTracker(uri=uri, experiment="here", log_model=False).start_run("known"):
            pass
    with serve(served, port=port) as interface:
        assert (interface.base_url, interface.was_there) == (server.url, True)
        interface.wait()
    with pytest.raises(TrackingError, match="must be free"), serve(store.uri, port=port):
        pytest.fail("served")


def test_a_proxy_does_not_stand_before_the_own_machine(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setattr("runner.tracking.server.START_S", 30)
    here = subprocess.Popen(["sleep", "60"])
    try:
        _wait(here, server.url, None)
    finally:
        here.kill()
        here.wait()


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_number_that_is_no_port_is_told(store, port):
    with pytest.raises(TrackingError, match=f"Port {port} must be"), serve(port=port):
        pytest.fail("served")


def test_a_store_that_cannot_be_served_is_told():
    with (
        pytest.raises(TrackingError, match="existing folder"),
        serve("sqlite:////no/such/folder/a.db", port=0),
    ):
        pytest.fail("served")


def test_a_server_that_ends_at_once_is_told_with_its_last_word(tmp_path):
    process = subprocess.Popen(["false"])
    process.wait()
    with (tmp_path / "log").open("w+b") as log:
        log.write(b"starting\nno such module\n")
        with pytest.raises(TrackingError, match="got no such module"):
            _wait(process, "http://127.0.0.1:1", log)


def child(code):
    """Start a process group of its own, and wait for its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    process.stdout.readline()
    process.stdout.close()
    return process


def test_a_server_that_ends_clean_is_not_killed(monkeypatch):
    sent = []
    killpg = os.killpg
    monkeypatch.setattr(
        "os.killpg", lambda group, number: (sent.append(number), killpg(group, number))
    )
    _stop(child("import time; print(flush=True); time.sleep(60)"))
    assert sent == [signal.SIGTERM]


def test_a_server_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr("runner.tracking.server.STOP_S", 0.2)
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True);"
    process = child(f"{deaf} time.sleep(60)")
    _stop(process)
    assert process.returncode == -signal.SIGKILL


def test_a_server_that_ends_by_itself_is_told(tmp_path):
    process = subprocess.Popen(["false"])
    with (tmp_path / "log").open("w+b") as log:
        log.write(b"starting\nout of memory.\n")
        with pytest.raises(TrackingError, match=r"got out of memory\. Start it again"):
            Interface("http://127.0.0.1:1", process, log).wait()


def runner_ui():
    return subprocess.Popen(
        [sys.executable, "-m", "runner", "ui", "--port", "0"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answers(base_url):
    with suppress(requests.ConnectionError):
        return requests.get(f"{base_url}/health", timeout=10).ok
    return False


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_a_signal_to_the_command_leaves_no_server_behind(store, number):
    command = runner_ui()
    try:
        base_url = command.stdout.readline().strip()
        assert command.stdout.readline() == "Ctrl-C ends it\n"
        (server,) = psutil.Process(command.pid).children()
        group = [server, *server.children(recursive=True)]
        assert answers(base_url)
        command.send_signal(number)
        told = command.communicate(timeout=30)
    finally:
        command.kill()
    assert (command.returncode, told) == (0, ("", ""))
    assert psutil.wait_procs(group, timeout=5)[1] == []
    assert not answers(base_url)


def test_the_command_tells_that_the_server_ended_by_itself(store):
    command = runner_ui()
    try:
        command.stdout.readline()
        (server,) = psutil.Process(command.pid).children()
        os.killpg(server.pid, signal.SIGKILL)
        told = command.communicate(timeout=30)[1]
    finally:
        command.kill()
    assert command.returncode == WRONG
    assert told.startswith("MLflow's server must go on until it is ended; got ")


def test_no_process_is_left_and_no_command_line_shows_the_store(store, tmp_path):
    with (
        (tmp_path / "log").open("w+b") as log,
        _process(resolve(), "http://127.0.0.1:1", log) as process,
    ):
        group = os.getpgid(process.pid)
        while not (arguments := Path(f"/proc/{process.pid}/cmdline").read_bytes()):
            assert process.poll() is None
    assert re.search(rb"server.*127\.0\.0\.1", arguments)
    assert b"sqlite" not in arguments
    with pytest.raises(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
