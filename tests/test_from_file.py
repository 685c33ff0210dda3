"""What a file asks for is done, and is in the record; YAML and a real store from end to end."""

import json
import shutil
import warnings
from collections import Counter
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

import runner
from runner.cli import WRONG, main
from runner.config.compose import compose, selected
from runner.config.job import build
from runner.errors import ConfigError, DatasetError, FitError, RunnerWarning
from runner.experiment import run
from runner.tracking.client import connect
from runner.tracking.store import resolve

N_ROWS = 240


@pytest.fixture(autouse=True)
def store(project, schema):
    """Give the project an empty store, which is quicker than to make one."""
    shutil.copy(schema, project / "mlflow.db")


@pytest.fixture
def written(tmp_path):
    """Return what writes a CSV file with these labels and an experiment of it."""

    def write(labels, text, validation=0.0, holdout=0.25):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(len(labels), 3)).round(3)
        _, numbers = np.unique(labels, return_inverse=True)
        X[:, 0] += 1.5 * numbers
        rows = [f"{','.join(map(str, x))},{label}" for x, label in zip(X, labels, strict=True)]
        (tmp_path / "rows.csv").write_text("\n".join(["a,b,c,label", *rows]) + "\n")
        file = tmp_path / "mine.yaml"
        file.write_text(
            "defaults: [{override /dataset: csv}, {override /estimator: sgd_classifier}, "
            "{override /callbacks: []}]\n"
            f"dataset: {{path: {tmp_path}/rows.csv, target: label, chunks: 20, "
            f"validation: {validation}, holdout: {holdout}}}\n" + text
        )
        return str(file)

    return write


@pytest.fixture
def record():
    """Return what reads the run, its curves and its artifacts back from the store."""
    client = connect(resolve())

    class Record:
        def __init__(self, run_id):
            found = client.get_run(run_id)
            self.status, self.outputs = found.info.status, found.outputs
            self.tags, self.params = found.data.tags, found.data.params
            self.metrics = found.data.metrics
            self._run_id = run_id
            self._uri = found.info.artifact_uri

        def curve(self, key):
            return [(m.step, m.value) for m in client.get_metric_history(self._run_id, key)]

        def json(self, path):
            from mlflow.artifacts import download_artifacts

            uri = f"{self._uri}/{path}"
            local = download_artifacts(artifact_uri=uri, tracking_uri=client.tracking_uri)
            return json.loads(Path(local).read_text())

    def read(run_id=None):
        if run_id is None:
            (experiment,) = (e for e in client.search_experiments() if e.name != "Default")
            (run,) = client.search_runs([experiment.experiment_id])
            run_id = run.info.run_id
        return Record(run_id)

    return read


def ints():
    return np.arange(N_ROWS) % 4 // 3


def words():
    return np.array(["no", "yes", "maybe"])[np.arange(N_ROWS) % 3]


@pytest.mark.parametrize("labels", [ints(), words()], ids=["ints", "text"])
def test_classes_can_be_inferred_and_their_counts_are_kept(written, record, labels):
    listed = json.dumps(np.unique(labels).tolist())
    found = runner.run(written(labels, "partial_fit: {classes: infer}\n"))
    by_hand = runner.run(written(labels, f"partial_fit: {{classes: {listed}}}\n"))
    assert joblib.hash(found.model) == joblib.hash(by_hand.model)
    assert found.scores == by_hand.scores
    (counts,) = record(found.run_id).json("dataset/labels.json")
    assert sum(counts.values()) == found.progress.rows == 0.75 * N_ROWS
    assert set(counts) == set(map(str, labels.tolist()))
    assert record(found.run_id).params["partial_fit.classes"] == "infer"


def test_balanced_weights_need_no_list_of_labels(written):
    labels = ints()
    text = "partial_fit: {classes: infer}\nfit: {class_weight: balanced}\n"
    weighted = runner.run(written(labels, text))
    plain = runner.run(written(labels, "partial_fit: {classes: infer}\n"))
    assert joblib.hash(weighted.model) != joblib.hash(plain.model)
    listed = runner.run(written(labels, text.replace("infer", "[0, 1]")))
    assert joblib.hash(weighted.model) == joblib.hash(listed.model)


@pytest.mark.parametrize(
    ("labels", "weights", "others"),
    [
        (ints(), "{0: 0.5, 1: 4}", "{0: 0.5, 1: 3}"),
        (words(), "{'maybe': 2.5, 'no': 0}", "{'maybe': 2.5}"),
    ],
    ids=["ints", "text"],
)
def test_weights_of_labels_keep_the_types_of_their_keys(written, labels, weights, others):
    text = "partial_fit: {classes: infer}\nfit: {class_weight: %s}\n"
    weighted = runner.run(written(labels, text % weights))
    assert joblib.hash(weighted.model) != joblib.hash(
        runner.run(written(labels, text % others)).model
    )
    plain = written(labels, "partial_fit: {classes: infer}\n")
    by_option = runner.run(plain, [f"fit.class_weight={weights.replace(chr(39), '')}"])
    assert joblib.hash(weighted.model) == joblib.hash(by_option.model)


@pytest.mark.parametrize("weights", ["{'0': 0.5}", "{'1': 2.0, 0: 1}", "{7: 1.0}"])
@pytest.mark.parametrize("classes", ["infer", "[0, 1]"])
def test_weights_under_keys_of_another_type_are_refused(written, weights, classes):
    text = f"partial_fit: {{classes: {classes}}}\nfit: {{class_weight: {weights}}}\n"
    with pytest.raises(ConfigError, match=r"fit\.class_weight must name only labels that there a"):
        runner.run(written(ints(), text))


def test_a_label_that_is_missing_is_named_by_its_block(written, record):
    labels = [str(label) for label in ints()]
    labels[133] = ""
    file = written(labels, "partial_fit: {classes: infer}\n", holdout=0)
    with pytest.raises(DatasetError, match=r"In block 6 \(rows 120 to 139\), .*got 1 empty cell"):
        runner.run(file)
    assert record().status == "FAILED"


def test_too_many_labels_are_refused(written):
    file = written(np.arange(N_ROWS), "partial_fit: {classes: infer}\nfit: {max_classes: 50}\n")
    with pytest.raises(ConfigError, match="labels that are counted must be at most 50; got 60 or"):
        runner.run(file)


def test_scores_on_the_way_are_curves_over_the_rows_learned(written, record):
    text = (
        "partial_fit: {classes: [0, 1]}\nfit: {epochs: 2}\n"
        "evaluation: {scoring: [accuracy, f1], every: 50}\n"
    )
    result = runner.run(written(ints(), text, validation=0.25))
    kept = record(result.run_id)
    assert [step for step, _ in kept.curve("validation/accuracy")] == [60, 100, 160, 200, 240]
    assert [step for step, _ in kept.curve("validation/f1")] == [60, 100, 160, 200, 240]
    assert kept.curve("holdout/accuracy") == [(0, result.scores["accuracy"])]
    assert dict(result.progress.held_out) == {
        name: kept.curve(f"validation/{name}")[-1][1] for name in ("accuracy", "f1")
    }
    assert not [tag for tag in kept.tags if tag.startswith("runner.remark.")]


def test_without_validation_rows_those_of_the_final_scores_are_scored_on_the_way(written, record):
    text = "partial_fit: {classes: [0, 1]}\nevaluation: {every: 40, growth: 2}\n"
    result = runner.run(written(ints(), text))
    curve = record(result.run_id).curve("validation/accuracy")
    assert [step for step, _ in curve] == [40, 80, 160, 180]
    assert curve[-1][1] == result.scores["accuracy"]


STOPPING = (
    "partial_fit: {classes: [0, 1]}\nseed: 1\nfit: {epochs: 40}\n"
    "estimator: {learning_rate: constant, eta0: 5.0}\n"
    "callbacks:\n"
    "  early_stopping: {_target_: runner.callbacks.early_stopping.EarlyStopping, patience: 3}\n"
    "  best_snapshot: {_target_: runner.callbacks.best_snapshot.BestSnapshot}\n"
)


def test_a_fit_stops_early_and_the_best_is_evaluated_and_kept(written, record):
    result = runner.run(written(ints(), STOPPING, validation=0.25))
    epoch, best = result.progress.epoch, result.progress.best_rows
    assert result.progress.rows == 120 * epoch == best + 3 * 120
    assert 4 <= epoch < 40
    kept = record(result.run_id)
    most = max(score for _, score in kept.curve("validation/accuracy"))
    assert kept.tags["runner.stop_reason"] == (
        f"held-out accuracy was no better than {most:.4f} for 3 scores in a row"
    )
    assert kept.metrics["progress/best_rows"] == best
    assert [output.step for output in kept.outputs.model_outputs] == [best]
    cut = runner.run(
        written(ints(), STOPPING, validation=0.25),
        ["~callbacks.early_stopping", "~callbacks.best_snapshot", f"fit.epochs={best // 120}"],
    )
    assert joblib.hash(result.model) == joblib.hash(cut.model)
    assert result.scores == cut.scores


def test_the_options_of_the_callbacks_can_be_chosen_by_name(written):
    overrides = ["callbacks=[early_stopping,best_snapshot]", "callbacks.early_stopping.patience=2"]
    plain = STOPPING.partition("callbacks")[0]
    result = runner.run(written(ints(), plain, validation=0.25), overrides)
    assert result.progress.stop_reason
    assert result.progress.best_rows == result.progress.rows - 2 * 120


def test_to_decide_by_the_rows_of_the_final_scores_is_told_and_kept(written, record):
    with pytest.warns(
        RunnerWarning, match=r"^decided-on-holdout: callbacks\.\w+ decides by"
    ) as told:
        result = runner.run(written(ints(), STOPPING))
    assert len([w for w in told if "decided-on-holdout" in str(w.message)]) == 2
    tag = record(result.run_id).tags["runner.remark.decided-on-holdout"]
    assert "callbacks.early_stopping decides by" in tag
    assert "callbacks.best_snapshot decides by" in tag


def test_a_strict_experiment_ends_at_a_remark_before_there_is_a_run(written, record, project):
    file = written(ints(), STOPPING + "strict: true\n")
    with pytest.raises(
        ConfigError, match="strict experiment must be without remarks; got decided"
    ):
        runner.run(file)
    assert [e.name for e in connect(resolve()).search_experiments()] == ["Default"]
    assert runner.run(written(ints(), STOPPING + "strict: true\n", validation=0.25)).scores


def test_a_strict_experiment_ends_at_what_a_block_tells(written, record):
    text = "partial_fit: {classes: [0, 1]}\n"
    file = written(np.sort(ints()), text, holdout=0)
    overrides = ["stream.shuffle=false"]
    with pytest.warns(RunnerWarning, match="sorted-by-label"):
        result = runner.run(file, overrides)
    assert "sorted by label" in record(result.run_id).tags["runner.remark.sorted-by-label"]
    with pytest.raises(ConfigError, match="must be without remarks; got sorted-by-label"):
        runner.run(file, [*overrides, "strict=true", "tracking.experiment=strict"])


def test_a_remark_in_a_strict_run_is_in_its_record(written, record):
    file = written(np.sort(ints()), "partial_fit: {classes: [0, 1]}\nstrict: true\n", holdout=0)
    with pytest.raises(ConfigError):
        runner.run(file, ["stream.shuffle=false"])
    kept = record()
    assert kept.status == "FAILED"
    assert "runner.remark.sorted-by-label" in kept.tags
    assert "sorted-by-label" in kept.tags["runner.error"]


def test_a_dry_run_tells_the_remarks_and_the_validation_rows(written, capsys):
    file = written(ints(), STOPPING + "  # none\n")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert main(["run", file, "--dry-run", "estimator.max_iter=5"]) == 0
    names = Counter(str(w.message).partition(":")[0] for w in told)
    assert names == {"decided-on-holdout": 2, "inert-setting": 1}
    assert "validation" not in capsys.readouterr().out
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["run", file, "--dry-run", "dataset.validation=0.25"]) == 0
    out = capsys.readouterr().out
    lines = {line.split()[0]: line for line in out.splitlines() if line.startswith("  ")}
    assert lines["train"].endswith("120 rows in 6 blocks of 20")
    assert lines["validation"].endswith("60 rows in 3 blocks of 20")
    assert lines["holdout"].endswith("60 rows in 3 blocks of 20")


def test_a_dry_run_of_a_strict_experiment_fails_as_the_run_would(written, capsys):
    file = written(ints(), STOPPING + "strict: true\n")
    assert main(["run", file, "--dry-run"]) == WRONG
    assert "A strict experiment must be without remarks" in capsys.readouterr().err


class Breaks(SGDClassifier):
    """Learns as its class does, until the row that it cannot bear."""

    error: BaseException
    left: int

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        super().partial_fit(X, y, classes, sample_weight)
        self.left -= 1
        if self.left == 0:
            raise self.error
        return self


@pytest.mark.parametrize(
    ("error", "status"),
    [(ZeroDivisionError("by zero"), "FAILED"), (KeyboardInterrupt(), "KILLED")],
)
def test_what_ends_a_fit_is_told_and_the_estimator_is_set_back_to_its_best(
    written, record, error, status
):
    def built(*overrides):
        file = written(ints(), STOPPING, validation=0.25)
        with selected(file):
            return build(compose(file, ["~callbacks.early_stopping", *overrides]))

    experiment, asked = built()
    learner = experiment.estimator = Breaks(**experiment.estimator.get_params())
    learner.error, learner.left = error, 6 * 20 + 3  # in the middle of the 21st epoch
    with pytest.raises(FitError if status == "FAILED" else KeyboardInterrupt):
        run(experiment, asked)
    kept = record()
    assert kept.status == status
    best = int(kept.metrics["progress/best_rows"])
    curve = dict(kept.curve("validation/accuracy"))
    assert best < 6 * 20 * 20
    assert curve[best] == max(curve.values())
    if status == "FAILED":
        assert "ZeroDivisionError: by zero" in kept.tags["runner.error"]
    cut, asked = built(f"fit.epochs={best // 120}", "~callbacks.best_snapshot")
    run(cut, asked)
    assert learner.coef_.tobytes() == cut.estimator.coef_.tobytes()
    assert learner.t_ == cut.estimator.t_
