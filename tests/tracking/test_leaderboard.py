import json
import math

from hypothesis import given
from hypothesis import strategies as st

from runner.tracking.leaderboard import best, best_tags, counts, ranked, table
from tests.tracking.conftest import member

members = st.lists(
    st.tuples(
        st.none() | st.floats(allow_infinity=False),
        st.sampled_from(["FINISHED", "FAILED", "PENDING"]),
    ),
    max_size=8,
).map(lambda drawn: [member(i, score, status=how) for i, (score, how) in enumerate(drawn)])


@given(members)
def test_the_greatest_score_comes_first_and_what_has_none_comes_last(outcomes):
    placed = ranked(outcomes)
    assert sorted(o.number for o in placed) == [o.number for o in outcomes]
    known = [
        o.scores["r2"]
        if o.status == "FINISHED" and not math.isnan(o.scores.get("r2", math.nan))
        else None
        for o in placed
    ]
    scored = [score for score in known if score is not None]
    assert known == sorted(scored, reverse=True) + [None] * (len(known) - len(scored))
    assert (best(outcomes) is None) == (not scored)


@given(members)
def test_a_table_has_every_member_once_and_is_plain_json(outcomes):
    made = table(outcomes)
    json.dumps(made, allow_nan=False)
    numbers = [row[made["columns"].index("member")] for row in made["data"]]
    assert sorted(numbers) == [o.number for o in outcomes]
    assert all(len(row) == len(made["columns"]) for row in made["data"])


@given(members)
def test_every_member_is_counted_once(outcomes):
    n = counts(outcomes)
    assert n["finished"] + n["failed"] + n["pending"] == len(outcomes)
    assert n["stopped"] == 0


def test_equal_scores_keep_the_order_of_the_sweep():
    assert [o.number for o in ranked([member(1, 0.5), member(0, 0.5)])] == [0, 1]


def test_a_table_names_what_differs_scores_and_how_each_ended():
    outcomes = [
        member(0, 0.25, params={"a.b": [1, 2], "name": "x"}),
        member(1, None, params={"a.b": None}, status="FAILED", error="no"),
        member(2, 0.5, params={"a.b": True}, stop_reason="rung 1", rung=1),
    ]
    assert table(outcomes) == {
        "columns": [
            *("rank", "name", "status", "r2", "max_error", "rows", "member"),
            *("a/b", "param/name", "rung", "stop_reason", "error", "run_id"),
        ],
        "data": [
            [1, "a=2", "FINISHED", 0.5, -1.0, 100, 2, True, None, 1, "rung 1", None, "r2"],
            [2, "a=0", "FINISHED", 0.25, -1.0, 100, 0, "[1, 2]", "x", None, None, None, "r0"],
            [3, "a=1", "FAILED", None, None, 100, 1, None, None, None, None, "no", "r1"],
        ],
    }


def test_the_tags_of_the_best_name_it_and_empty_what_another_differed_in():
    outcomes = [member(0, 0.25), member(1, 0.5, params={"b[0]": None})]
    assert best_tags(outcomes, ["runner.best.a", "runner.view"]) == {
        "runner.best.a": "",
        "runner.best.b_0_": "null",
        "runner.best_run": "r1",
    }
