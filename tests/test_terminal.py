"""What a person sees."""

from datetime import UTC, datetime

import pytest

from runner.base import Progress
from runner.experiment import Result
from runner.terminal import show_config, show_result, show_runs
from runner.tracking.record import RecordedRun


class Named:
    name = "mine"


def result_of(**changes):
    progress = Progress(rows=75, blocks=3, epoch=1)
    for name, value in changes.items():
        setattr(progress, name, value)
    return Result("0123456789abcdef", "sqlite:///x.db", {"accuracy": 0.5}, progress, None, None)


def run_of(name, **scores):
    return RecordedRun(
        run_id=f"{name}0123456789",
        name=name,
        status="FINISHED",
        started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        duration_s=1.25,
        scores=scores,
        params={},
        experiment_id="1",
    )


def test_a_result_is_scores_and_where_to_look(capsys):
    show_result(Named(), result_of())
    assert capsys.readouterr().out == (
        "mine\n"
        "  accuracy  0.5000\n"
        "  learned   75 rows in 3 blocks, 1 epoch\n"
        "  run       0123456789abcdef\n"
        "  record    sqlite:///x.db\n"
        "  look      runner ui 01234567\n"
    )


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"empty_blocks": 1}, "  skipped   1 empty block\n"),
        ({"empty_blocks": 2}, "  skipped   2 empty blocks\n"),
        ({"stop_reason": "enough"}, "  stopped   enough\n"),
        ({"epoch": 0}, "  learned   75 rows in 3 blocks, 0 epochs\n"),
    ],
)
def test_what_is_out_of_the_ordinary_is_said(capsys, changes, line):
    show_result(Named(), result_of(**changes))
    assert line in capsys.readouterr().out


def test_runs_with_other_scores_share_one_table(capsys):
    show_runs([run_of("aaaa", accuracy=0.5), run_of("bbbb", r2=0.25)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["run", "name", "status", "started", "took", "accuracy", "r2"]
    assert lines[1].split()[-2:] == ["0.5000", "-"]
    assert lines[2].split()[-2:] == ["-", "0.2500"]


def test_without_a_terminal_no_cell_is_cut(capsys):
    show_runs([run_of("a" * 300, accuracy=0.5)])
    assert "a" * 300 in capsys.readouterr().out


def test_a_config_is_plain_yaml_where_there_is_no_terminal(capsys):
    show_config("a: 1\n")
    assert capsys.readouterr().out == "a: 1\n"
