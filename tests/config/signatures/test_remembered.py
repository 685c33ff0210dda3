import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.config.signatures import remembered
from runner.config.signatures.remembered import recalled, remember

NAME = "somewhere.Thing"
CONTENT = {"a": [1, None, "x", 0.1], "b": {"c": True}}


pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def kind(tmp_path, monkeypatch):
    """Return a class whose file can be changed."""
    file = tmp_path / "thing.py"
    file.write_text("class Thing: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("thing")
    yield sys.modules["thing"].Thing
    del sys.modules["thing"]


def forget():
    remembered._READ.clear()


def test_what_was_remembered_is_recalled_also_from_the_file(kind):
    assert recalled(NAME) is None
    remember(NAME, CONTENT, kind.__mro__)
    assert recalled(NAME) == CONTENT
    forget()
    assert recalled(NAME) == CONTENT
    assert recalled("another.Thing") is None


def test_a_changed_file_is_looked_at_again(kind, tmp_path):
    remember(NAME, CONTENT, kind.__mro__)
    (tmp_path / "thing.py").write_text("class Thing: a = 1\n")
    assert recalled(NAME) is None
    forget()
    assert recalled(NAME) is None


def test_a_file_that_was_touched_or_is_gone_is_looked_at_again(kind, tmp_path):
    remember(NAME, CONTENT, kind.__mro__)
    os.utime(tmp_path / "thing.py", ns=(1, 1))
    assert recalled(NAME) is None
    remember(NAME, CONTENT, kind.__mro__)
    (tmp_path / "thing.py").unlink()
    assert recalled(NAME) is None


@pytest.mark.parametrize("key", ["format", "python", "versions", "own"])
def test_another_version_of_anything_is_looked_at_again(kind, monkeypatch, key):
    remember(NAME, CONTENT, kind.__mro__)
    forget()
    other = remembered._of() | {key: "another"}
    monkeypatch.setattr(remembered, "_of", lambda: other)
    assert recalled(NAME) is None


def test_what_everything_depends_on_is_told():
    told = remembered._of()
    assert {*told["versions"]} == {"incremental-runner", "scikit-learn"}
    assert len(told["own"]) == 64


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b"3", b"\xff", b'{"entry": 3}', b'{"entry": {}}'),
        *(b'{"entry": {}, "sha256": "0"}', b"[" * 100_000, b" " * 2_000_000),
    ],
)
def test_an_odd_file_is_nothing(kind, cache, content):
    remember(NAME, CONTENT, kind.__mro__)
    forget()
    (path,) = cache.iterdir()
    path.write_bytes(content)
    assert recalled(NAME) is None
    remember(NAME, CONTENT, kind.__mro__)
    forget()
    assert recalled(NAME) == CONTENT


def test_a_damaged_file_is_not_believed(kind, cache):
    remember(NAME, CONTENT, kind.__mro__)
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    for position in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        forget()
        assert recalled(NAME) in (None, CONTENT)
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        forget()
        assert recalled(NAME) is None


def test_the_file_of_another_name_is_not_believed(kind, cache):
    remember(NAME, CONTENT, kind.__mro__)
    (path,) = cache.iterdir()
    remembered._path("another.Thing").write_bytes(path.read_bytes())
    forget()
    assert recalled("another.Thing") is None


def test_a_cache_that_cannot_be_written_is_gone_without(kind, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    remember(NAME, CONTENT, kind.__mro__)
    assert recalled(NAME) == CONTENT  # by this process
    forget()
    assert recalled(NAME) is None


def test_a_folder_in_the_place_of_the_file_is_gone_without(kind, cache):
    remembered._path(NAME).mkdir(parents=True)
    remember(NAME, CONTENT, kind.__mro__)
    forget()
    assert recalled(NAME) is None
    assert [path.name for path in cache.iterdir()] == [remembered._path(NAME).name]


def test_a_class_without_a_file_is_not_remembered(cache):
    remember(NAME, CONTENT, [type("Made", (), {"__module__": "nowhere"})])
    assert recalled(NAME) is None
    assert not cache.exists()


@pytest.mark.parametrize("named", ["", "relative/folder"])
def test_the_cache_is_in_the_home_where_nothing_else_is_said(named, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", named)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert remembered.folder() == tmp_path / ".cache" / "runner"


def test_where_there_is_no_home_there_is_no_cache(kind, monkeypatch):
    def homeless(_):
        raise RuntimeError

    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setattr(Path, "home", classmethod(homeless))
    remember(NAME, CONTENT, kind.__mro__)
    forget()
    assert recalled(NAME) is None


def test_several_that_write_at_once_leave_a_whole_file(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(remembered, "_of", dict)
    script = tmp_path / "writer.py"
    script.write_text(
        "import sys\n"
        "from runner.config.signatures import remembered\n"
        "remembered._of = dict\n"
        "for i in range(150):\n"
        f"    remembered.remember({NAME!r}, {{'all': sys.argv[1] * (1 + i * 37 % 5000)}}, [])\n"
    )
    writers = [subprocess.Popen([sys.executable, script, letter]) for letter in "abc"]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        forget()
        found = recalled(NAME)
        seen += found is not None
        assert found is None or len({*found["all"]}) == 1
        for path in cache.glob("[0-9a-f]*.json") if cache.exists() else ():
            json.loads(path.read_text())
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert seen
    assert len([*cache.iterdir()]) == 1
