import fcntl
import json
import shutil
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import TrackingError
from runner.tracking.spool import (
    FILE_NAME,
    Point,
    Spool,
    Spooled,
    abandoned,
    claim,
    is_open,
    read,
    runs_folder,
)

points = st.builds(
    Point,
    st.text(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 2**62),
    st.integers(0, 2**62),
)


def test_what_is_written_is_read_back(tmp_path):
    @settings(max_examples=50, deadline=None)
    @given(st.lists(points), st.dictionaries(st.text(), st.text()), st.integers(0, 2**62))
    def same(written, tags, ended):
        spool = Spool(tmp_path, "sqlite:////a.db")
        spool.points(written)
        spool.tags(tags)
        spool.end("FAILED", ended)
        spool.close()
        assert read(spool.file) == Spooled("sqlite:////a.db", written, tags, "FAILED", ended)
        spool.file.unlink()

    same()


def test_a_line_that_was_cut_short_is_left_out_wherever_it_was_cut(tmp_path):
    spool = Spool(tmp_path, "s")
    spool.points([Point("a", 1.5, 10, 1), Point("b", float("nan"), 11, 2)])
    spool.close()
    whole = spool.file.read_bytes()
    second = whole.rindex(b"{")
    for length in range(second, len(whole) - 1):
        spool.file.write_bytes(whole[:length])
        assert read(spool.file).points == [Point("a", 1.5, 10, 1)]


def test_each_line_reaches_the_file_at_once(tmp_path):
    spool = Spool(tmp_path, "s")
    spool.points([Point("a", 1.0, 10, 1)])
    lines = [json.loads(line) for line in spool.file.read_text().splitlines()]
    assert lines == [{"store": "s"}, {"k": "a", "v": 1.0, "t": 10, "s": 1}]
    spool.close()


def test_a_run_is_abandoned_once_its_process_is_gone(project):
    code = """
import os, sys
from runner.tracking.spool import Spool, runs_folder
spool = Spool(runs_folder() / "abc", "s")
print("ready", flush=True)
sys.stdin.read()
os.kill(os.getpid(), 9)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        assert list(abandoned()) == []
    assert list(abandoned()) == [runs_folder() / "abc"]


def test_an_abandoned_run_is_looked_at_by_one_process_at_a_time(project):
    Spool(runs_folder() / "abc", "s").close()
    first = abandoned()
    assert next(first) == runs_folder() / "abc"
    assert list(abandoned()) == []
    first.close()
    assert [folder.name for folder in abandoned()] == ["abc"]
    (runs_folder() / "abc" / FILE_NAME).unlink()
    assert list(abandoned()) == []


def test_a_run_is_open_while_some_process_holds_its_file(project):
    assert not is_open("ab")
    spool = Spool(runs_folder() / "ab", "sqlite:///x.db")
    assert is_open("ab")
    spool.close()
    assert not is_open("ab")


def test_a_claim_that_is_given_up_leaves_what_was_there(project):
    folder = runs_folder() / "ab"
    claimed = claim(folder)
    assert claimed.is_new
    assert is_open("ab")
    claimed.give_up()
    claimed.give_up()
    assert not folder.exists()
    Spool(folder, "s").close()
    claimed = claim(folder)
    assert not claimed.is_new
    claimed.give_up()
    assert read(folder / FILE_NAME).store == "s"
    assert not is_open("ab")


def test_what_is_open_cannot_be_claimed(project):
    spool = Spool(runs_folder() / "ab", "s")
    assert claim(spool.file.parent) is None
    with pytest.raises(TrackingError, match="another process that has it open"):
        Spool(spool.file.parent, "s")
    spool.close()
    claim(spool.file.parent).give_up()


def test_a_claim_waits_for_who_only_looks_and_for_who_removes_the_folder(project):
    folder = runs_folder() / "ab"
    spool = Spool(folder, "s")

    def remove():
        shutil.rmtree(folder)
        spool.close()

    later = threading.Timer(0.1, remove)
    later.start()
    claimed = claim(folder)
    later.join()
    assert claimed.is_new
    assert is_open("ab")
    claimed.give_up()


def test_a_spool_writes_to_what_was_claimed_for_it(project):
    folder = runs_folder() / "ab"
    spool = Spool(folder, "s", claim(folder))
    assert read(spool.file).store == "s"
    assert is_open("ab")
    spool.close()


def test_what_is_locked_but_no_more_in_its_place_is_not_abandoned(project, monkeypatch):
    folder, flock = runs_folder() / "ab", fcntl.flock
    Spool(folder, "s").close()

    def replaced(stream, how):
        monkeypatch.setattr(fcntl, "flock", flock)
        shutil.rmtree(folder)
        spools.append(Spool(folder, "t"))
        flock(stream, how)

    spools = []
    monkeypatch.setattr(fcntl, "flock", replaced)
    assert list(abandoned()) == []
    assert read(folder / FILE_NAME).store == "t"
    spools[0].close()


def test_a_claim_is_of_the_file_that_is_in_its_place(project, monkeypatch):
    folder, flock = runs_folder() / "ab", fcntl.flock

    def replaced(stream, how):
        monkeypatch.setattr(fcntl, "flock", flock)
        shutil.rmtree(folder)
        spools.append(Spool(folder, "t"))
        flock(stream, how)

    spools = []
    monkeypatch.setattr(fcntl, "flock", replaced)
    assert claim(folder) is None
    spools[0].close()


def test_what_nothing_was_written_to_is_removed(project):
    (runs_folder() / "ab").mkdir(parents=True)
    (runs_folder() / "ab" / FILE_NAME).touch()
    claimed = claim(runs_folder() / "cd")
    assert list(abandoned()) == []
    assert [folder.name for folder in runs_folder().iterdir()] == ["cd"]
    claimed.give_up()
