"""The command line's own process looks for cycles while it learns, not while it imports."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner import collecting
from runner.cli import main
from runner.collecting import importing, own_process

ROOT = Path(__file__).resolve().parents[1]
LOOKING = """
import gc, json, mlflow
from runner.base import Callback

class Looking(Callback):
    def __init__(self, file):
        self.seen, self.itself = {}, self  # a cycle, with a file that nobody closes
        self.file = open(file, "w")

    def on_block_end(self, progress, block):
        known = {id(each) for each in gc.get_objects()}
        self.seen = {
            "is_enabled": gc.isenabled(),
            "frozen": gc.get_freeze_count(),
            "is_looked_through": id(self) in known,
            "mlflow_is_looked_through": id(vars(mlflow)) in known,
        }

    def on_fit_end(self, progress):
        json.dump(self.seen, self.file)
"""


@pytest.fixture
def owned(monkeypatch):
    """Let this process be the command line's own, for the moment; return what is to end it."""
    registered = []
    monkeypatch.setattr(collecting, "_owned", [])
    monkeypatch.setattr(collecting.atexit, "register", registered.append)
    own_process()
    return registered


def test_a_run_learns_with_the_collector_on_and_what_was_imported_left_out(project, schema):
    (project / "looking.py").write_text(LOOKING)
    (project / "pyproject.toml").write_text('[tool.runner]\nallow = ["looking"]\n')
    (project / "mlflow.db").write_bytes(schema.read_bytes())
    file = project / "seen.json"
    callback = f"+callbacks.looking={{_target_:looking.Looking,file:{file}}}"
    subprocess.run(
        [sys.executable, "-m", "runner", "run", "quickstart", callback],
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    seen = json.loads(file.read_text())  # written to the end, though in a cycle
    assert seen.pop("frozen") > 100_000
    assert seen == {
        "is_enabled": True,
        "is_looked_through": True,
        "mlflow_is_looked_through": False,
    }


@pytest.mark.parametrize("is_enabled", [True, False])
def test_a_process_that_is_not_the_command_lines_own_keeps_its_collector(is_enabled, monkeypatch):
    monkeypatch.setattr(gc, "freeze", pytest.fail)
    try:
        if not is_enabled:
            gc.disable()
        with importing():
            assert gc.isenabled() is is_enabled
        assert main(["validate", "quickstart"]) == 0
        assert gc.isenabled() is is_enabled
    finally:
        gc.enable()


def test_nothing_is_collected_while_the_command_line_imports(owned):
    new = [[] for _ in range(1000)]
    with importing():
        assert not gc.isenabled()
        with importing():
            pass
        assert not gc.isenabled(), "until the outer one has ended"
    assert gc.isenabled()
    assert all(new is not each for each in gc.get_objects())


def test_the_collector_is_on_again_after_an_interruption(owned):
    with pytest.raises(KeyboardInterrupt), importing():
        raise KeyboardInterrupt
    assert gc.isenabled()


def test_once_things_are_built_none_of_them_is_left_out(owned):
    with importing(is_last=True):
        pass
    built = [[]]
    with importing():
        assert gc.isenabled()
    assert any(each is built for each in gc.get_objects())


def test_in_the_end_what_is_left_is_not_looked_through(owned):
    own_process()
    (end,) = owned  # once, however often it is said
    left = [[]]
    end()
    assert all(left is not each for each in gc.get_objects())


def test_a_collector_that_is_off_is_left_alone(monkeypatch):
    monkeypatch.setattr(collecting, "_owned", [])
    monkeypatch.setattr(collecting.atexit, "register", pytest.fail)
    gc.disable()
    try:
        own_process()
        with importing():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
