"""What learns in a trial has all that follows it, and no label is counted twice."""

import pytest
from sklearn.linear_model import SGDClassifier

from runner.base import Callback
from runner.callbacks.checkpoint import Checkpoint
from runner.contents import Contents
from runner.dataset.make_classification import MakeClassification
from runner.errors import ConfigError
from runner.evaluation.evaluation import Evaluation
from runner.experiment import Experiment
from runner.fit.options import FitOptions
from runner.joining import Shared, checkpoint_of, joined
from runner.preparation import counting
from runner.stream.stream import Stream
from runner.tracking.memory_tracker import MemoryTracker


def joined_of(saved_rows=None, **changes):
    parts = {
        "name": "plain",
        "dataset": MakeClassification(n_samples=200, chunks=20, random_state=1, seed=1),
        "estimator": SGDClassifier(),
        "tracking": MemoryTracker(),
        "partial_fit": {"classes": "infer"},
    }
    experiment = Experiment(**parts | changes)
    split = experiment.dataset.split()
    counted = []

    def count(most):
        counted.append(most)
        return counting(split.train, Stream())(most)

    shared = Shared(split, count, lambda epoch, position: iter(()), Contents(Stream()))
    with experiment.tracking.start_run("plain") as run:
        fit = joined(experiment, shared, experiment.stages(), run, [], saved_rows=saved_rows)
    return fit, counted


def test_labels_are_counted_where_they_are_asked_for():
    fit, counted = joined_of()
    assert counted == [1000]
    assert fit.progress.total_rows == 160


def test_labels_are_not_counted_where_a_state_knows_them():
    fit, counted = joined_of(saved_rows=0)
    assert counted == []
    assert fit.goes_on


def test_bad_blocks_are_passed_over_only_where_it_is_asked_for():
    assert joined_of()[0].bad_blocks is None
    assert joined_of(fit=FitOptions(on_bad_block="skip"))[0].bad_blocks is not None


def test_a_callback_may_not_be_called_as_one_of_the_record_is():
    with pytest.raises(ConfigError, match=r"callbacks\.ledger must have another name"):
        joined_of(callbacks={"ledger": Callback()})


def test_there_is_one_checkpoint_at_most():
    checkpoint = Checkpoint()
    assert checkpoint_of({}) is None
    assert checkpoint_of({"a": Callback(), "b": checkpoint}) is checkpoint
    with pytest.raises(ConfigError, match="hold one Checkpoint at most; got 2 of them"):
        checkpoint_of({"a": checkpoint, "b": Checkpoint()})


def test_held_out_rows_are_made_ready_only_where_they_are_scored_on_the_way(monkeypatch):
    made = []
    original = Contents.reading

    def reading(self, name, *arguments, **options):
        made.append(name)
        return original(self, name, *arguments, **options)

    monkeypatch.setattr(Contents, "reading", reading)
    joined_of()
    assert made == []
    joined_of(evaluation=Evaluation(every=50))
    assert made == ["holdout"]
