"""How far steps have come is shown as bars on a terminal, as lines elsewhere."""

import io

import pytest

from runner.base import Progress
from runner.callbacks.bars import Bars, describe


class Terminal(io.StringIO):
    def isatty(self):
        return True


def halfway():
    return Progress(total_rows=200, rows=100, blocks=4, scores={"accuracy": 0.9, "f1": 0.8})


def stepped(bars, name, **asked):
    step = bars.begin(name, Progress(total_rows=200), **asked)
    step.move(halfway())
    return step


def test_a_terminal_has_one_live_display_for_steps_inside_each_other(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    file = Terminal()
    bars = Bars(file)
    fit, holdout = stepped(bars, "fit"), stepped(bars, "holdout")
    bars.end(holdout, halfway())
    bars.end(fit, halfway())
    last = stepped(bars, "evaluate")
    bars.end(last, halfway())
    shown = file.getvalue()
    assert "fit " in shown
    assert "holdout " in shown
    assert "evaluate " in shown
    assert "━" in shown
    assert "50%" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 2, "begun and ended twice"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_are_left_out_where_they_are_not_wanted(monkeypatch, name, value):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv(name, value)
    file = Terminal()
    bars = Bars(file)
    bars.end(stepped(bars, "fit", every_s=0), halfway())
    assert "50%" in file.getvalue()
    assert "\x1b[3" not in file.getvalue()
    assert ("\x1b" in file.getvalue()) == (name == "NO_COLOR"), "a dumb terminal gets lines"


def test_elsewhere_a_short_step_leaves_no_line_unless_it_is_summed_up():
    file = io.StringIO()
    bars = Bars(file)
    bars.end(stepped(bars, "evaluate"), halfway())
    assert file.getvalue() == ""
    bars.end(stepped(bars, "fit", is_summed_up=True), halfway())
    assert file.getvalue().startswith("fit 50% · 100 rows in 4 blocks · ")


def test_elsewhere_a_long_step_is_told_to_its_end():
    file = io.StringIO()
    bars = Bars(file)
    bars.end(stepped(bars, "labels", every_s=0), halfway())
    lines = file.getvalue().splitlines()
    assert [line.split(" · ")[0] for line in lines] == ["labels 50%", "labels 50%"]
    assert all("rows/s" in line and "left" in line for line in lines)


@pytest.mark.parametrize(
    ("progress", "elapsed_s", "line"),
    [
        (Progress(rows=10, blocks=1), 2.0, "10 rows in 1 block · 5 rows/s"),
        (Progress(rows=10, blocks=2), 0.0, "10 rows in 2 blocks · 0 rows/s"),
        (
            Progress(total_rows=10**9, rows=10**6, blocks=10),
            10.0,
            "0% · 1,000,000 rows in 10 blocks · 100,000 rows/s · 2:46:30 left",
        ),
    ],
)
def test_what_is_not_known_is_left_out(progress, elapsed_s, line):
    assert describe(progress, elapsed_s) == line
