import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ConfigError, TrackingError
from runner.records import Evaluated, Outcome, Recipe
from runner.tracking.comparison import compare, difference, greatest, same_data
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.tags import member_tags

SCORES = st.none() | st.floats()


@pytest.fixture
def recorded(store, client):
    """Return what records a run, and returns its id."""

    def recorded(params=(), scores=(), tags=()):
        with MlflowTracker(log_model=False).start_run("mine") as run:
            run.log_params(Recipe("mine", dict(params)))
            run.log_scores(Evaluated(dict(scores), 10))
        for key, value in dict(tags).items():
            client.set_tag(run.run_id, key, value)
        return run.run_id

    return recorded


def test_params_that_differ_come_with_the_value_of_each_run(recorded):
    ids = [
        recorded(params={"estimator.alpha": 0.1, "seed": 1}),
        recorded(params={"estimator.alpha": 0.01, "seed": 1, "fit.epochs": 2}),
        recorded(params={"estimator.alpha": 0.1, "seed": 1}),
    ]
    comparison = compare([run_id[:12] for run_id in ids])
    assert [run.run_id for run in comparison.runs] == ids
    assert comparison.params == {
        "estimator.alpha": ("0.1", "0.01", "0.1"),
        "fit.epochs": (None, "2", None),
    }


def test_a_greater_score_is_a_better_one(recorded):
    ids = [
        recorded(scores={"accuracy": 0.5, "neg_log_loss": -2.0}),
        recorded(scores={"accuracy": 0.75, "neg_log_loss": -2.5}),
        recorded(scores={"accuracy": 0.75, "r2": 0.5}),
    ]
    comparison = compare(ids)
    assert comparison.scores["neg_log_loss"] == (-2.0, -2.5, None)
    assert comparison.differences == {
        "accuracy": (0.0, 0.25, 0.25),
        "neg_log_loss": (0.0, -0.5, None),
        "r2": (None, None, None),
    }
    assert comparison.best["accuracy"] == (False, True, True)
    assert comparison.best["neg_log_loss"] == (True, False, False)


def test_data_order_and_model_are_told_next_to_the_first(recorded):
    first = {
        "runner.content.train": "aa",
        "runner.content.holdout": "bb",
        "runner.order_hash": "cc",
        "runner.model_hash": "dd",
    }
    ids = [
        recorded(tags=first),
        recorded(tags={**first, "runner.order_hash": "ee"}),
        recorded(tags={**first, "runner.content.holdout": "ee"}),
        recorded(),
    ]
    comparison = compare(ids)
    assert comparison.hashes["order"] == ("cc", "ee", "cc", None)
    assert comparison.verdicts == {
        "data": ("same", "same", "different", "unknown"),
        "order": ("same", "different", "same", "unknown"),
        "model": ("same", "same", "same", "unknown"),
    }


def test_curves_are_those_of_each_run(recorded, client):
    ids = [recorded(), recorded()]
    client.log_metric(ids[1], "validation/r2", 0.5, step=25)
    assert compare(ids).curves == ({}, {"validation/r2": [(25, 0.5)]})


def test_a_failed_run_without_scores_is_compared_as_far_as_it_came(recorded, tracker):
    with pytest.raises(ValueError, match="no"), tracker.start_run("broken") as run:
        raise ValueError("no")
    comparison = compare([recorded(scores={"r2": 0.5}), run.run_id])
    assert comparison.runs[1].status == "FAILED"
    assert comparison.scores == {"r2": (0.5, None)}
    assert comparison.url is None


@pytest.fixture
def sweep(tracker):
    """Record a sweep of two members; return its id and that of the better one."""
    outcomes = []
    with tracker.start_sweep("grid") as sweep:
        for number, score in enumerate((0.5, 0.75)):
            tags = member_tags(number, str(number), {"a": number})
            with tracker.start_run(str(number), parent=sweep, tags=tags) as run:
                run.log_scores(Evaluated({"r2": score}, 10))
            member = {"number": number, "name": str(number), "key": str(number)}
            ended = {"status": "FINISHED", "scores": {"r2": score}, "run_id": run.run_id}
            outcomes.append(Outcome(**member, **ended))
        sweep.log_leaderboard(outcomes, final=True)
    return sweep.run_id, outcomes[-1].run_id


def test_a_sweep_stands_for_its_best_member(recorded, sweep):
    whole, best = sweep
    comparison = compare([recorded(scores={"r2": 0.25}), whole])
    assert comparison.runs[1].run_id == best
    assert comparison.sweeps[best].run_id == whole
    assert comparison.differences["r2"] == (0.0, 0.5)


def test_a_sweep_without_a_best_member_is_told(recorded, tracker):
    with tracker.start_sweep("grid") as sweep:
        sweep.log_leaderboard([], final=True)
    with pytest.raises(TrackingError, match=r"must have a best member; got none .* `runner runs"):
        compare([sweep.run_id, recorded()])


def test_fewer_than_two_runs_are_told(recorded):
    with pytest.raises(
        ConfigError, match=r"must be two or more; got none\. Write `runner compare"
    ):
        compare([])
    with pytest.raises(ConfigError, match="must be two or more; got ab"):
        compare(["ab"])


def test_the_same_run_twice_is_told(recorded, sweep):
    run_id, (whole, best) = recorded(), sweep
    for ids in ([run_id, run_id[:10]], [whole, run_id, best], [best, whole, run_id]):
        with pytest.raises(ConfigError, match=r"must be different ones; got .*, which both are "):
            compare(ids)


def test_a_run_that_is_not_there_is_told(recorded):
    with pytest.raises(TrackingError, match=r"'nosuch' must be the beginning .* got none"):
        compare([recorded(), "nosuch"])


def test_a_server_has_a_page_that_compares_them(server):
    ids = []
    for name in ("one", "other"):
        tracker = MlflowTracker(uri=server.url, experiment=name, log_model=False)
        with tracker.start_run(name) as run:
            ids.append(run.run_id)
    url = compare(ids, server.url).url
    assert url.startswith(f"{server.url}/#/compare-runs?runs=%5B%22{ids[0]}%22%2C%22{ids[1]}")
    assert url.count("%22") == 8


@given(SCORES, SCORES)
def test_the_sign_of_a_difference_says_which_is_better(first, other):
    found = difference(first, other)
    if None in (first, other) or math.isnan(first) or math.isnan(other):
        assert found is None
    else:
        assert (found > 0, found < 0) == (other > first, other < first)


@given(st.lists(SCORES, min_size=2))
def test_a_greatest_score_is_at_least_any_other(scores):
    known = [score for score in scores if score is not None and not math.isnan(score)]
    marked = [score for score, is_it in zip(scores, greatest(scores), strict=True) if is_it]
    assert all(score == max(known) for score in marked)
    are_all_the_same = len(known) == len(scores) and len(set(known)) == 1
    assert bool(marked) == (bool(known) and not are_all_the_same)


TAGS = st.dictionaries(
    st.sampled_from(["runner.content.train", "runner.content.holdout"]), st.sampled_from("ab")
)


@given(TAGS, TAGS)
def test_whether_data_are_the_same_does_not_depend_on_which_is_first(one, other):
    assert same_data(one, other) == same_data(other, one)
