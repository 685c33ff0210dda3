"""Where the run of a member belongs, and how it ended."""

import pytest

from runner.errors import ConfigError, Terminated
from runner.records import Recipe
from runner.sweeps.trials import Called, entry_of, failed, outcome_of, pending
from runner.tracking.memory_tracker import MemoryTracker
from runner.tracking.tags import DIFFERS, KEY, NUMBER
from runner.trial import Trial
from tests.sweeps.conftest import Counted, experiment_of

CALLED = Called(3, "3: alpha=0.1", "5f2a", {"estimator.alpha": 0.1})


def test_a_run_carries_what_finds_its_member_again():
    place = entry_of(CALLED, "parent")
    assert (place.name, place.parent) == ("3: alpha=0.1", "parent")
    assert place.tags == {NUMBER: "3", KEY: "5f2a", DIFFERS: '{"estimator.alpha": 0.1}'}


def test_a_member_is_pending_before_its_trial():
    outcome = pending(CALLED)
    assert (outcome.number, outcome.name, outcome.key) == (3, "3: alpha=0.1", "5f2a")
    assert outcome.params == {"estimator.alpha": 0.1}
    assert (outcome.status, outcome.scores, outcome.error) == ("PENDING", {}, None)


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (ValueError("no\nmore"), "FAILED", "ValueError: no more"),
        (KeyError(), "FAILED", "KeyError"),
        (MemoryError(), "FAILED", "MemoryError"),
        (SystemExit(3), "FAILED", "SystemExit: 3"),
        (
            ConfigError("seed", "be 1", got=2, remedy="Set it."),
            "FAILED",
            "seed must be 1; got 2. Set it.",
        ),
        (KeyboardInterrupt(), "KILLED", "KeyboardInterrupt"),
        (Terminated("SIGTERM"), "KILLED", "Terminated: SIGTERM"),
    ],
)
def test_an_error_says_how_a_member_ended(error, status, told):
    outcome = failed(CALLED, error)
    assert (outcome.status, outcome.error) == (status, told)


def test_secrets_in_an_error_are_not_told(monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "canary-317-of-some-length")
    outcome = failed(CALLED, ValueError("at https://me:canary-317@there/x"))
    assert "canary-317" not in outcome.error


def test_a_trial_that_finished_gives_its_scores_and_its_run():
    tracker = MemoryTracker()
    experiment = experiment_of(Counted(), tracking=tracker)
    trial = Trial(experiment, Recipe("x", {}), entry_of(CALLED, None))
    assert outcome_of(CALLED, trial) == pending(CALLED)
    alone_trial(trial)
    outcome = outcome_of(CALLED, trial)
    assert (outcome.status, outcome.rows, outcome.error) == ("FINISHED", 160, None)
    assert outcome.scores == tracker.runs[0].evaluated.scores
    assert outcome.run_id == tracker.runs[0].run_id


def test_a_trial_that_failed_tells_how_far_it_came():
    trial = Trial(
        experiment_of(Counted(), partial_fit={}), Recipe("x", {}), entry_of(CALLED, None)
    )
    alone_trial(trial)
    outcome = outcome_of(CALLED, trial)
    assert (outcome.status, outcome.rows, outcome.run_id) == ("FAILED", 0, "")
    assert "partial_fit.classes" in outcome.error


def alone_trial(trial):
    from runner.experiment import run_together
    from runner.fit.threads import Threads

    run_together([trial], Threads(1))
