"""What Hydra calls with a composed config."""

import pickle

import pytest
from omegaconf import OmegaConf

from runner.config.compose import compose
from runner.errors import ConfigError, FitError
from runner.sweeps.job import Job
from runner.sweeps.trials import Called
from runner.tracking.memory_tracker import MemoryTracker
from runner.tracking.record import recent_runs
from tests.sweeps.conftest import Heard, members_of, read_of, write_experiment

CALLED = Called(0, "0: x", "5f2a", {})


class Results(Heard):
    def __init__(self):
        super().__init__()
        self.results = []
        self.dry = []

    def on_result(self, experiment, result):
        self.results.append(result)

    def on_dry_run(self, experiment, split):
        self.dry.append(split.train.n_rows)


@pytest.fixture
def composed(project, odd, store):
    write_experiment(project, {})
    return lambda *overrides: compose("odd", overrides)


def test_an_experiment_alone_is_one_run_and_its_result_is_told(composed):
    job = Job(Results())
    job.alone(composed())
    (run,) = recent_runs()
    assert run.status == "FINISHED"
    assert [result.run_id for result in job.teller.results] == [run.run_id]
    assert job.outcomes == []


def test_a_dry_run_of_one_checks_and_reads_nothing(composed, project):
    job = Job(Results(), dry_run=True)
    job.alone(composed())
    assert job.teller.dry == [160]
    assert read_of(project) == 0
    assert recent_runs() == []
    with pytest.raises(ConfigError, match=r"partial_fit\.classes"):
        job.alone(composed("partial_fit.classes=null"))


def test_a_member_by_itself_returns_its_outcome(composed):
    job = Job(Heard())
    outcome = job.member(composed(), CALLED)
    assert (outcome.status, outcome.rows, outcome.key) == ("FINISHED", 160, "5f2a")
    assert job.teller.ended == [outcome]


def test_a_member_of_a_sweep_that_is_in_another_memory_runs_all_the_same(composed):
    there = MemoryTracker()
    with there.start_sweep("all") as sweep:
        job = Job(parent=sweep.run_id)
        outcome = job.member(composed("tracking=none", "~tracking.log_model"), CALLED)
    assert outcome.status == "FINISHED"


@pytest.mark.parametrize(
    ("how", "error", "told"),
    [
        ("raise", FitError, "RuntimeError: no more"),
        ("memory", FitError, "MemoryError"),
        ("exit", FitError, "0: x must not end the process; got SystemExit"),
    ],
)
def test_what_ends_a_member_is_raised_and_told(composed, how, error, told):
    job = Job(Heard())
    with pytest.raises(error) as raised:
        job.member(composed(f"estimator.how={how}"), CALLED)
    assert told in str(raised.value)
    assert isinstance(pickle.loads(pickle.dumps(raised.value)), error)  # noqa: S301
    (outcome,) = job.teller.ended
    assert outcome.status == "FAILED"
    assert recent_runs()[0].status == "FAILED"


def test_a_job_goes_to_other_processes_with_what_it_knows():
    job = Job(fail_fast=True, parent="abc", called={3: CALLED})
    found = pickle.loads(pickle.dumps(job))  # noqa: S301
    assert found == job or (found.parent, found.called) == ("abc", {3: CALLED})


def test_a_sweep_leaves_its_id_and_its_outcomes_with_the_job(swept):
    job = swept({"grid": {"estimator.alpha": [0.1, 0.2]}})
    assert [run.run_id for run in members_of(job)] == [each.run_id for each in job.outcomes]
    assert job.url.startswith("sqlite://")


@pytest.mark.parametrize(
    ("overrides", "is_dry", "imported"),
    [
        ((), False, [None]),
        (("tracking.uri=sqlite:////own.db",), False, ["sqlite:////own.db"]),
        ((), True, []),
        (("tracking=none",), False, []),
    ],
)
def test_what_keeps_the_record_is_imported_ahead(
    composed, monkeypatch, overrides, is_dry, imported
):
    asked = []
    monkeypatch.setattr("runner.sweeps.job.import_ahead", asked.append)
    Job(dry_run=is_dry).import_ahead(composed(*overrides).config)
    assert asked == imported


@pytest.mark.parametrize("tracking", [None, "???", {"uri": "x"}, {"_target_": "nowhere.Tracker"}])
def test_what_cannot_be_imported_ahead_is_not_told(tracking):
    Job().import_ahead(OmegaConf.create({"tracking": tracking, "estimator": {"_target_": "no.X"}}))
