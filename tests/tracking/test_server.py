import os
import re
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import requests

from runner.errors import TrackingError
from runner.tracking.server import _process, _wait, serve
from runner.tracking.store import resolve


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
    with serve("http://ann:pw@127.0.0.1:5000/mlflow/") as base_url:
        assert base_url == "http://127.0.0.1:5000/mlflow"


def test_a_taken_port_is_told(store):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(TrackingError, match=f"Port {port} must be free; got .*in use"),
            serve(port=port),
        ):
            pytest.fail("served")


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
