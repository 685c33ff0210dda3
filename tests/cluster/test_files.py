"""Files are looked for where there is work, once."""

import socket

import pytest

from runner.cluster.files import Files, check_seen, missing, sample
from runner.errors import ClusterError, DatasetError


def test_the_first_missing_path_is_told(tmp_path):
    assert missing([str(tmp_path), str(tmp_path / "a"), "/b"])[1] == str(tmp_path / "a")


def test_of_many_files_every_folder_is_looked_for():
    many = [f"/data/{folder}/{i}.csv" for folder in "ab" for i in range(500)]
    assert {"/data/a", "/data/b"} <= set(sample(many))
    assert len(sample(many)) == 102


def test_what_is_not_seen_is_no_error_of_the_data_until_it_is_there(tmp_path):
    rows = tmp_path / "rows.csv"
    with pytest.raises(
        ClusterError, match=f"The worker w on {socket.gethostname()}.*no {rows}"
    ) as no:
        check_seen((str(rows),), "w")
    assert not isinstance(no.value, DatasetError)
    rows.touch()
    check_seen((str(rows),), "w")
    rows.unlink()
    check_seen((str(rows),), "w")  # it was there when this process began with it


def test_a_blind_worker_is_told_once():
    files = Files()
    error = ClusterError("a", "b", got="c", remedy="d.")
    (told,) = files.avoid("w", error)
    assert str(told.message) == "a must b; got c. d. Until then, other workers do its work."
    assert files.avoid("w", error) == []
    assert files.blind == {"w"}
