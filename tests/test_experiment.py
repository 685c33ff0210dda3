"""The main path with plain objects, no YAML."""

import math

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.preprocessing import Normalizer

from runner.base import Callback, Recipe
from runner.dataset.csv import Csv
from runner.dataset.make_classification import MakeClassification
from runner.errors import ConfigError, FitError
from runner.evaluation.evaluation import Evaluation
from runner.experiment import Experiment, run, seed_estimator, source_of
from runner.fit.options import FitOptions
from runner.stream.stream import Stream
from runner.tracking.memory_tracker import MemoryTracker


def experiment_of(**changes):
    parts = {
        "name": "plain",
        "dataset": MakeClassification(n_samples=200, chunks=20, random_state=1, seed=1),
        "estimator": SGDClassifier(loss="log_loss"),
        "tracking": MemoryTracker(),
        "partial_fit": {"classes": [0, 1]},
        "evaluation": Evaluation(scoring=["accuracy", "roc_auc"]),
        "seed": 1,
    }
    return Experiment(**parts | changes)


def test_a_run_learns_scores_and_records():
    experiment = experiment_of(fit=FitOptions(epochs=3))
    result = run(experiment, Recipe("plain", {"estimator.alpha": 0.1}))
    train, holdout = experiment.dataset.split()
    X, y = holdout.X.compute(), holdout.y.compute()
    assert result.scores["accuracy"] == accuracy_score(y, result.model.predict(X))
    expected = roc_auc_score(y, result.model.decision_function(X))
    assert math.isclose(result.scores["roc_auc"], expected, rel_tol=1e-12)
    assert result.progress.rows == 3 * train.n_rows
    assert result.progress.epoch == 3
    (kept,) = experiment.tracking.runs
    assert kept.status == "FINISHED"
    assert kept.run_id == result.run_id


@pytest.fixture
def table(tmp_path):
    """Return what writes a CSV file of 100 rows with these labels, and its dataset."""

    def written(labels, **settings):
        path = tmp_path / "rows.csv"
        lines = [f"{i % 7},{i % 5},{label}" for i, label in enumerate(labels)]
        path.write_text("\n".join(["a,b,label", *lines]) + "\n")
        return Csv(**{"path": str(path), "target": "label", "chunks": 25, **settings})

    return written


def test_labels_of_text_are_scored_whole_whatever_the_width_in_each_block(table):
    labels = ["a"] * 25 + ["abcdef"] * 25 + ["a", "abc"] * 25
    experiment = experiment_of(
        dataset=table(labels, holdout=0.5, seed=5),
        partial_fit={"classes": ["a", "abc", "abcdef"]},
        evaluation=Evaluation(scoring=["accuracy", "f1_macro"]),
    )
    blocks = Stream().source(experiment.dataset.split()[1])
    held = [blocks.read(i) for i in range(2)]
    assert [block.y.dtype.str for block in held] == ["<U1", "<U6"]
    result = run(experiment, Recipe("plain", {}))
    X, y = np.concatenate([b.X for b in held]), np.concatenate([b.y for b in held])
    assert set(y) == {"a", "abcdef"}
    predicted = result.model.predict(X)
    assert result.scores["accuracy"] == accuracy_score(y, predicted)
    assert result.scores["f1_macro"] == f1_score(y, predicted, average="macro")


@pytest.mark.parametrize("target", ["label", ["label"]])
@pytest.mark.filterwarnings("ignore:y has one column")
@pytest.mark.parametrize(("strange", "told"), [("7", "7"), ("0.5", "0.5")])
def test_a_label_that_is_not_listed_is_refused_at_its_block(table, target, strange, told):
    dataset = table([*"01" * 20, strange, *"01" * 30][:100], target=target, holdout=0)
    experiment = experiment_of(dataset=dataset, estimator=MultinomialNB())
    with pytest.raises(FitError) as caught:
        run(experiment, Recipe("plain", {}))
    assert "Block 1 (rows 25 to 49) must hold only the labels" in str(caught.value)
    assert f"got [{told}], first in row 40." in str(caught.value)


def test_stages_before_the_estimator_are_part_of_the_model():
    experiment = experiment_of(preprocessing={"normalizer": Normalizer()})
    result = run(experiment, Recipe("plain", {}))
    _, holdout = experiment.dataset.split()
    X, y = holdout.X.compute(), holdout.y.compute()
    assert list(result.model.named_steps) == ["normalizer", "estimator"]
    assert result.scores["accuracy"] == accuracy_score(y, result.model.predict(X))


def test_without_a_holdout_there_are_no_final_scores():
    dataset = MakeClassification(n_samples=100, chunks=20, holdout=0)
    result = run(experiment_of(dataset=dataset), Recipe("plain", {}))
    assert result.scores == {}
    assert result.progress.rows == 100


def test_a_stop_in_mid_epoch_still_evaluates_and_records():
    class Stop(Callback):
        def on_block_end(self, progress, block):
            progress.stop("enough")

    experiment = experiment_of(callbacks={"stop": Stop()})
    result = run(experiment, Recipe("plain", {}))
    assert result.progress.blocks == 1
    assert set(result.scores) == {"accuracy", "roc_auc"}
    assert experiment.tracking.runs[0].status == "FINISHED"


def test_a_failed_fit_is_recorded_as_failed_and_says_why():
    experiment = experiment_of(partial_fit={"classes": [1, 2]})
    with pytest.raises(FitError, match="hold only the labels"):
        run(experiment, Recipe("plain", {}))
    (kept,) = experiment.tracking.runs
    assert kept.status == "FAILED"


def test_what_cannot_work_is_refused_before_there_is_a_run():
    experiment = experiment_of(evaluation=Evaluation(scoring=["acuracy"]))
    with pytest.raises(ConfigError, match="acuracy"):
        run(experiment, Recipe("plain", {}))
    assert experiment.tracking.runs == []


@pytest.mark.parametrize("name", ["recorder", "ledger"])
def test_a_callback_cannot_take_the_name_of_one_of_the_record(name):
    with pytest.raises(ConfigError, match=rf"callbacks\.{name} must have another name"):
        run(experiment_of(callbacks={name: Callback()}), Recipe("plain", {}))


def test_the_same_experiment_gives_the_same_bits_twice():
    one, two = (run(experiment_of(), Recipe("plain", {})) for _ in range(2))
    assert one.estimator.coef_.tobytes() == two.estimator.coef_.tobytes()
    assert one.scores == two.scores


def test_another_seed_gives_another_order():
    orders = [experiment_of().stream.__class__(seed=seed).order(8, 0) for seed in (0, 1, 2)]
    assert len(set(map(tuple, orders))) == 3


def test_a_random_state_that_was_set_is_left_alone():
    estimator = SGDClassifier(random_state=5)
    seed_estimator(estimator, 10)
    assert estimator.random_state == 5


def test_random_states_inside_are_set_too():
    nested = OneVsRestClassifier(SGDClassifier())
    experiment_of(estimator=nested, seed=3)
    assert nested.estimator.random_state == 3


def test_an_estimator_of_another_kind_needs_no_parameters():
    class Plain:
        def partial_fit(self, X, y=None):
            return self

    seed_estimator(Plain(), 1)


def test_the_source_of_the_data_is_what_the_dataset_was_asked():
    params = {"dataset.path": "a.csv", "dataset.chunks": 10, "estimator.alpha": 1}
    assert source_of(Recipe("a", params)) == {"path": "a.csv", "chunks": 10}
