"""Processes on this machine: where they listen, what they hear, and that none is left."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
from distributed import SpecCluster

from runner.cluster.client import wait_for_a_worker
from runner.cluster.heard import listening
from runner.cluster.local import LocalCluster
from runner.errors import ClusterError, ConfigError

OPENED = """
import os, sys, time
from runner.cluster.client import wait_for_a_worker
from runner.cluster.heard import listening
from runner.cluster.local import LocalCluster

with listening() as heard, LocalCluster(n_workers=1).connected(heard) as client:
    wait_for_a_worker(client, 30, heard)
    if {busy}:
        futures = client.map(time.sleep, [600])
    try:
        print(*client.run(os.getpid).values(), flush=True)
        sys.stdin.readline()
    except KeyboardInterrupt:
        print(*client.run(os.getpid).values(), flush=True)
        sys.stdin.readline()
    left_at = time.perf_counter()
print(time.perf_counter() - left_at, flush=True)
"""


@pytest.fixture
def opened():
    """Return what opens a cluster in a process of its own, with a session of its own."""
    processes = []

    def start(*, busy=False):
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPENED.format(busy=busy)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        return process, int(process.stdout.readline())

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def is_gone_soon(pid):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def client():
    with listening() as heard, LocalCluster(n_workers=1).connected(heard) as client:
        wait_for_a_worker(client, 30, heard)
        yield client


def test_nothing_listens_to_another_machine(client):
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening_on = {
        connection.laddr.ip
        for process in family
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening_on == {"127.0.0.1"}


def test_workers_talk_by_tls_and_become_no_default(client):
    from distributed import get_client

    assert client.scheduler.address.startswith("tls://127.0.0.1:")
    assert all(address.startswith("tls://127.0.0.1:") for address in client.nthreads())
    with pytest.raises(ValueError, match=r"No global client found"):
        get_client()


def test_a_worker_has_one_thread_and_libraries_in_it_too(client):
    assert list(client.nthreads().values()) == [1]
    assert client.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"


def test_a_cluster_that_is_closed_leaves_no_process_no_variable_and_no_noise(capfd):
    before = dict(os.environ), {child.pid for child in multiprocessing.active_children()}
    with listening() as heard, LocalCluster(n_workers=1, tls=False).connected(heard) as client:
        wait_for_a_worker(client, 30, heard)
        assert client.scheduler.address.startswith("tcp://127.0.0.1:")
        pids = client.run(os.getpid).values()
    assert all(map(is_gone_soon, pids))
    left = dict(os.environ), {child.pid for child in multiprocessing.active_children()}
    assert left == before
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_of_the_terminal_leaves_the_workers_and_then_they_end_at_once(opened):
    process, pid = opened(busy=True)
    os.killpg(process.pid, signal.SIGINT)
    assert int(process.stdout.readline()) == pid
    took, noise = process.communicate("\n", timeout=20)
    assert noise == ""
    assert float(took) < 20
    assert is_gone_soon(pid)


def test_workers_end_when_this_process_is_killed(opened):
    process, pid = opened()
    assert psutil.pid_exists(pid)
    process.kill()
    assert is_gone_soon(pid)


def test_adaptive_scaling_has_as_many_workers_as_there_is_work_for():
    cluster = LocalCluster(adaptive={"minimum": 1, "maximum": 2}, tls=False)
    with listening() as heard, cluster.connected(heard) as client:
        wait_for_a_worker(client, 30, heard)
        assert len(client.nthreads()) == 1
        futures = client.map(time.sleep, [30 + i for i in range(20)])
        client.wait_for_workers(2, timeout=20)
        assert len(futures) == 20


def listens_here():
    connections = psutil.Process().net_connections(kind="inet")
    return {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}


@pytest.mark.parametrize("error", [OSError("no memory"), KeyboardInterrupt()])
@pytest.mark.parametrize("name", ["sync", "scale"])
def test_a_start_that_is_broken_off_leaves_nothing_open(name, error, monkeypatch):
    real, n_failed = getattr(SpecCluster, name), []

    def fail_once(cluster, *args, **kwargs):
        done = real(cluster, *args, **kwargs)
        if not n_failed:
            n_failed.append(1)
            raise error
        return done

    before = listens_here(), set(threading.enumerate()), set(SpecCluster._instances)
    monkeypatch.setattr(SpecCluster, name, fail_once)
    with (
        listening() as heard,
        pytest.raises((ClusterError, KeyboardInterrupt)),
        LocalCluster(n_workers=1, tls=False).connected(heard),
    ):
        pass
    begun = set(SpecCluster._instances) - before[2]
    assert {each.status.name for each in begun} <= {"closed"}
    assert listens_here() <= before[0]
    assert not [each for each in set(threading.enumerate()) - before[1] if "IO loop" in each.name]
    assert n_failed


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"n_workers": 0}, "cluster.n_workers must be an integer of at least 1, or null"),
        (
            {"memory_limit": "4 apples"},
            "cluster.memory_limit must be auto, or bytes, such as 4GiB",
        ),
        ({"dashboard": "0.0.0.0:8787"}, 'add allow = \\["0.0.0.0:8787"\\]'),
        ({"dashboard": ":8787"}, "cluster.dashboard must be an address with a port"),
    ],
)
def test_what_cannot_be_or_would_be_for_the_whole_network_is_refused(settings, told):
    with pytest.raises(ConfigError, match=told):
        LocalCluster(**settings)


def test_pages_for_the_network_may_be_allowed_by_name(monkeypatch):
    monkeypatch.setenv("RUNNER_ALLOW", "0.0.0.0:8787")
    assert LocalCluster(dashboard="0.0.0.0:8787").dashboard == "0.0.0.0:8787"
    assert LocalCluster(dashboard="127.0.0.1:8787").dashboard == "127.0.0.1:8787"
