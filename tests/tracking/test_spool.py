import json
import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.tracking.spool import (
    FILE_NAME,
    Point,
    Spool,
    Spooled,
    abandoned,
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
