"""What our sweeper and our launcher do when Hydra calls them."""

from collections import Counter

import pytest

from runner.errors import ConfigError, FitError
from runner.sweeps.plugin import launch, sweep
from runner.tracking.record import children, recent_runs
from tests.sweeps.conftest import members_of, read_of

GRID = {"grid": {"estimator.alpha": [0.1, 0.01]}}


def alphas(runs):
    return sorted(run.params["estimator.alpha"] for run in runs)


def test_a_file_without_a_sweep_is_one_run(swept):
    job = swept({})
    (run,) = recent_runs()
    assert (run.status, run.is_sweep) == ("FINISHED", False)
    assert job.outcomes == []


def test_a_file_with_a_sweep_needs_no_flag(swept):
    job = swept(GRID)
    assert alphas(members_of(job)) == ["0.01", "0.1"]


def test_a_command_line_may_take_the_sweep_away_or_replace_it(swept):
    for override in ("sweep=null", "estimator.alpha=0.5", "sweep.grid={}"):
        assert swept(GRID, override).outcomes == []
    job = swept(GRID, "sweep.grid={seed:[1,2,3]}")
    assert [outcome.params for outcome in job.outcomes] == [{"seed": n} for n in (1, 2, 3)]


def test_hydras_own_words_work_beside_the_files(swept):
    job = swept(GRID, "-m", "seed=1,2")
    assert [outcome.params for outcome in job.outcomes] == [
        {"seed": seed, "estimator.alpha": alpha} for seed in (1, 2) for alpha in (0.1, 0.01)
    ]
    job = swept({}, "-m", "estimator.alpha=0.1,0.2")
    assert alphas(members_of(job)) == ["0.1", "0.2"]


def test_the_params_of_hydras_sweeper_are_swept_over(swept):
    job = swept({}, "+hydra.sweeper.params={estimator.alpha:'0.1,0.2'}")
    assert alphas(members_of(job)) == ["0.1", "0.2"]


def test_hydras_own_sweeper_may_launch_a_shared_pass(swept, project):
    job = swept({}, "-m", "hydra/sweeper=basic", "estimator.alpha=0.1,0.2", "seed=1,2")
    (run,) = recent_runs()
    assert run.status == "FINISHED"
    members = children(run)
    assert alphas(members) == ["0.1", "0.1", "0.2", "0.2"]
    assert [member.name for member in members][:2] == [
        "0: alpha=0.1, seed=1",
        "1: alpha=0.1, seed=2",
    ]
    assert read_of(project) == 2 * 10
    assert job.run_id == run.run_id


def test_hydras_own_sweeper_is_told_of_a_member_that_failed(swept):
    with pytest.raises(FitError, match=r"Member 2: how=raise, seed=1 must finish") as told:
        swept({}, "-m", "hydra/sweeper=basic", "estimator.how='',raise", "seed=1,2")
    assert "RuntimeError: no more" in str(told.value)
    assert ".." not in str(told.value)
    (run,) = recent_runs()
    assert run.status == "FAILED"
    assert Counter(member.status for member in children(run)) == {"FINISHED": 2, "FAILED": 2}


def test_hydras_own_sweeper_may_launch_in_batches(swept):
    swept({}, "-m", "hydra/sweeper=basic", "hydra.sweeper.max_batch_size=2", "seed=1,2,3")
    sweeps = recent_runs()
    assert sorted(len(children(run)) for run in sweeps) == [1, 2]
    assert {run.status for run in sweeps} == {"FINISHED"}


def test_hydras_own_sweeper_and_launcher_make_runs_of_their_own(swept, project):
    asked = ("-m", "hydra/sweeper=basic", "hydra/launcher=basic", "estimator.alpha=0.1,0.2")
    job = swept({}, *asked)
    runs = recent_runs()
    assert alphas(runs) == ["0.1", "0.2"]
    assert not any(run.is_sweep for run in runs)
    assert read_of(project) == 2 * 10
    assert job.outcomes == []


def test_the_scores_are_the_same_whoever_sweeps_and_launches(swept):
    ours = {run.params["estimator.alpha"]: run.scores for run in members_of(swept(GRID))}
    values = "estimator.alpha=0.1,0.01"
    for launcher in ("shared_pass", "basic"):
        before = {run.run_id for run in recent_runs(parents_only=False)}
        swept({}, "-m", "hydra/sweeper=basic", f"hydra/launcher={launcher}", values)
        found = [
            run
            for run in recent_runs(parents_only=False)
            if run.run_id not in before and not run.is_sweep
        ]
        assert {run.params["estimator.alpha"]: run.scores for run in found} == ours


def test_our_plugins_are_for_our_application():
    def foreign(config):
        """Some other application's task."""

    for call in (
        lambda: sweep(None, foreign, None, []),
        lambda: launch(None, foreign, None, [], None),
    ):
        with pytest.raises(ConfigError, match="be used in the application it comes with"):
            call()


def test_a_mistake_in_a_member_is_told_with_its_name(swept):
    with pytest.raises(ConfigError, match=r"In member 1: name=.*nowhere"):
        swept({"grid": {"name": ["a", "${nowhere}"]}})
