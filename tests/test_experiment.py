"""The main path with plain objects, no YAML."""

import math

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.preprocessing import Normalizer, StandardScaler

from runner.base import Callback
from runner.callbacks.best_snapshot import BestSnapshot
from runner.callbacks.early_stopping import EarlyStopping
from runner.dataset.csv import Csv
from runner.dataset.make_classification import MakeClassification
from runner.errors import ConfigError, FitError, RunnerWarning
from runner.evaluation.evaluation import Evaluation
from runner.experiment import Experiment, run, run_together
from runner.fit.options import FitOptions
from runner.fit.threads import Threads
from runner.records import Recipe
from runner.steps import Steps, listening
from runner.stream.stream import Stream
from runner.tracking.memory_tracker import MemoryTracker
from runner.trial import Trial, source_of


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
    train, holdout, _ = experiment.dataset.split()
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


@pytest.mark.filterwarnings("ignore:No evaluated row holds")
def test_labels_of_text_are_scored_whole_whatever_the_width_in_each_block(table):
    labels = ["a"] * 25 + ["abcdef"] * 25 + ["a", "abc"] * 25
    experiment = experiment_of(
        dataset=table(labels, holdout=0.5, seed=5),
        partial_fit={"classes": ["a", "abc", "abcdef"]},
        evaluation=Evaluation(scoring=["accuracy", "f1_macro"]),
    )
    blocks = Stream().source(experiment.dataset.split().holdout)
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
    holdout = experiment.dataset.split().holdout
    X, y = holdout.X.compute(), holdout.y.compute()
    assert list(result.model.named_steps) == ["normalizer", "estimator"]
    assert result.scores["accuracy"] == accuracy_score(y, result.model.predict(X))


def test_the_final_evaluation_is_told_to_who_listens_and_to_nobody_else(capsys):
    run(experiment_of(), Recipe("quiet", {}))
    assert capsys.readouterr() == ("", "")
    experiment = experiment_of()
    with listening(Steps()) as steps:
        run(experiment, Recipe("told", {}))
    holdout = experiment.dataset.split().holdout
    assert {name: took.rows for name, took in steps.took.items()} == {"evaluate": holdout.n_rows}


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
    experiment = experiment_of(evaluation=Evaluation(scoring=["r2"]))
    with pytest.raises(ConfigError, match="got 'r2'"):
        run(experiment, Recipe("plain", {}))
    assert experiment.tracking.runs == []


@pytest.mark.parametrize("name", ["recorder", "ledger"])
def test_a_callback_cannot_take_the_name_of_one_of_the_record(name):
    with pytest.raises(ConfigError, match=rf"callbacks\.{name} must have another name"):
        run(experiment_of(callbacks={name: Callback()}), Recipe("plain", {}))


REMARKABLE = SGDClassifier(max_iter=5, tol=1.0)


def test_remarks_are_told_and_recorded_before_the_first_block():
    experiment = experiment_of(estimator=REMARKABLE)
    with pytest.warns(RunnerWarning, match=r"^inert-setting: estimator\.(max_iter|tol)=") as told:
        run(experiment, Recipe("plain", {}))
    (kept,) = experiment.tracking.runs
    assert sorted(map(str, kept.remarks)) == sorted(str(warning.message) for warning in told)
    assert [remark.name for remark in kept.remarks] == ["inert-setting"] * 2


def test_a_strict_experiment_has_no_run_if_there_is_a_remark():
    experiment = experiment_of(estimator=REMARKABLE, strict=True)
    with pytest.raises(
        ConfigError, match="A strict experiment must be without remarks; got inert"
    ):
        run(experiment, Recipe("plain", {}))
    assert experiment.tracking.runs == []
    run(experiment_of(strict=True), Recipe("plain", {}))


@pytest.mark.parametrize("strict", ["yes", 1, None])
def test_strict_is_true_or_false(strict):
    with pytest.raises(ConfigError, match="strict must be true or false"):
        experiment_of(strict=strict)


def test_a_wild_block_ends_a_strict_run_at_the_first_block():
    class Wild(MakeClassification):
        def arrays(self):
            arrays = super().arrays()
            return type(arrays)(arrays.X * np.array([1e6] + [1.0] * 19), arrays.y)

    def wild(**changes):
        return experiment_of(dataset=Wild(n_samples=200, chunks=20, random_state=1), **changes)

    experiment = wild()
    with pytest.warns(RunnerWarning, match="^wild-scale: "):
        run(experiment, Recipe("plain", {}))
    assert [remark.name for remark in experiment.tracking.runs[0].remarks] == ["wild-scale"]
    experiment = wild(strict=True)
    with pytest.raises(ConfigError, match="must be without remarks; got wild-scale"):
        run(experiment, Recipe("plain", {}))
    (kept,) = experiment.tracking.runs
    assert kept.status == "FAILED"
    assert not hasattr(experiment.estimator, "coef_")
    scaled = wild(strict=True, preprocessing={"scaler": StandardScaler()})
    assert run(scaled, Recipe("plain", {})).scores["accuracy"] > 0.5


def test_validation_rows_alone_give_scores_on_the_way_and_no_final_ones():
    dataset = MakeClassification(n_samples=100, chunks=20, holdout=0, validation=0.2)
    experiment = experiment_of(dataset=dataset, evaluation=Evaluation(every=40))
    result = run(experiment, Recipe("plain", {}))
    assert result.scores == {}
    (kept,) = experiment.tracking.runs
    assert [step for step, _ in kept.curves["validation/accuracy"]] == [40, 80]
    assert list(kept.parts) == ["train", "validation"]


def test_labels_are_counted_only_if_that_is_asked_for():
    plain, inferred = experiment_of(), experiment_of(partial_fit={"classes": "infer"})
    for experiment in (plain, inferred):
        run(experiment, Recipe("plain", {}))
    assert plain.tracking.runs[0].labels == ()
    (counts,) = inferred.tracking.runs[0].labels
    assert counts.keys() == {0, 1}
    assert sum(counts.values()) == inferred.dataset.split().train.n_rows


def test_a_scorer_that_the_inferred_labels_do_not_suit_is_refused_before_the_fit():
    dataset = MakeClassification(
        n_samples=200, chunks=20, random_state=1, n_classes=3, n_informative=5
    )
    experiment = experiment_of(
        dataset=dataset,
        partial_fit={"classes": "infer"},
        evaluation=Evaluation(scoring=["f1"]),
    )
    with pytest.raises(ConfigError, match="f1"):
        run(experiment, Recipe("plain", {}))
    assert not hasattr(experiment.estimator, "coef_")


def test_the_same_callbacks_serve_a_second_run():
    stopping = EarlyStopping(patience=2)
    callbacks = {"stop": stopping, "best": BestSnapshot()}
    dataset = MakeClassification(
        n_samples=200, chunks=20, random_state=1, validation=0.2, flip_y=0.3
    )
    settings = {"dataset": dataset, "fit": FitOptions(epochs=30), "callbacks": callbacks}
    one, two = (
        run(experiment_of(estimator=SGDClassifier(), **settings), Recipe("plain", {}))
        for _ in range(2)
    )
    assert one.progress.epoch == two.progress.epoch < 30
    assert one.progress.best_rows == two.progress.best_rows
    assert one.estimator.coef_.tobytes() == two.estimator.coef_.tobytes()


def test_the_same_experiment_gives_the_same_bits_twice():
    one, two = (run(experiment_of(), Recipe("plain", {})) for _ in range(2))
    assert one.estimator.coef_.tobytes() == two.estimator.coef_.tobytes()
    assert one.scores == two.scores


def test_another_seed_gives_another_order():
    orders = [experiment_of().stream.__class__(seed=seed).order(8, 0) for seed in (0, 1, 2)]
    assert len(set(map(tuple, orders))) == 3


def test_the_seed_reaches_the_estimator_and_the_stages():
    nested, sampler = OneVsRestClassifier(SGDClassifier()), RBFSampler()
    experiment_of(estimator=nested, preprocessing={"sampler": sampler}, seed=3)
    assert (nested.estimator.random_state, sampler.random_state) == (3, 3)


def test_the_source_of_the_data_is_what_the_dataset_was_asked():
    params = {"dataset.path": "a.csv", "dataset.chunks": 10, "estimator.alpha": 1}
    assert source_of(Recipe("a", params)) == {"path": "a.csv", "chunks": 10}


def test_what_was_learned_is_kept_if_it_cannot_be_scored():
    class Failing(Evaluation):
        def measure(self, estimator, **_):
            raise FitError("Block 9", "be predicted", got="nothing", remedy="Mend it.")

    experiment = experiment_of(evaluation=Failing())
    with pytest.raises(FitError, match="Block 9"):
        run(experiment, Recipe("plain", {}))
    (kept,) = experiment.tracking.runs
    assert kept.status == "FAILED"
    assert kept.model is experiment.estimator
    assert kept.progress.rows == 160


def test_parts_written_as_a_mapping_name_the_key_and_how_they_are_listed():
    stage = ColumnTransformer({"a": [StandardScaler(), [0]]})
    with pytest.raises(ConfigError) as caught:
        experiment_of(preprocessing={"columns": stage})
    assert str(caught.value) == (
        "preprocessing.columns.transformers must be a list of lists; got {'a': [StandardScaler(), "
        "[0]]}. Write each item as [name, {_target_: a transformer}, [columns]]."
    )


def test_what_trials_share_is_looked_at_once_for_all_of_them():
    asked = []

    class Stamped(MakeClassification):
        def fingerprint(self):
            asked.append(self)
            return {}

    dataset = Stamped(n_samples=200, chunks=20, random_state=1, seed=1)
    trials = [Trial(experiment_of(dataset=dataset), Recipe("plain", {})) for _ in range(3)]
    run_together(trials, Threads(1))
    assert all(trial.outcome().scores for trial in trials)
    assert len(asked) == 1
