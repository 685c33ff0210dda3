"""A whole sweep, from its plan to its record."""

import json
from collections import Counter

import pytest

from runner.errors import ConfigError
from runner.shown import line_of
from runner.sweeps import kept
from runner.tracking.record import children, find_run, kept_file, recent_runs
from runner.tracking.tags import HALVING, RUNG
from tests.sweeps.conftest import members_of, read_of

BAD = ["raise", "exit", "memory"]


def grid(**axes):
    return {"grid": {key.replace("__", "."): values for key, values in axes.items()}}


def statuses(job):
    return [outcome.status for outcome in job.outcomes]


def assert_record_says_the_same(job):
    recorded = members_of(job)
    assert [run.status for run in recorded] == statuses(job)
    assert [run.run_id for run in recorded] == [outcome.run_id for outcome in job.outcomes]
    assert [run.scores for run in recorded] == [outcome.scores for outcome in job.outcomes]


def test_members_are_runs_below_one_run_that_keeps_their_leaderboard(swept, project):
    job = swept(grid(estimator__alpha=[0.1, 0.01], seed=[1, 2]))
    assert statuses(job) == ["FINISHED"] * 4
    assert_record_says_the_same(job)
    (sweep,) = recent_runs()
    assert (sweep.run_id, sweep.status, sweep.members) == (job.run_id, "FINISHED", 4)
    board = json.loads(kept_file(sweep, "sweep/leaderboard.json"))
    assert len(board["data"]) == 4
    names = [run.name for run in members_of(job)]
    assert names == ["0: alpha=0.1, seed=1", "1: alpha=0.1, seed=2", *names[2:]]
    assert read_of(project) == 2 * (8 + 2)  # a group for each seed
    plan = job.teller.plans[0]
    assert [group.reads for group in plan.groups] == [10, 10]


def test_what_was_asked_of_all_is_kept_once(swept):
    job = swept(grid(estimator__alpha=[0.1, 0.01]), "seed=3")
    run = find_run(job.run_id)
    assert run.params["seed"] == "3"
    assert "estimator.alpha" not in run.params
    assert run.params["estimator._target_"] == "odd_parts.Odd"
    config = kept_file(run, "config/config.yaml")
    assert "sweep:\n  grid:\n    estimator.alpha:\n    - 0.1\n" in config
    members = kept.from_text(kept_file(run, kept.PATH))
    assert [member.key for member in members] == [outcome.key for outcome in job.outcomes]


@pytest.mark.parametrize("how", BAD)
def test_a_member_that_fails_does_so_alone_and_in_the_record(swept, how):
    job = swept(grid(estimator__how=["", how], estimator__alpha=[0.1, 0.01]))
    assert statuses(job) == ["FINISHED", "FINISHED", "FAILED", "FAILED"]
    assert_record_says_the_same(job)
    told = {"raise": "RuntimeError: no more", "exit": "SystemExit", "memory": "MemoryError"}[how]
    for run, outcome in zip(members_of(job)[2:], job.outcomes[2:], strict=True):
        assert told in outcome.error
        assert run.tags["runner.error"] == outcome.error
    sweep = find_run(job.run_id)
    assert sweep.status == "FAILED"
    assert sweep.tags["runner.error"] == "2 of 4 members did not finish"


@pytest.mark.parametrize(
    ("axis", "values", "told"),
    [
        ("estimator.how", ["", "unbuildable"], "cannot be built"),
        ("estimator.alhpa", [0.1, 0.2], "estimator.alhpa: Odd has no parameter"),
        ("dataset.arguments.n_blocks", [10, 1], "dataset"),
        ("partial_fit.classes", [[0, 1], [0, 7]], "hold only the labels"),
        ("evaluation.scoring", [["accuracy"], ["acuracy"]], "acuracy"),
        ("callbacks.mine", [None, {"_target_": "os.system"}], "callbacks.mine"),
    ],
)
def test_a_member_that_is_wrong_from_the_start_fails_alone(swept, axis, values, told):
    runs = [{}, {axis: values[1]}]
    if axis == "estimator.alhpa":
        runs = [{"seed": 0}, {axis: 0.1}]
    job = swept({"runs": runs})
    assert statuses(job) == ["FINISHED", "FAILED"]
    assert told in job.outcomes[1].error
    assert_record_says_the_same(job)
    _, bad = members_of(job)
    assert told in bad.tags["runner.error"]
    assert bad.name == job.outcomes[1].name


def test_a_sweep_of_which_no_member_can_begin_leaves_no_run(swept):
    with pytest.raises(ConfigError, match=r"estimator\.alhpa: Odd has no parameter"):
        swept(grid(estimator__alhpa=[0.1, 0.2]))
    assert recent_runs() == []


def test_fail_fast_leaves_the_members_of_later_groups_pending(swept, project):
    sweep = grid(dataset__arguments__size=[20, 40, 60], estimator__how=["", "raise"])
    job = swept(sweep, fail_fast=True)
    assert Counter(statuses(job)) == {"KILLED": 1, "FAILED": 1, "PENDING": 4}
    assert Counter(run.status for run in members_of(job)) == {"KILLED": 1, "FAILED": 1}
    assert find_run(job.run_id).status == "FAILED"
    assert read_of(project) <= 5


def test_fail_fast_ends_a_sweep_before_it_begins_when_a_member_is_wrong(swept, project):
    job = swept({"runs": [{}, {"estimator.how": "unbuildable"}]}, fail_fast=True)
    assert statuses(job) == ["PENDING", "FAILED"]
    assert read_of(project) == 0
    assert [run.status for run in members_of(job)] == ["FAILED"]


def test_an_interrupt_ends_the_sweep_as_killed_and_leaves_what_is_done(swept):
    sweep = {
        "zip": {"dataset.arguments.size": [20, 40, 60], "estimator.how": ["", "interrupt", ""]}
    }
    with pytest.raises(KeyboardInterrupt):
        swept(sweep)
    (run,) = recent_runs()
    assert run.status == "KILLED"
    board = json.loads(kept_file(run, "sweep/leaderboard.json"))
    by_column = dict(zip(board["columns"], zip(*board["data"], strict=True), strict=True))
    assert Counter(by_column["status"]) == {"FINISHED": 1, "KILLED": 1, "PENDING": 1}


def test_what_stops_a_sweep_says_how_to_go_on_with_it(swept):
    with pytest.raises(KeyboardInterrupt) as stop:
        swept(grid(estimator__how=["", "interrupt"]))
    (run,) = recent_runs()
    assert stop.value.__notes__ == [f"`runner resume {run.run_id[:8]}` goes on with it"]


def test_a_sweep_that_is_not_recorded_cannot_be_gone_on_with(swept):
    with pytest.raises(KeyboardInterrupt) as stop:
        swept(grid(estimator__how=["", "interrupt"]), "tracking=none", "~tracking.log_model")
    assert not getattr(stop.value, "__notes__", [])


def test_a_member_that_a_person_stopped_is_told_so_once(swept, capsys):
    told = []
    with pytest.raises(KeyboardInterrupt):
        swept(grid(estimator__how=["", "ctrl-c"]), told=told)
    assert {outcome.status for outcome in told} == {"KILLED"}
    assert [line_of(outcome).count("Ctrl-C") for outcome in told] == [1, 1]
    assert {run.status for run in children(recent_runs()[0])} == {"KILLED"}


def test_what_the_data_are_is_kept_for_each_group(swept):
    job = swept(grid(dataset__arguments__size=[20, 40], estimator__alpha=[0.1, 0.2]))
    groups = json.loads(kept_file(find_run(job.run_id), kept.DATA))
    keys = [outcome.key for outcome in job.outcomes]
    assert [group["members"] for group in groups] == [keys[:2], keys[2:]]
    assert groups[0]["data"]["train"].startswith("160 rows of 3 float64 in 8 blocks")
    assert groups[1]["data"]["train"].startswith("320 rows")
    assert "numpy" in groups[0]["versions"]


def test_a_dry_run_tells_what_would_be_done_and_does_nothing(swept, project):
    job = swept(
        {"runs": [{}, {"estimator.how": "unbuildable"}, {"partial_fit.classes": None}]},
        dry_run=True,
    )
    assert Counter(statuses(job)) == {"PENDING": 1, "FAILED": 2}
    assert len(job.teller.plans) == 1
    assert {outcome.number for outcome in job.teller.ended} == {0, 1, 2}
    assert read_of(project) == 0
    assert recent_runs() == []


def test_halving_is_held_in_each_group_and_told_of(swept):
    sweep = grid(estimator__alpha=[1e-4, 1.0, 100.0], dataset__arguments__size=[20, 40])
    sweep["halving"] = {"first_rows": 40}
    job = swept(sweep)
    assert statuses(job) == ["FINISHED"] * 6
    assert Counter(outcome.rung for outcome in job.outcomes) == {1: 4, None: 2}
    for outcome, run in zip(job.outcomes, members_of(job), strict=True):
        assert run.tags.get(RUNG) == (None if outcome.rung is None else str(outcome.rung))
        assert json.loads(run.tags[HALVING])[-1]["kept"] == (outcome.rung is None)
        if outcome.rung:
            assert run.tags["runner.stop_reason"] == outcome.stop_reason
    assert len(job.teller.verdicts) == 2
    assert all(told.startswith("halving chose ") for told in job.teller.verdicts)


def test_without_stopping_the_verdict_says_what_is_best(swept):
    sweep = grid(estimator__alpha=[1e-4, 1.0, 100.0]) | {
        "halving": {"first_rows": 40, "stop": False}
    }
    job = swept(sweep)
    assert {outcome.rows for outcome in job.outcomes} == {160}
    (told,) = job.teller.verdicts
    assert told.startswith("halving would have chosen ")


def test_a_mistake_in_halving_is_told_before_anything_is_begun(swept, project):
    sweep = grid(estimator__alpha=[0.1, 0.2]) | {"halving": {"first_row": 40}}
    with pytest.raises(ConfigError, match=r"sweep\.halving\.first_row must be a key of it"):
        swept(sweep)
    assert read_of(project) == 0
    assert recent_runs() == []


def test_halving_wants_members_that_share_a_pass(swept):
    sweep = grid(estimator__alpha=[0.1, 0.2]) | {"halving": {"first_rows": 40}}
    with pytest.raises(ConfigError, match=r"sweep\.halving must be null with a launcher that"):
        swept(sweep, "hydra/launcher=basic")
    job = swept(sweep, "hydra/launcher=basic", "sweep.halving=null")
    assert statuses(job) == ["FINISHED"] * 2


def test_equal_members_are_told_apart_in_the_record(swept):
    job = swept({"runs": [{"estimator.alpha": 0.0001}, {}]})
    assert len({outcome.key for outcome in job.outcomes}) == 2
    assert_record_says_the_same(job)
    assert job.outcomes[0].scores == job.outcomes[1].scores
