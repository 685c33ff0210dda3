"""What a person sees while a fit goes on."""

import io

import pytest

from runner.base import Progress
from runner.callbacks.progress_bar import ProgressBar
from runner.errors import ConfigError
from runner.steps import Steps, listening


class Terminal(io.StringIO):
    def isatty(self):
        return True


def halfway():
    return Progress(total_rows=200, rows=100, blocks=4, scores={"accuracy": 0.9, "f1": 0.8})


def test_a_terminal_is_shown_a_live_bar_with_speed_score_and_time_left(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    file = Terminal()
    bar, progress = ProgressBar(file=file), halfway()
    bar.on_fit_begin(Progress(), None)
    bar.on_block_end(progress, None)
    bar.on_fit_end(progress)
    shown = file.getvalue()
    assert "fit " in shown
    assert "━" in shown
    assert "50%" in shown
    assert "rows/s" in shown
    assert "accuracy 0.9000" in shown
    assert "left" in shown
    assert "\x1b[" in shown


def test_elsewhere_a_line_is_written_every_few_seconds(monkeypatch):
    now = iter([0.0, 0.0, 1.0, 5.5, 6.0, 9.0, 9.0])  # the first two: it listens, it begins
    monkeypatch.setattr("runner.callbacks.bars.monotonic", lambda: next(now))
    monkeypatch.setattr("runner.steps.monotonic", lambda: next(now))
    file = io.StringIO()
    bar, progress = ProgressBar(every_s=5.0, file=file), halfway()
    bar.on_fit_begin(Progress(), None)
    for _ in range(3):
        bar.on_block_end(progress, None)
    bar.on_fit_end(progress)
    lines = file.getvalue().splitlines()
    assert lines == [
        "fit 50% · 100 rows in 4 blocks · 18 rows/s · accuracy 0.9000 · 0:00:05 left",
        "fit 50% · 100 rows in 4 blocks · 11 rows/s · accuracy 0.9000 · 0:00:09 left",
    ]


def test_a_fit_that_learned_nothing_leaves_no_line():
    file = io.StringIO()
    bar = ProgressBar(file=file)
    bar.on_fit_begin(Progress(), None)
    bar.on_fit_end(Progress())
    assert file.getvalue() == ""


def test_where_the_process_is_quiet_so_is_the_bar(capsys):
    with listening(Steps()) as steps:
        bar, progress = ProgressBar(every_s=0), Progress()
        bar.on_fit_begin(progress, None)
        progress.rows, progress.blocks = 100, 1
        bar.on_block_end(progress, None)
        bar.on_fit_end(progress)
    assert capsys.readouterr() == ("", "")
    assert steps.took["fit"].rows == 100


def test_without_a_listener_it_shows_itself(capsys):
    bar = ProgressBar(every_s=0)
    bar.on_fit_begin(Progress(), None)
    bar.on_block_end(halfway(), None)
    assert capsys.readouterr().err.startswith("fit 50% · ")


@pytest.mark.parametrize("every_s", ["abc", None, -1])
def test_seconds_that_are_none_are_refused(every_s):
    with pytest.raises(ConfigError, match=r"callbacks\.progress_bar\.every_s must be a number of"):
        ProgressBar(every_s=every_s)
