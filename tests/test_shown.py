"""What a person sees of a sweep."""

import io
import shutil
import sys

import pytest

from runner.cli import WRONG
from runner.records import Outcome
from runner.saved import Resumed, Saved
from runner.shown import MOST_ROWS, Shown, line_of
from runner.sweeps.plan import Plan
from runner.tracking.memory_sweep import MemorySweep

SWEEP = """\
defaults: [{override /dataset: make_classification}, {override /estimator: sgd_classifier}]
dataset: {n_samples: 400, n_features: 5, chunks: 25, holdout: 0.25}
partial_fit: {classes: [0, 1]}
sweep: {grid: {estimator.alpha: [1.0e-2, 1.0e-3, 1.0e-4], dataset.chunks: [25, 50]}}
"""


@pytest.fixture
def file(project, schema):
    """Write a small sweep into a project with an empty store."""
    shutil.copy(schema, project / "mlflow.db")
    path = project / "small.yaml"
    path.write_text(SWEEP)
    return str(path)


def outcome(number, status="FINISHED", **known):
    return Outcome(number=number, name=f"{number}: a={number}", key="", status=status, **known)


def test_a_sweep_tells_its_plan_each_member_and_where_to_look(said, file):
    code, out, err = said("run", file)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "sweep of 6 members in 2 groups"
    assert " ".join(lines[1].split()) == "group members rows blocks epochs block reads one by one"
    assert lines[2].split() == ["0", "3", "300", "12", "1", "16", "48"]
    assert lines[3].split() == ["1", "3", "300", "6", "1", "8", "24"]
    assert lines[4] == "72 block reads become 24: 67% are saved"
    board = lines[6:12]
    scores = [float(line.split()[-3]) for line in board]
    assert scores == sorted(scores, reverse=True)
    told = [line for line in err.splitlines() if "  finished  accuracy 0." in line]
    assert len(told) == 6
    assert "runner ui " in out
    assert "runner resume" not in out


def test_a_dry_run_shows_the_plan_alone(said, file):
    code, out, err = said("run", file, "--dry-run")
    assert code == 0
    assert "72 block reads become 24" in out
    assert "runner ui" not in out
    assert err.count("pending") in (0, 6)


def test_halving_shows_how_many_go_on_and_what_was_chosen(said, file):
    code, out, err = said("run", file, "sweep.halving={first_rows:50}")
    assert code == 0
    assert "halving 2: 3 at first, 1 from row 50, 1 from row 150" in out
    assert out.count("halving chose ") == 2
    assert out.count(" stopped ") == err.count("  stopped  ") == 4
    assert err.count("  halving: rung 1 of 2 after ") == 4


def test_a_failed_member_is_told_with_its_error_and_how_to_go_on(said, file):
    code, out, err = said("run", file, "sweep.grid={partial_fit.classes:[[0,1],[5,6]]}")
    assert code == WRONG
    (line,) = [line for line in err.splitlines() if line.startswith("1: ") and " failed " in line]
    assert "hold only the labels of partial_fit.classes, [5, 6]" in line
    assert "runner resume " in out
    sweep = out.split("runner resume ")[1].split()[0]
    code, out, err = said("resume", sweep)
    assert code == WRONG
    assert out.splitlines()[0] == "sweep of 1 member in 1 group"
    assert len([line for line in out.splitlines() if line.startswith(("0: ", "1: "))]) == 2


def test_a_launcher_that_reads_anew_says_so(said, file):
    code, out, _ = said("run", file, "hydra/launcher=basic", "dataset.chunks=50")
    assert code == 0
    assert "this launcher reads the data for each member anew" in out
    assert "become" not in out


def test_a_line_says_how_a_member_ended():
    assert line_of(outcome(3, scores={"r2": 0.5, "max_error": -2.0}, rows=12345)) == (
        "3: a=3  finished  r2 0.5000  max_error -2.0000  12,345 rows"
    )
    assert line_of(outcome(0, "FAILED", error="ValueError: no")) == (
        "0: a=0  failed  ValueError: no"
    )
    stopped = outcome(0, rung=1, rows=40, stop_reason="halving: rung 1 of 2")
    assert line_of(stopped) == "0: a=0  stopped  40 rows  halving: rung 1 of 2"
    early = outcome(0, rows=40, stop_reason="enough")
    assert line_of(early) == "0: a=0  finished  40 rows  enough"
    assert line_of(outcome(0, "PENDING")) == "0: a=0  pending"


def test_a_long_leaderboard_shows_the_best_and_counts_the_rest(capsys):
    n = MOST_ROWS + 5
    outcomes = [outcome(number, scores={"r2": number / 100}) for number in range(n)]
    Shown().on_sweep_end(outcomes, MemorySweep("s"), [])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["member", "status", "r2", "rows", "run"]
    assert lines[1].startswith(f"{n - 1}: ")
    assert lines[MOST_ROWS + 1] == "and 5 more"
    assert len(lines) == MOST_ROWS + 2


def test_members_without_a_score_come_last_with_a_dash(capsys):
    outcomes = [
        outcome(0, "FAILED", error="no"),
        outcome(1, scores={"r2": 0.5}, run_id="abcdef" * 5),
    ]
    Shown().on_sweep_end(outcomes, MemorySweep("s"), ["halving chose 1"])
    out = capsys.readouterr().out
    first, second = out.splitlines()[1:3]
    assert first.split() == ["1:", "a=1", "finished", "0.5000", "0", "abcdefab"]
    assert second.split() == ["0:", "a=0", "failed", "-", "0", "-"]
    assert "halving chose 1" in out


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("variable", ["", "NO_COLOR"])
def test_a_terminal_shows_failures_red_stopped_members_yellow_and_the_best_bold(
    monkeypatch, variable
):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(variable or "UNUSED", "1")
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}", Screen())
    outcomes = [
        outcome(0, "FAILED", error="no"),
        outcome(1, scores={"r2": 0.5}),
        outcome(2, scores={"r2": 0.4}, rung=1),
    ]
    for each in outcomes:
        Shown().on_member_end(each)
    Shown().on_sweep_end(outcomes, MemorySweep("s"), [])
    out, err = sys.stdout.getvalue(), sys.stderr.getvalue()
    coloured = not variable
    assert ("\x1b[31mfailed" in out) == ("\x1b[33mstopped" in out) == coloured
    assert ("\x1b[31m0: a=0  failed  no" in err) == coloured
    assert "\x1b[1m0.5000" in out
    assert "\x1b[1m0.4000" not in out


def test_results_go_to_standard_output_alone(said, file):
    code, out, err = said("run", file, "sweep=null", "callbacks=[]")
    assert code == 0
    assert "accuracy" in out
    assert err == ""


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ({"rows": 1200, "epoch": 1}, "row 1,200 (epoch 1)"),
        ({"rows": 0, "epoch": 0}, "its beginning"),
        (None, "its beginning"),
    ],
)
def test_a_run_is_said_to_go_on_from_where_its_state_is(capsys, header, told):
    saved = None if header is None else Saved(header, b"", b"")
    Shown().on_resumed(Resumed("0123456789", saved))
    assert capsys.readouterr().err == f"run 01234567 goes on from {told}\n"


@pytest.mark.parametrize(
    ("n_workers", "told"),
    [
        (0, "sweep of 0 members in 0 groups\n"),
        (2, "sweep of 0 members in 0 groups, in 0 shards on 2 workers\n"),
        (None, "sweep of 0 members in 0 groups, in shards on as many workers as there are\n"),
    ],
)
def test_a_plan_says_on_how_many_workers_its_members_are_run(capsys, n_workers, told):
    Shown().on_plan(Plan((), n_workers=n_workers), is_dry=True)
    assert capsys.readouterr().out.startswith(told)
