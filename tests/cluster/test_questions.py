"""Workers are asked for their packages and files before there is work."""

import socket

import pytest

from runner.cluster import questions
from runner.cluster.questions import check_files, check_versions, missing, sample
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
    check_files(two_workers, [tmp_path, "s3://nobody/asks"], 20)
    check_files(two_workers, [], 20)


def test_a_file_that_is_not_there_is_told_with_the_worker_and_its_host(two_workers, tmp_path):
    with pytest.raises(ClusterError) as raised:
        check_files(two_workers, [tmp_path / "rows.csv"], 20)
    assert f" on {socket.gethostname()} must see the files" in str(raised.value)
    assert f"got no {tmp_path}/rows.csv." in str(raised.value)


def test_the_first_missing_path_is_told(tmp_path):
    assert missing([str(tmp_path), str(tmp_path / "a"), "/b"])[1] == str(tmp_path / "a")


def test_of_many_files_every_folder_is_looked_for():
    many = [f"/data/{folder}/{i}.csv" for folder in "ab" for i in range(500)]
    assert {"/data/a", "/data/b"} <= set(sample(many))
    assert len(sample(many)) == 102


def test_a_worker_that_is_frozen_is_told(scheduler_and_workers):
    import signal

    cluster = scheduler_and_workers(1)
    (address,) = cluster.client.scheduler_info()["workers"]
    cluster.workers[0].send_signal(signal.SIGSTOP)
    with pytest.raises(ClusterError, match=f"The worker {address} must answer; got nothing"):
        check_versions(cluster.client, 1)
