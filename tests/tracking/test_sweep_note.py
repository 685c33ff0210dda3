import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.tracking.sweep_note import MOST, sweep_note
from tests.tracking.conftest import member as ended

PAGE = "#/experiments/7/runs/sweep0"


def member(number, score=None, **known):
    return ended(number, score, **{"run_id": f"{number:08}rest", **known})


def test_the_note_shows_the_best_and_says_how_many_more():
    note = sweep_note("grid", "runner run grid", [member(i, i / 100) for i in range(30)], None)
    assert note.startswith("**grid**, a sweep of 30 members: 30 finished")
    rows = note.replace("\u00a0", "")
    assert "| 1 | a=29 | 0.29 | -1 | 100 |" in rows
    assert "| 20 | a=10 |" in rows
    assert "| 21 |" not in rows
    assert "and 10 more, in `sweep/leaderboard.json`" in note
    assert note.endswith("```sh\nrunner run grid\n```")
    assert "Failed" not in note
    assert "Stopped" not in note


def test_the_winner_comes_first_with_its_page_its_lead_and_its_command():
    outcomes = [member(0, 0.25), member(1, 0.75, params={"x.alpha": 0.1}), member(2, 0.5)]
    told = sweep_note("grid", "", outcomes, None, page=PAGE).split("\n\n")
    assert told[1] == (
        "Best: [a=1](#/experiments/7/runs/00000001rest), r2 **0.75**, max_error **-1**; "
        "0.25 ahead of a=2"
    )
    assert told[2] == "Set to `x.alpha` = `0.1`"
    assert told[3] == "Again, alone: `runner reproduce 00000001`"
    assert told[4].startswith("| ")


@pytest.mark.parametrize(
    ("others", "told"),
    [([], "**-1**"), ([member(1, math.nan)], "**-1**"), ([member(1, 0.5)], "; level with a=1")],
)
def test_a_lead_is_told_only_where_there_is_another_score(others, told):
    best = sweep_note("grid", "", [member(0, 0.5), *others], None).split("\n\n")[1]
    assert best.endswith(told)


def test_a_name_cannot_break_out_of_its_link():
    note = sweep_note("a", "", [member(0, 0.5, name="b=[1](x) | `c`")], None, page=PAGE)
    assert r"Best: [b=\[1\](x) \| \`c\`](#/experiments/7/runs/00000000rest)," in note


def test_pictures_are_shown_and_lead_to_their_artifacts():
    note = sweep_note("a", "", [member(0, 0.5)], None, page=PAGE, pictures=["sweep/a.png"])
    shown = "![sweep/a.png](get-artifact?run_uuid=sweep0&path=sweep/a.png)"
    assert f"[{shown}]({PAGE}/artifacts/sweep/a.png)" in note
    assert "get-artifact" not in sweep_note("a", "", [member(0, 0.5)], None, page=PAGE)


def test_the_note_tells_what_failed_and_what_was_stopped():
    outcomes = [
        member(0, 0.5, stop_reason="rung 1 of 3"),
        member(1, None, status="FAILED", error="Block 3\nmust | be finite"),
        member(2, None, status="PENDING"),
    ]
    note = sweep_note("grid", "", outcomes, "SIGTERM ended it")
    assert "1 finished, 1 of them stopped early, 1 failed, 1 pending" in note
    assert "Failed:\n\n- `a=1` Block 3 must \\| be finite" in note
    assert "Stopped early:\n\n- `a=0` rung 1 of 3" in note
    assert "```text\nSIGTERM ended it\n```" in note


@given(st.integers(0, 600), st.integers(0, 600), st.integers(1, 30))
def test_the_note_fits_into_a_tag(n_finished, n_failed, n_scores):
    scores = {f"a_long_name_of_a_scorer_{i}": -1.23456e-10 for i in range(n_scores)}
    long = {"name": "n" * 500, "params": {f"{i}" * 100: "v" * 500 for i in range(20)}}
    one = member(0, None, **long, scores=scores, stop_reason="s" * 500)
    other = member(1, None, **long, status="FAILED", error="e" * 500)
    made = sweep_note("a", "runner run a", [one] * n_finished + [other] * n_failed, "e" * 9000)
    assert len(made) <= MOST
    assert made.endswith("```sh\nrunner run a\n```")


def test_a_sweep_without_members_has_a_note():
    assert sweep_note("a", "", [], None) == "**a**, a sweep"
