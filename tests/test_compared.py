"""What a person, and a script, sees of recorded runs."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.compared import (
    legend,
    shortened,
    show_compared,
    show_compared_json,
    show_runs,
    show_runs_json,
    signed,
)
from runner.tracking.comparison import Comparison
from runner.tracking.record import RecordedRun

LONG = "a" * 100 + "z"


def run_of(name, params=(), tags=(), **scores):
    return RecordedRun(
        run_id=f"{name}0123456789",
        name=name,
        status="FINISHED",
        started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        duration_s=1.25,
        scores=scores,
        params=dict(params),
        experiment_id="1",
        tags=dict(tags),
        rows=75,
    )


def sweep_of(name, members):
    return run_of(name, tags={"runner.kind": "sweep", "runner.members": str(members)})


@pytest.fixture
def terminal(monkeypatch):
    """Let the output be taken for a terminal of 80 columns."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def words(capsys):
    """Return the words of each line that has any."""
    return [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_runs_with_other_scores_share_one_table(capsys):
    show_runs([run_of("aaaa", accuracy=0.5), run_of("bbbb", r2=0.25)])
    head, first, second = words(capsys)
    assert head == ["run", "name", "status", "started", "took", "accuracy", "r2"]
    assert first[-2:] == ["0.5000", "-"]
    assert second[-2:] == ["-", "0.2500"]


def test_without_a_terminal_no_cell_is_cut_and_nothing_has_a_colour(capsys):
    show_runs([run_of("a" * 300, accuracy=0.5)])
    out = capsys.readouterr().out
    assert "a" * 300 in out
    assert "\x1b" not in out


def test_on_a_terminal_a_status_has_a_colour(capsys, terminal):
    show_runs([replace(run_of("mine"), status="FAILED")])
    assert "\x1b[31mFAILED" in capsys.readouterr().out


def test_a_sweep_tells_its_members_and_a_member_its_sweep(capsys):
    member = run_of("one", tags={"mlflow.parentRunId": "grid0123456789"})
    show_runs([member, sweep_of("grid", 1200)])
    head, first, second = words(capsys)
    assert head[:4] == ["run", "name", "members", "sweep"]
    assert first[:3] == ["one01234", "one", "grid0123"]
    assert second[:3] == ["grid0123", "grid", "1,200"]


def test_that_no_run_is_as_asked_is_not_that_there_is_none(capsys):
    show_runs([])
    show_runs([], is_asked=True)
    first, second = capsys.readouterr().out.splitlines()
    assert "runner run quickstart" in first
    assert second == "no such runs"


def test_runs_for_scripts_are_a_list(capsys):
    failed = replace(run_of("bad", tags={"runner.error": "no"}), status="FAILED", duration_s=None)
    show_runs_json([failed, sweep_of("grid", 3), run_of("mine", {"seed": "1"}, r2=float("nan"))])
    first, second, third = json.loads(capsys.readouterr().out)
    assert (first["status"], first["error"], first["duration_s"]) == ("FAILED", "no", None)
    assert (first["members"], second["members"]) == (None, 3)
    assert (third["params"], third["scores"]) == ({"seed": "1"}, {"r2": None})
    assert datetime.fromisoformat(third["started"]) == run_of("mine").started
    show_runs_json([])
    assert json.loads(capsys.readouterr().out) == []


@pytest.fixture
def two():
    """Return a comparison of a run and of the best member of a sweep."""
    first = run_of("first", {"seed": "1", "estimator.alpha": LONG}, r2=0.5, max_error=-1.0)
    second = run_of("second", {"seed": "1"}, {"runner.order_hash": "aa"}, r2=0.75)
    runs = first, replace(second, commit="5f2a" * 10)
    return Comparison(runs, ({}, {}), {second.run_id: sweep_of("grid", 24)})


def test_a_comparison_is_a_column_for_each_run(capsys, two):
    show_compared(two, Path("/p/picture.png"))
    assert words(capsys) == [
        ["run", "first012", "second01"],
        ["name", "first", "second"],
        ["best", "of", "sweep", "-", "grid0123,", "of", "24"],
        ["status", "FINISHED", "FINISHED"],
        ["learned", "75", "rows", "75", "rows"],
        ["took", "1.25", "s", "1.25", "s"],
        ["git", "commit", "-", "5f2a5f2a5f"],
        ["params", "that", "differ"],
        ["estimator.alpha", LONG, "-"],
        ["scores,", "+", "is", "better"],
        ["r2", "0.5000", "0.7500", "+0.2500"],
        ["max_error", "-1.0000", "-"],
        ["compared", "with", "the", "first"],
        ["data", "-", "unknown"],
        ["order", "-", "unknown"],
        ["model", "-", "unknown"],
        ["look", "runner", "ui", "first012", "second01"],
        ["picture", "/p/picture.png"],
    ]


def test_where_a_server_is_its_page_is_told(capsys, two):
    show_compared(replace(two, url="http://h:1/#/compare-runs"), None)
    out = capsys.readouterr().out
    assert "  look     http://h:1/#/compare-runs\n" in out
    assert "  picture  none: no run has a curve\n" in out


def test_runs_that_do_not_differ_and_have_no_scores_say_so(capsys):
    show_compared(Comparison((run_of("a"), run_of("b")), ({}, {})), None)
    out = capsys.readouterr().out
    assert "no param differs" in out
    assert "no scores" in out
    assert "best of sweep" not in out
    assert "git commit" not in out


def test_on_a_terminal_long_values_lose_their_middle_and_the_best_score_has_a_colour(
    capsys, two, terminal
):
    show_compared(two, None)
    out = capsys.readouterr().out
    assert LONG not in out
    assert "aaa…aaa" in out
    assert "aaz" in out
    assert "\x1b[32m0.7500  +0.2500" in out
    assert "\x1b[32m0.5000" not in out


def test_the_key_of_a_param_is_never_cut(capsys, terminal):
    key = f"preprocessing.{'step' * 30}.alpha"
    runs = run_of("a", {key: "1"}), run_of("b", {key: "2"})
    show_compared(Comparison(runs, ({}, {})), None)
    lines = capsys.readouterr().out.splitlines()
    assert key in "".join(line.partition(" ")[0] for line in lines)


def test_a_comparison_for_scripts_is_one_document(capsys, two):
    show_compared_json(two, Path("/p/picture.png"))
    found = json.loads(capsys.readouterr().out)
    assert [run["run_id"] for run in found["runs"]] == [run.run_id for run in two.runs]
    assert [run["best_of_sweep"] for run in found["runs"]] == [None, "grid0123456789"]
    assert found["params"] == {"estimator.alpha": [LONG, None]}
    assert found["scores"]["r2"] == [0.5, 0.75]
    assert found["differences"] == {"r2": [0.0, 0.25], "max_error": [0.0, None]}
    assert found["hashes"]["order"] == [None, "aa"]
    assert found["verdicts"]["order"] == ["unknown", "unknown"]
    assert (found["url"], found["picture"]) == (None, "/p/picture.png")
    show_compared_json(two, None)
    assert json.loads(capsys.readouterr().out)["picture"] is None


def test_a_legend_tells_runs_apart_by_name_else_by_what_differs():
    def told(*runs):
        return legend(Comparison(runs, ({},) * len(runs)))

    one = run_of("mine", {"estimator.alpha": "1"})
    other = replace(one, run_id="other0123456789", params={"estimator.alpha": "2"})
    assert told(one, other) == ["mine0123  mine  alpha=1", "other012  mine  alpha=2"]
    assert told(one, replace(other, name="other")) == ["mine0123  mine", "other012  other"]
    assert told(one, replace(other, params=one.params)) == ["mine0123  mine", "other012  mine"]
    members = [replace(run, name=f"3: alpha={n}, mine") for n, run in ((1, one), (1, other))]
    assert told(members[0], replace(members[1], params={"estimator.alpha": "1", "b": "2"}))[0] == (
        "mine0123  3: alpha=1, mine  b=-"
    )
    many = replace(other, params={"a": "1", "b": "1", "c": LONG})
    assert told(one, many) == ["mine0123  mine", "other012  mine"]


@given(st.text(st.characters(exclude_characters="…")), st.integers(1, 40))
def test_a_shortened_text_fits_and_keeps_both_ends(text, width):
    found = shortened(text, width)
    assert len(found) == min(len(text), width)
    head, _, tail = found.partition("…")
    assert text.startswith(head)
    assert text.endswith(tail)


@given(st.floats(allow_nan=False))
def test_a_difference_is_shown_with_its_sign_and_never_as_zero(difference):
    found = signed(difference)
    if difference == 0:
        assert found == "="
    else:
        assert found[0] == ("+" if difference > 0 else "-")
        assert float(found) != 0 or abs(difference) < 1e-300
