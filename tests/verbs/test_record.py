"""The record and the installation, from the command line."""

import sys
import webbrowser
from contextlib import contextmanager

import pytest

from runner.cli import main
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.server import Interface
from runner.verbs.record import _open

pytestmark = pytest.mark.usefixtures("store")


def test_the_doctor_finds_a_fresh_project_well(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "ok   python: 3." in out
    assert "BAD" not in out


def test_runs_is_a_table_of_the_record(capsys):
    main(["run", "quickstart"])
    capsys.readouterr()
    assert main(["runs"]) == 0
    out = capsys.readouterr().out
    assert "quickstart" in out
    assert "FINISHED" in out
    assert "accuracy" in out


def test_an_empty_record_says_how_to_fill_it(capsys):
    assert main(["runs"]) == 0
    assert "runner run quickstart" in capsys.readouterr().out


class Browser(webbrowser.BaseBrowser):
    """A browser that keeps what it is asked to open."""

    def __init__(self):
        super().__init__("kept")
        self.opened = []

    def open(self, url, new=0, autoraise=True):
        self.opened.append(url)
        return True


@pytest.fixture
def browser(monkeypatch):
    browser = Browser()
    monkeypatch.delenv("BROWSER", raising=False)
    monkeypatch.setattr("webbrowser.get", lambda: browser)
    return browser


@pytest.fixture
def served(monkeypatch):
    """Let a server be there already, without one."""

    @contextmanager
    def serve(uri=None, *, port):
        yield Interface(f"http://127.0.0.1:{port}", was_there=True)

    monkeypatch.setattr("runner.tracking.server.serve", serve)


def recorded(n):
    runs = []
    for _ in range(n):
        with MlflowTracker(log_model=False).start_run("any") as run:
            runs.append(run.run_id)
    return runs


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("is_terminal", "flags"), [(True, []), (False, []), (True, ["--no-open"])]
)
def test_the_page_is_opened_where_a_person_sits(browser, capsys, monkeypatch, is_terminal, flags):
    (run,) = recorded(1)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    assert main(["ui", run[:8], *flags]) == 0
    link, told = capsys.readouterr().out.splitlines()
    assert f"/runs/{run}" in link
    assert told == "it is served there already, by another process"
    assert browser.opened == [link] * (is_terminal and not flags)


def test_several_runs_are_compared_each_once(served, capsys):
    one, other = recorded(2)
    assert main(["ui", one[:8], other, one]) == 0
    link = capsys.readouterr().out.splitlines()[0]
    assert "/#/compare-runs?" in link
    assert link.count(one) == link.count(other) == 1


def test_without_a_run_the_latest_is_shown_if_it_is_a_sweep(served, capsys):
    with MlflowTracker().start_sweep("grid") as sweep:
        pass
    assert main(["ui"]) == 0
    assert sweep.run_id in capsys.readouterr().out
    recorded(1)
    assert main(["ui"]) == 0
    assert sweep.run_id not in capsys.readouterr().out


@pytest.mark.parametrize("is_named", [False, True])
def test_a_browser_without_a_window_is_left_alone_unless_it_is_named(
    monkeypatch, tmp_path, is_named
):
    started = tmp_path / "started"
    monkeypatch.delenv("BROWSER", raising=False)
    if is_named:
        monkeypatch.setenv("BROWSER", "touch")
    monkeypatch.setattr(
        "webbrowser.get", lambda: webbrowser.GenericBrowser(["touch", str(started)])
    )
    _open("http://127.0.0.1:5000")
    assert started.exists() is is_named


def test_no_browser_is_no_error(monkeypatch):
    def get():
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr("webbrowser.get", get)
    _open("http://127.0.0.1:5000")


def test_a_port_that_there_is_not_is_told_before_anything_is_served(project, capsys):
    assert main(["ui", "--port", "70000"]) == 2
    assert capsys.readouterr().err.startswith("--port must be 0 to 65535; got 70000.")
