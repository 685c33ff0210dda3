"""One experiment, step by step, from its checks to its record."""

import shutil
from dataclasses import replace

import pytest
from sklearn.linear_model import SGDClassifier

from runner.base import Callback
from runner.callbacks.checkpoint import Checkpoint
from runner.dataset.make_classification import MakeClassification
from runner.errors import ConfigError, FitError, RunnerWarning
from runner.evaluation.evaluation import Evaluation
from runner.experiment import Experiment, run_together
from runner.fit.options import FitOptions
from runner.fit.threads import Threads
from runner.records import Recipe
from runner.saved import Resumed, read
from runner.tracking.memory_tracker import MemoryTracker
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import find_run
from runner.trial import Entry, Trial, check, source_of


class Fails(SGDClassifier):
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        raise RuntimeError("no more")


class Counts(SGDClassifier):
    calls = 0

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        Counts.calls += 1
        return super().partial_fit(X, y, classes, sample_weight)


class Silent(SGDClassifier):
    def predict(self, X):
        raise RuntimeError("no answer")


def trial_of(entry=None, recipe=None, **changes):
    parts = {
        "name": "plain",
        "dataset": MakeClassification(n_samples=200, chunks=20, random_state=1, seed=1),
        "estimator": SGDClassifier(loss="log_loss"),
        "tracking": MemoryTracker(),
        "partial_fit": {"classes": [0, 1]},
        "evaluation": Evaluation(scoring=["accuracy"]),
        "seed": 1,
    }
    return Trial(Experiment(**parts | changes), recipe or Recipe("plain", {}), entry)


def ended(trial, **together):
    run_together([trial], Threads(1), **together)
    return trial


def kept(trial):
    (run,) = trial.experiment.tracking.runs
    return run


def test_a_trial_that_has_not_begun_knows_nothing():
    trial = trial_of()
    assert not trial.is_over
    assert not trial.is_recorded
    assert trial.progress.rows == 0
    assert trial.entry == Entry(name="plain")


def test_a_trial_ends_with_a_result_that_its_run_holds_too():
    trial = ended(trial_of())
    result = trial.outcome()
    assert trial.is_over
    assert trial.error is None
    assert result.scores == kept(trial).evaluated.scores
    assert result.model is kept(trial).model
    assert result.estimator is trial.experiment.estimator
    assert result.progress is trial.progress
    assert kept(trial).status == "FINISHED"


def test_a_run_has_the_name_and_the_tags_of_its_entry():
    tracker = MemoryTracker()
    with tracker.start_sweep("all") as sweep:
        entry = Entry(name="3: alpha=0.1", parent=sweep, tags={"runner.member_key": "5f2a"})
        trial = ended(trial_of(entry, tracking=tracker))
    assert sweep.runs == [kept(trial)]
    assert kept(trial).name == "3: alpha=0.1"
    assert kept(trial).tags["runner.member_key"] == "5f2a"


@pytest.mark.parametrize(
    ("changes", "error", "told", "learned"),
    [
        ({"estimator": Fails()}, FitError, "no more", 0),
        (
            {"estimator": Silent(), "fit": FitOptions(progressive_window=0)},
            FitError,
            "no answer",
            160,
        ),
        ({"callbacks": {"recorder": Callback()}}, ConfigError, "callbacks.recorder must have", 0),
        ({"partial_fit": {"classes": [0, 7]}}, FitError, "hold only the labels", 0),
    ],
    ids=["learning", "scoring", "preparing", "labels"],
)
def test_what_fails_is_kept_and_its_run_says_so(changes, error, told, learned):
    trial = ended(trial_of(**changes))
    assert isinstance(trial.error, error)
    assert trial.result is None
    assert trial.progress.rows == learned
    assert kept(trial).status == "FAILED"
    assert kept(trial).error is trial.error
    with pytest.raises(error, match=told):
        trial.outcome()


def test_a_model_that_cannot_be_scored_is_kept_and_one_that_cannot_learn_is_not():
    silent = trial_of(estimator=Silent(), fit=FitOptions(progressive_window=0))
    assert kept(ended(silent)).model is not None
    assert kept(ended(trial_of(estimator=Fails()))).model is None


def test_what_is_refused_before_the_first_block_leaves_no_run_of_its_own():
    trial = ended(trial_of(partial_fit={}))
    assert isinstance(trial.error, ConfigError)
    assert not trial.is_recorded
    trial.record_refusal()
    assert trial.experiment.tracking.runs == []


def test_a_refused_member_of_a_sweep_leaves_a_run_that_says_why():
    tracker = MemoryTracker()
    with tracker.start_sweep("all") as sweep:
        trial = ended(trial_of(Entry(name="0", parent=sweep), tracking=tracker, partial_fit={}))
        trial.record_refusal()
        trial.record_refusal()
    assert kept(trial).status == "FAILED"
    assert kept(trial).error is trial.error
    assert kept(trial).recipe.name == "plain"


def test_a_trial_that_finished_leaves_no_refusal():
    trial = ended(trial_of())
    trial.record_refusal()
    assert len(trial.experiment.tracking.runs) == 1


def test_a_record_that_cannot_be_kept_is_the_error():
    class Away(MemoryTracker):
        def check(self):
            raise ConfigError("tracking.uri", "be there", got="nothing", remedy="Make it.")

    trial = ended(trial_of(tracking=Away()))
    with pytest.raises(ConfigError, match=r"tracking\.uri must be there"):
        trial.outcome()


def test_without_a_holdout_nothing_is_scored():
    dataset = MakeClassification(n_samples=100, chunks=20, holdout=0)
    result = ended(trial_of(dataset=dataset)).outcome()
    assert result.scores == {}


def test_a_remark_is_said_once_and_kept_and_an_error_where_strict():
    def remarkable(**changes):
        return trial_of(
            estimator=SGDClassifier(loss="log_loss", early_stopping=False, max_iter=7), **changes
        )

    with pytest.warns(RunnerWarning, match="max_iter"):
        trial = ended(remarkable())
    assert [remark.name for remark in kept(trial).remarks] == ["inert-setting"]
    with pytest.warns(RunnerWarning) as said:
        check(remarkable().experiment, trial.experiment.dataset.split())
    assert len(said) == 1
    strict = ended(remarkable(strict=True))
    with pytest.raises(ConfigError, match="max_iter"):
        strict.outcome()


def test_where_the_data_come_from_is_what_stands_under_dataset():
    recipe = Recipe("a", {"dataset.path": "rows.csv", "dataset.a.b": 1, "datasets": 2, "seed": 0})
    assert source_of(recipe) == {"path": "rows.csv", "a.b": 1}
    assert kept(ended(trial_of(recipe=recipe))).source == {"name": "plain", **source_of(recipe)}


@pytest.fixture
def kept_in_mlflow(project, schema):
    """Return the tracker of a store of the project."""
    shutil.copy(schema, project / "mlflow.db")
    return MlflowTracker(experiment="plain", log_model=False)


def test_a_fit_begins_with_a_state_and_leaves_none_when_it_finished(kept_in_mlflow):
    found = []

    class Looks(Callback):
        def on_fit_begin(self, progress, estimator):
            found.append(read(trial.run.run_id).header["rows"])

    callbacks = {"looks": Looks(), "checkpoint": Checkpoint()}
    trial = trial_of(tracking=kept_in_mlflow, callbacks=callbacks)
    result = ended(trial).outcome()
    assert found == [0]
    assert read(result.run_id) is None


@pytest.mark.parametrize("after_s", [0, 60])
def test_an_error_in_the_final_scores_loses_nothing_that_was_learned(kept_in_mlflow, after_s):
    checkpoint = Checkpoint(after_s=after_s)
    trial = trial_of(
        tracking=kept_in_mlflow,
        estimator=Silent(),
        fit=FitOptions(progressive_window=0),
        callbacks={"checkpoint": checkpoint},
    )
    error = ended(trial).error
    assert "no answer" in str(error)
    assert error.__notes__ == [f"`runner resume {trial.run.run_id[:8]}` goes on with it"]
    saved = read(trial.run.run_id)
    assert saved.header["rows"] == 160
    entry = Entry(name="plain", resumed=Resumed(trial.run.run_id, saved))
    again = trial_of(
        entry,
        tracking=kept_in_mlflow,
        estimator=Counts(),
        fit=FitOptions(progressive_window=0),
        callbacks={"checkpoint": Checkpoint()},
    )
    assert ended(again).outcome().progress.rows == 160
    assert Counts.calls == 0


def test_what_is_gone_on_with_by_force_is_marked(kept_in_mlflow):
    trial = trial_of(tracking=kept_in_mlflow, estimator=Fails(), callbacks={"c": Checkpoint()})
    run_id = ended(trial).run.run_id
    saved = read(run_id)
    saved = replace(saved, header={**saved.header, "versions": {"numpy": "1.0"}})
    entry = Entry(name="plain", resumed=Resumed(run_id, saved, is_forced=True))
    with pytest.warns(RunnerWarning, match=r"forced: Gone on although numpy was 1\.0"):
        ended(trial_of(entry, tracking=kept_in_mlflow, estimator=Fails()))
    assert "numpy was 1.0" in find_run(run_id).tags["runner.remark.forced"]
