"""Workers are asked for their packages and files before there is work."""

import asyncio
import socket
import threading
import time

import pytest

from runner.cluster import questions
from runner.cluster.questions import check_files, check_versions
from runner.cluster.workers import Workers
from runner.errors import ClusterError


def test_workers_of_the_same_environment_are_taken(two_workers):
    check_versions(two_workers, 20)


@pytest.mark.parametrize("package", ["python", "scikit-learn", "incremental-runner"])
def test_a_package_of_another_version_is_told_with_the_worker(two_workers, monkeypatch, package):
    here = {**dict(questions.versions_here()), package: "0.0.1"}
    monkeypatch.setattr(questions, "versions_here", lambda: tuple(here.items()))
    with pytest.raises(ClusterError, match=rf"tcp://127.* must have {package} 0\.0\.1 as this"):
        check_versions(two_workers, 20)


def test_files_that_are_there_are_seen(two_workers, tmp_path):
    check_files(two_workers, [str(tmp_path)], 20)
    check_files(two_workers, [], 20)


def test_a_file_that_is_not_there_is_told_with_the_worker_and_its_host(two_workers, tmp_path):
    with pytest.raises(ClusterError) as raised:
        check_files(two_workers, [f"{tmp_path}/rows.csv"], 20)
    assert f" on {socket.gethostname()} must see the files" in str(raised.value)
    assert f"got no {tmp_path}/rows.csv." in str(raised.value)


def test_a_worker_that_cannot_do_what_is_asked_is_told(two_workers, monkeypatch):
    monkeypatch.setattr(questions, "missing", unable)
    with pytest.raises(
        ClusterError, match=r"tcp://127.* must do what .*; got MemoryError\('no'\)\."
    ):
        check_files(two_workers, ["/data"], 20)
    monkeypatch.setattr(questions, "dumps", lambda _: b"no pickle")
    with pytest.raises(ClusterError, match=r"tcp://127.* must do what .*; got UnpicklingError"):
        check_files(two_workers, ["/data"], 20)


def unable(_):
    raise MemoryError("no")


def test_a_scheduler_that_does_not_answer_is_told_soon(two_workers, monkeypatch):
    async def silent(**_):
        await asyncio.sleep(60)

    monkeypatch.setattr(questions, "SCHEDULER_S", 0.2)
    monkeypatch.setattr(two_workers.scheduler, "ncores", silent, raising=False)
    began = time.monotonic()
    with pytest.raises(ClusterError, match="must stay there until the end; got no answer"):
        check_files(two_workers, ["/data"], 30)
    assert time.monotonic() - began < 15
    assert questions.SCHEDULER_S + questions.MOST_S < 60


def test_a_worker_that_is_frozen_is_told(scheduler_and_workers):
    import signal

    cluster = scheduler_and_workers(1)
    (address,) = cluster.client.scheduler_info()["workers"]
    cluster.workers[0].send_signal(signal.SIGSTOP)
    with pytest.raises(ClusterError, match=f"The worker {address} must answer; got nothing"):
        check_versions(cluster.client, 1)


def test_workers_that_cannot_import_what_is_to_be_sent_are_named(
    two_workers, tmp_path, monkeypatch
):
    (tmp_path / "only_here.py").write_text("class Mine:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    from only_here import Mine

    workers = Workers(two_workers)
    workers.check_loads([1, "text"])
    workers.check_loads(threading.Lock())  # which cannot be sent at all
    told = r"The worker \S+ on \S+ must be able to import .*No module named 'only_here'"
    with pytest.raises(ClusterError, match=told):
        workers.check_loads([Mine()])
