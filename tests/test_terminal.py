"""What a person sees."""

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from runner.base import Part, Progress
from runner.cluster.local import LocalCluster
from runner.cluster.none import NoCluster
from runner.experiment import Result
from runner.prediction.job import Prediction
from runner.reproduction.causes import Cause
from runner.reproduction.comparison import DIFFERS, IDENTICAL, Aspect
from runner.reproduction.job import Reproduction
from runner.steps import Steps, Took, listening
from runner.terminal import (
    _width,
    show_comparison,
    show_config,
    show_json,
    show_prediction,
    show_result,
    show_table,
)
from runner.tracking.record import RecordedRun

TEXT = np.array(["x"], object)


class Named:
    name, cluster = "mine", NoCluster()


def result_of(**changes):
    progress = Progress(rows=75, blocks=3, epoch=1)
    for name, value in changes.items():
        setattr(progress, name, value)
    return Result("0123456789abcdef", "sqlite:///x.db", {"accuracy": 0.5}, progress, None, None)


class Wide(Named):
    cluster = LocalCluster(n_workers=3, placement="data")


def test_a_result_says_which_cluster_worked_for_it(capsys):
    show_result(Named(), result_of())
    assert "cluster" not in capsys.readouterr().out
    show_result(Wide(), result_of())
    told = "cluster   local, n_workers=3; the model goes to the blocks\n"
    assert told in capsys.readouterr().out


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
        "  again     runner reproduce 01234567\n"
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


def test_where_the_time_went_is_told_in_words(capsys):
    with listening(Steps()) as steps:
        steps.took = {"fit": Took(75, 0.5), "evaluate": Took(25, 0.25)}
        show_result(Named(), result_of(load_s=1.0, wait_s=0.5, fit_s=0.25))
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].endswith(" s in all; load 1.00 s, fit 0.25 s, evaluate 0.25 s")
    assert lines[4] == "  speed     150 rows/s; loading bounds it"


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("variables", "has_colours"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(monkeypatch, variables, has_colours):
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", Screen())
    show_result(Named(), result_of(stop_reason="enough"))
    out = sys.stdout.getvalue()
    assert ("\x1b[33menough" in out) == has_colours
    assert "\x1b[33m" in out or "stopped   enough\n" in out


def test_nothing_in_a_table_is_cut_on_a_narrow_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setattr("sys.stdout", Screen())
    show_table(["run", "name"], [["01234567", "a name that is longer than the terminal is wide"]])
    assert "01234567  a name that is longer than the terminal is wide" in sys.stdout.getvalue()


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (None, "2 features of float32"),
        ({"a": TEXT, "b": [1.0]}, "2 features of mixed types"),
        ({"a": [1.0], "b": [2.0]}, "2 features of float64"),
        ({"a": TEXT, "b": TEXT}, "2 features of text"),
    ],
)
def test_the_features_are_told_by_their_type(columns, told):
    if columns is None:
        frame, X = None, np.zeros((1, 2), np.float32)
    else:
        frame = pd.DataFrame({name: np.array(cells) for name, cells in columns.items()})
        X = np.empty((1, 2), object)
    assert _width(Part(X, None, None, (), frame=frame)) == told


def test_a_config_is_plain_yaml_where_there_is_no_terminal(capsys):
    show_config("a: 1\n")
    assert capsys.readouterr().out == "a: 1\n"


def test_a_prediction_is_what_was_written_and_where(capsys):
    names = ("row", "prediction", *(f"probability_{label}" for label in range(10)))
    show_prediction(Prediction("0123456789abcdef", "models:/m-1", Path("/out"), 1000, 4, names))
    assert capsys.readouterr().out == (
        "prediction\n"
        "  rows     1,000 in 4 blocks\n"
        "  columns  row, prediction, probability_0, probability_1, probability_2, probability_3, "
        "probability_4, probability_5 and 4 more\n"
        "  run      0123456789abcdef\n"
        "  model    models:/m-1\n"
        "  folder   /out\n"
    )


def reproduced(verdict, *causes):
    aspects = (Aspect("data", IDENTICAL, "5f2a"), Aspect("model", verdict, "a then, b now"))
    run, again = run_of("mine"), run_of("other")
    return Reproduction(run, again, "sqlite:///x.db", aspects, causes)


def test_a_reproduction_that_is_identical_tells_what_made_no_difference(capsys):
    show_comparison(reproduced(IDENTICAL, Cause("library", "numpy==1 -> 2")))
    assert capsys.readouterr().out == (
        "reproduction of mine0123 (mine)\n"
        "  data    identical  5f2a\n"
        "  model   identical  a then, b now\n"
        "  note    library changed: numpy==1 -> 2; it makes no difference\n"
        "  run     other0123456789\n"
        "  record  sqlite:///x.db\n"
    )


def test_a_reproduction_that_differs_tells_why(capsys):
    edited = Cause("seed", "seed: 1 was recorded, a.yaml now says 2", is_effective=False)
    show_comparison(reproduced(DIFFERS, Cause("seed", "1 then, 2 now"), edited))
    out = capsys.readouterr().out
    assert "  model    differs    a then, b now\n" in out
    assert "  because  seed changed: 1 then, 2 now\n" in out
    assert "  note     seed changed: seed: 1 was recorded, a.yaml now says 2; it makes no" in out


def test_a_difference_without_a_cause_is_no_secret(capsys):
    show_comparison(reproduced(DIFFERS))
    assert "  because  of nothing that the record keeps" in capsys.readouterr().out


URL = 'http://u:hunter2@h?token=ab"c'


def test_json_for_scripts_holds_no_secret_and_no_number_that_json_has_no_word_for(capsys):
    show_json({"score": float("nan"), "bounds": (1, float("inf")), "url": URL})
    told = json.loads(capsys.readouterr().out)
    assert told["score"] is None
    assert told["bounds"] == [1, None]
    assert "hunter2" not in told["url"]
