"""Going on with a sweep: what is left is run, and nothing twice."""

import os
import sys
from collections import Counter
from functools import wraps

import pytest

import runner
from runner.errors import CheckpointError, ConfigError, RunnerWarning, TrackingError
from runner.sweeps import kept
from runner.sweeps.job import Job
from runner.sweeps.resume import resume
from runner.tracking.client import connect
from runner.tracking.process import Process
from runner.tracking.record import children, find_run, recent_runs
from runner.tracking.spool import claim, runs_folder
from runner.tracking.store import resolve
from runner.tracking.tags import PROCESS
from tests.sweeps.conftest import Heard, members_of, read_of, runs_by_key

SIZES = "dataset.arguments.size"


def statuses(job):
    return [outcome.status for outcome in job.outcomes]


def gone_on(run_id, **options):
    job = Job(
        Heard(), fail_fast=options.pop("fail_fast", False), dry_run=options.pop("dry_run", False)
    )
    resume(run_id, job, **options)
    return job


def test_only_what_did_not_finish_is_run(swept, project):
    sweep = {"grid": {"estimator.how": ["", "mended"], "estimator.alpha": [0.1, 0.2]}}
    first = swept(sweep)
    assert statuses(first) == ["FINISHED", "FINISHED", "FAILED", "FAILED"]
    (project / "mended").touch()
    again = gone_on(first.run_id[:8])
    assert again.run_id == first.run_id
    assert statuses(again) == ["FINISHED"] * 4
    for before, after in zip(first.outcomes[:2], again.outcomes[:2], strict=True):
        assert (after.run_id, after.scores) == (before.run_id, before.scores)
    assert {outcome.number for outcome in again.teller.ended} == {2, 3}
    assert sorted(runs_by_key(first.run_id).values()) == [1, 1, 2, 2]
    assert [run.status for run in members_of(again)] == ["FINISHED"] * 4
    (whole,) = recent_runs()
    assert whole.status == "FINISHED"
    assert "runner.error" not in whole.tags


def test_a_member_that_fails_again_is_failed_again(swept):
    first = swept({"grid": {"estimator.how": ["", "raise"]}})
    again = gone_on(first.run_id)
    assert statuses(again) == ["FINISHED", "FAILED"]
    assert find_run(first.run_id).status == "FAILED"
    assert sorted(runs_by_key(first.run_id).values()) == [1, 2]


def test_members_learn_when_resumed_what_they_learn_otherwise(swept, project):
    sweep = {"grid": {"estimator.how": ["once raise"], "estimator.alpha": [0.1, 0.2, 0.3]}}
    first = swept(sweep, "stream.shuffle=true")
    assert statuses(first).count("FAILED") == 1
    again = gone_on(first.run_id)
    whole = swept(sweep)
    assert [outcome.scores for outcome in again.outcomes] == [
        outcome.scores for outcome in whole.outcomes
    ]


def test_a_member_that_could_not_begin_is_run_when_it_can(swept, project):
    """What a file says is kept with the sweep; what the project's own code does may change."""
    runs = [{}, {"estimator.how": "unbuildable"}]
    first = swept({"runs": runs})
    assert statuses(first) == ["FINISHED", "FAILED"]
    again = gone_on(first.run_id, only_failed=True)
    assert statuses(again) == ["FINISHED", "FAILED"]
    assert sorted(runs_by_key(first.run_id).values()) == [1, 2]


def test_failed_ones_alone_can_be_run(swept, project):
    sweep = {"grid": {SIZES: [20, 40, 60], "estimator.how": ["", "raise"]}}
    first = swept(sweep, fail_fast=True)
    assert Counter(statuses(first)) == {"KILLED": 1, "FAILED": 1, "PENDING": 4}
    again = gone_on(first.run_id, only_failed=True)
    assert [outcome.number for outcome in again.teller.ended] == [1]
    assert Counter(statuses(again)) == {"KILLED": 1, "FAILED": 1, "PENDING": 4}
    rest = gone_on(first.run_id)
    assert statuses(rest) == ["FINISHED", "FAILED"] * 3


def test_a_resumed_sweep_can_fail_fast_too(swept):
    sweep = {"grid": {SIZES: [20, 40], "estimator.how": ["", "raise"]}}
    first = swept(sweep, fail_fast=True)
    again = gone_on(first.run_id, fail_fast=True)
    assert Counter(statuses(again)) == {"KILLED": 1, "FAILED": 1, "PENDING": 2}


def test_a_dry_run_of_a_resumption_does_nothing(swept, project):
    first = swept({"grid": {"estimator.how": ["", "raise"]}})
    before = read_of(project)
    job = gone_on(first.run_id, dry_run=True)
    (plan,) = job.teller.plans
    assert [each.member.number for each in plan.built] == [1]
    assert read_of(project) == before
    assert sorted(runs_by_key(first.run_id).values()) == [1, 1]
    assert find_run(first.run_id).status == "FAILED"


def test_what_is_left_shares_its_pass(swept, project):
    sweep = {"grid": {"estimator.how": ["mended"], "estimator.alpha": [0.1, 0.2, 0.3]}}
    first = swept(sweep)
    before = read_of(project)
    (project / "mended").touch()
    again = gone_on(first.run_id)
    assert statuses(again) == ["FINISHED"] * 3
    assert read_of(project) - before == 10


def test_there_must_be_something_left(swept):
    first = swept({"grid": {"estimator.alpha": [0.1, 0.2]}})
    for only_failed, told in ((False, "did not finish"), (True, "failed")):
        with pytest.raises(ConfigError) as refused:
            gone_on(first.run_id, only_failed=only_failed)
        assert f"have members that {told}; got 2 finished of 2" in str(refused.value)


def test_a_sweep_that_lacks_nothing_but_its_ending_gets_it(swept):
    first = swept({"grid": {"estimator.alpha": [0.1, 0.2]}})
    connect(resolve(None)).set_terminated(first.run_id, "KILLED")
    again = gone_on(first.run_id)
    assert again.teller.ended == []
    assert statuses(again) == ["FINISHED", "FINISHED"]
    assert find_run(first.run_id).status == "FINISHED"


def test_a_single_run_is_no_sweep(swept):
    job = swept({}, "seed=3")
    assert job.outcomes == []
    (run,) = recent_runs()
    with pytest.raises(ConfigError, match="be a sweep to be resumed; got odd, which is one run"):
        gone_on(run.run_id)


def test_a_sweep_that_is_not_there_is_told(store):
    with pytest.raises(TrackingError, match="be the beginning of one run's id"):
        gone_on("abc")


def test_a_sweep_that_a_process_still_runs_is_left_to_it(swept):
    client = connect(resolve())
    first = swept({"grid": {"estimator.how": ["", "raise"]}})
    client.update_run(first.run_id, status="RUNNING")
    client.set_tag(first.run_id, PROCESS, str(Process.current()))
    with pytest.raises(TrackingError, match="have ended before it is resumed"):
        gone_on(first.run_id)


def test_a_member_that_a_process_still_runs_is_not_run_beside_it(swept):
    client = connect(resolve())
    first = swept({"grid": {"estimator.how": ["", "raise"]}})
    open_one = first.outcomes[1].run_id
    client.update_run(open_one, status="RUNNING")
    client.set_tag(open_one, PROCESS, str(Process.current()))
    with pytest.raises(TrackingError, match=f"run {open_one} of member .* process {os.getpid()}"):
        gone_on(first.run_id)
    assert set(runs_by_key(first.run_id).values()) == {1}


def test_a_member_whose_run_another_process_has_open_gets_no_second_one(swept):
    how = {"estimator.how": "once interrupt", "estimator.at": 4}
    keeps = ("callbacks=[checkpoint]", "callbacks.checkpoint.after_s=0")
    with pytest.raises(KeyboardInterrupt):
        swept({"runs": [how, {}]}, *keeps)
    (sweep,) = [run for run in recent_runs() if run.is_sweep]
    (taken, _) = children(sweep)
    claimed = claim(runs_folder() / taken.run_id)
    job = gone_on(sweep.run_id)
    claimed.give_up()
    assert statuses(job) == ["FAILED", "FINISHED"]
    assert "another process, which has it open" in job.outcomes[0].error
    assert set(runs_by_key(sweep.run_id).values()) == {1}


HALVED = {
    "grid": {"estimator.alpha": [1e-4, 1e-2, 1.0, 10.0, 100.0, 1000.0]},
    "halving": {"first_rows": 40, "factor": 2},
}


@pytest.mark.parametrize("by", ["progressive", "held_out"])
def test_halving_decides_when_resumed_as_it_did_before(swept, by):
    halving = HALVED["halving"] | {"by": by}
    whole = swept(HALVED | {"halving": halving})
    rungs = [outcome.rung for outcome in whole.outcomes]
    assert Counter(rungs) == {1: 3, 2: 2, None: 1}
    client = connect(resolve())
    left = [rungs.index(None), rungs.index(2)]
    for number in left:
        client.set_terminated(whole.outcomes[number].run_id, "KILLED")
    client.set_terminated(whole.run_id, "KILLED")
    again = gone_on(whole.run_id)
    assert {outcome.number for outcome in again.teller.ended} == set(left)
    for before, after in zip(whole.outcomes, again.outcomes, strict=True):
        assert (after.rung, after.rows, after.stop_reason, after.scores) == (
            before.rung,
            before.rows,
            before.stop_reason,
            before.scores,
        )
    assert again.teller.verdicts == whole.teller.verdicts


def test_the_verdict_of_a_halving_is_the_same_when_only_a_failure_is_left(swept):
    sweep = {
        "runs": [{"estimator.alpha": alpha} for alpha in (1e-4, 1.0, 100.0)]
        + [{"estimator.how": "raise", "estimator.at": 1}],
        "halving": {"first_rows": 40},
    }
    first = swept(sweep)
    assert statuses(first) == ["FINISHED"] * 3 + ["FAILED"]
    again = gone_on(first.run_id)
    assert again.teller.verdicts == first.teller.verdicts


def test_what_is_resumed_may_come_from_a_file_that_is_gone(swept, project):
    first = swept({"grid": {"estimator.how": ["", "raise"]}})
    (project / "experiments" / "odd.yaml").unlink()
    with pytest.warns(RunnerWarning, match="odd is missing: the sweep goes on with the config"):
        again = gone_on(first.run_id)
    assert statuses(again) == ["FINISHED", "FAILED"]


def edit(project, old, new):
    file = project / "experiments" / "odd.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


GRID = {"grid": {"estimator.how": ["", "mended"]}}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("partial_fit:", "fit: {epochs: 2}\npartial_fit:", r"fit\.epochs: 1 was .* now says 2"),
        ('["", "mended"]', '["", "mended", "raise"]', r"sweep\.grid\.estimator\.how: .*raise"),
        ('sweep: {"grid"', 'sweep: {"halving": {"first_rows": 40}, "grid"', r"sweep\.halving"),
        ("dataset: {", "dataset: [", "cannot be composed"),
    ],
)
def test_an_edited_file_of_a_sweep_is_refused_with_what_differs(swept, project, old, new, told):
    first = swept(GRID)
    before = read_of(project)
    edit(project, old, new)
    with pytest.raises(ConfigError, match=rf"(?s)The sweep \w+ must go on.*{told}.*--force"):
        gone_on(first.run_id)
    assert read_of(project) == before
    assert find_run(first.run_id).status == "FAILED"
    (project / "mended").touch()
    assert statuses(gone_on(first.run_id, is_forced=True)) == ["FINISHED", "FINISHED"]


def test_a_sweep_of_the_command_line_is_compared_without_what_it_sweeps_over(swept, project):
    first = swept({}, "-m", "estimator.how='',mended", "estimator.alpha=0.5")
    assert statuses(first) == ["FINISHED", "FAILED"]
    assert find_run(first.run_id).command.endswith("-m")
    edit(project, "holdout: 0.2", "holdout: 0.4")
    with pytest.raises(ConfigError, match=r"dataset\.holdout: 0\.2 .* 0\.4\. Set it back"):
        gone_on(first.run_id)
    edit(project, "holdout: 0.4", "holdout: 0.2")
    (project / "mended").touch()
    assert statuses(gone_on(first.run_id)) == ["FINISHED", "FINISHED"]


def test_a_base_that_lacks_what_each_member_has_makes_no_difference(swept, project):
    more = "stream: {prefetch: '${estimator.at}'}\n"
    first = swept({"grid": {"estimator.how": ["", "mended"], "estimator.at": [2]}}, more=more)
    assert statuses(first) == ["FINISHED", "FAILED"]
    (project / "mended").touch()
    assert statuses(gone_on(first.run_id)) == ["FINISHED", "FINISHED"]


def other_rows(only=20):
    """Let the project's own function return a row more in each block of so many."""
    module = sys.modules["odd_parts"]
    known = module.rows

    @wraps(known)
    def rows(n_blocks, size=20):
        return known(n_blocks, size + (size == only))

    module.rows = rows


def test_other_data_are_refused_although_no_member_left_a_state(swept, project):
    first = swept(GRID)
    other_rows()
    with pytest.raises(CheckpointError, match=r"train was 160 rows.* and is 168 rows.*--force"):
        gone_on(first.run_id)
    assert find_run(first.run_id).status == "FAILED"
    with pytest.raises(CheckpointError, match="train was 160 rows"):
        gone_on(first.run_id, dry_run=True)
    (project / "mended").touch()
    with pytest.warns(RunnerWarning, match="Gone on although train was 160 rows"):
        again = gone_on(first.run_id, is_forced=True)
    assert statuses(again) == ["FINISHED", "FINISHED"]


def test_other_libraries_are_refused(swept, monkeypatch):
    first = swept(GRID)
    monkeypatch.setattr("runner.saved.version", lambda name: "0.1")
    with pytest.raises(CheckpointError, match=r"numpy was \S+ and is 0\.1"):
        gone_on(first.run_id)


def test_groups_that_have_nothing_left_may_have_other_data(swept, project):
    size = "dataset.arguments.size"
    first = swept({"runs": [{size: 30}, {size: 20, "estimator.how": "mended"}]})
    assert statuses(first) == ["FINISHED", "FAILED"]
    other_rows(only=30)
    (project / "mended").touch()
    assert statuses(gone_on(first.run_id)) == ["FINISHED", "FINISHED"]


def test_a_sweep_that_keeps_nothing_of_its_data_is_not_checked(swept, project, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(kept, "DATA", "sweep/other.json")
        first = swept(GRID)
    other_rows()
    (project / "mended").touch()
    assert statuses(gone_on(first.run_id)) == ["FINISHED", "FINISHED"]


def test_failed_ones_alone_are_not_run_where_a_halving_compares_them_all(swept):
    sweep = {"runs": [{}, {"estimator.how": "raise"}], "halving": {"first_rows": 40}}
    first = swept(sweep)
    with pytest.raises(ConfigError, match=rf"halving.*Run `runner resume {first.run_id[:8]}`"):
        gone_on(first.run_id, only_failed=True)
    assert sorted(runs_by_key(first.run_id).values()) == [1, 1]


def test_a_run_alone_of_the_same_file_is_no_member(swept, project):
    first = swept({"grid": {"estimator.how": ["", "raise"]}})
    runner.run("odd")
    again = gone_on(first.run_id)
    assert len(again.outcomes) == 2
