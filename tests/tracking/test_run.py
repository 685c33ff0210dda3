import json
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import joblib
import numpy as np
import pyarrow.parquet as pq
import pytest
import skops.io
from PIL import Image
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from runner.base import Progress, Remark
from runner.errors import RunnerWarning, TrackingError
from runner.records import Confusion, Evaluated, Recipe
from runner.tracking.client import connect
from runner.tracking.leaderboard import GAP
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.spool import runs_folder
from runner.tracking.store import resolve

RECIPE = Recipe(
    name="quickstart",
    params={"estimator.alpha": 1e-4, "partial_fit.classes": [0, 1], "estimator.loss": None},
    config="estimator: {alpha: 1e-4}\n",
    overrides=("estimator.alpha=1e-4",),
    command="runner run quickstart estimator.alpha=1e-4",
)
EVALUATED = Evaluated(
    {"accuracy": 0.75, "neg_log_loss": -0.5},
    n_rows=20,
    confusion=Confusion(np.array(["no", "yes"]), np.array([[8, 2], [3, 7]])),
)


def whole(tracker, learn, make_part, points):
    """Do and log everything a run can, and return the run and the model."""
    with tracker.start_run("quickstart", command=RECIPE.command) as run:
        run.log_params(RECIPE)
        parts = {"train": make_part(*points), "holdout": make_part(points[0][:20], points[1][:20])}
        run.log_dataset("quickstart", {"path": "rows.csv"}, parts)
        model, part, progress = learn(run.callbacks())
        run.log_scores(EVALUATED)
        run.log_model(model, part, progress)
    return run, model


def content(client, run_id, path):
    from mlflow.artifacts import download_artifacts

    uri = f"{client.get_run(run_id).info.artifact_uri}/{path}"
    local = download_artifacts(artifact_uri=uri, tracking_uri=client.tracking_uri)
    return Path(local).read_bytes()


def check_everything(client, run, model):
    found = client.get_run(run.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {
        "estimator.alpha": "0.0001",
        "partial_fit.classes": "[0, 1]",
        "estimator.loss": "null",
    }
    check_metrics(client, found)
    check_artifacts(client, run.run_id)
    contexts = {entry.tags[0].value: entry.dataset.name for entry in found.inputs.dataset_inputs}
    assert contexts == {"train": "quickstart", "holdout": "quickstart"}
    check_model(client, found, model)
    assert not (runs_folder() / run.run_id).exists()


def check_metrics(client, found):
    def curve(key):
        return [(m.step, m.value) for m in client.get_metric_history(found.info.run_id, key)]

    assert [step for step, _ in curve("train/progressive_accuracy")] == [50, 75, 100]
    assert curve("progress/blocks") == [(25, 1.0), (50, 2.0), (75, 3.0), (100, 4.0)]
    assert [step for step, _ in curve("progress/rows_per_second")] == [25, 50, 75, 100]
    assert curve("holdout/accuracy") == [(0, 0.75)]
    assert curve("holdout/neg_log_loss") == [(0, -0.5)]
    assert curve("time/fit_s") == [(0, pytest.approx(0.004))]
    assert curve("time/load_s") == [(0, pytest.approx(0.008))]
    assert [step for step, _ in curve("time/total_s")] == [0]
    assert curve("memory/peak_mb")[0][1] > 1
    assert "progress/empty_blocks" not in found.data.metrics


def check_artifacts(client, run_id):
    assert content(client, run_id, "config/config.yaml").decode() == RECIPE.config
    assert content(client, run_id, "config/overrides.yaml") == b'- "estimator.alpha=1e-4"\n'
    surroundings = json.loads(content(client, run_id, "environment/environment.json"))
    assert surroundings["packages"]["mlflow"].startswith("3.")
    assert b"scikit-learn==" in content(client, run_id, "environment/requirements.txt")
    ledger = pq.read_table(BytesIO(content(client, run_id, "ledger/blocks.parquet")))
    assert ledger["block"].to_pylist() == [0, 1, 2, 3]
    for name in ("learning_curve", "confusion_matrix"):
        with Image.open(BytesIO(content(client, run_id, f"plots/{name}.png"))) as image:
            assert image.format == "PNG"
    report = content(client, run_id, "report.md").decode()
    assert f"| accuracy{GAP} | 0.75{GAP} |" in report
    assert "- `plots/learning_curve.png`" in report
    assert RECIPE.command in report


def check_model(client, found, model):
    from mlflow.artifacts import download_artifacts

    (output,) = found.outputs.model_outputs
    assert output.step == 100
    entry = client.get_logged_model(output.model_id)
    assert entry.status == "READY"
    assert entry.params == found.data.params
    datasets = {entry.tags[0].value: entry.dataset.digest for entry in found.inputs.dataset_inputs}
    linked = {m.key: (m.value, m.dataset_name, m.dataset_digest) for m in entry.metrics}
    assert len(linked) == len(entry.metrics) == 5
    assert linked["holdout/accuracy"] == (0.75, "quickstart", datasets["holdout"])
    assert linked["train/progressive_accuracy"][1:] == ("quickstart", datasets["train"])
    folder = download_artifacts(
        artifact_uri=entry.artifact_location, tracking_uri=client.tracking_uri
    )
    assert (skops.io.load(f"{folder}/model.skops").coef_ == model.coef_).all()


def test_everything_is_in_a_file(store, client, learn, make_part, points):
    run, model = whole(MlflowTracker(), learn, make_part, points)
    assert run.url == str(store)
    check_everything(client, run, model)


def test_everything_is_on_a_server(server, learn, make_part, points):
    run, model = whole(MlflowTracker(uri=server.url), learn, make_part, points)
    assert run.url.startswith(f"{server.url}/#/experiments/")
    assert f"/runs/{run.run_id}" in run.url
    check_everything(connect(resolve(server.url)), run, model)


def test_a_server_that_is_away_for_a_while_loses_and_doubles_nothing(
    server, learn, make_part, points, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    def after_block(progress):
        if progress.blocks == 2:
            server.stop()

    def learn_through_an_outage(callbacks):
        with pytest.warns(RunnerWarning, match="fails for now"):
            learned = learn(callbacks, after_block)
        server.start()
        return learned

    tracker = MlflowTracker(uri=server.url, flush_every_s=0)
    run, model = whole(tracker, learn_through_an_outage, make_part, points)
    check_everything(connect(resolve(server.url)), run, model)


def test_a_model_that_cannot_be_kept_costs_nothing_else(store, client, learn):
    with MlflowTracker().start_run("own") as run:
        model, part, progress = learn(run.callbacks())
        run.log_scores(EVALUATED)
        own = make_pipeline(FunctionTransformer(np.abs), FunctionTransformer(after_all), model)
        with pytest.warns(RunnerWarning, match="keeps no model, because .*after_all"):
            run.log_model(own, part, progress)
    found = client.get_run(run.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.metrics["holdout/accuracy"] == 0.75
    assert not found.outputs.model_outputs


def after_all(rows):
    return rows


def test_a_model_is_kept_only_when_it_is_wanted(tracker, client, learn):
    with tracker.start_run("none") as run:
        run.log_model(*learn(run.callbacks()))
    assert not client.get_run(run.run_id).outputs.model_outputs


def test_a_model_that_could_not_be_sent_is_an_artifact_later(store, client, learn, monkeypatch):
    from mlflow import MlflowClient

    def refuse(*_, **__):
        raise OSError("no space left")

    with MlflowTracker().start_run("full") as run:
        learned = learn(run.callbacks())
        monkeypatch.setattr(MlflowClient, "log_model_artifacts", refuse)
        with pytest.warns(RunnerWarning, match="no space left"):
            run.log_model(*learned)
    kept = skops.io.loads(content(client, run.run_id, "model/model.skops"))
    assert (kept.coef_ == learned[0].coef_).all()
    assert client.get_run(run.run_id).info.status == "FINISHED"


def test_a_picture_that_cannot_be_drawn_costs_nothing_else(tracker, client):
    broken = Confusion(np.array([0, 1]), np.array([["no", "numbers"]]))
    with tracker.start_run("broken") as run, pytest.warns(RunnerWarning, match=r"no plots/conf"):
        run.log_scores(Evaluated({"accuracy": 0.5}, 1, broken))
    found = client.get_run(run.run_id)
    assert (found.info.status, found.data.metrics["holdout/accuracy"]) == ("FINISHED", 0.5)


def test_a_store_that_refuses_the_params_is_told_before_the_fit(tracker, client):
    with tracker.start_run("deleted") as run:
        client.delete_run(run.run_id)
        with pytest.raises(TrackingError, match="must answer and keep"):
            run.log_params(RECIPE)
        client.restore_run(run.run_id)


def test_remarks_are_tags_by_name_and_none_replaces_another(tracker, client):
    with tracker.start_run("remarkable") as run:
        run.log_remark(Remark("inert-setting", "A does nothing."))
        run.log_remark(Remark("wild-scale", "Ask http://ann:hunter2@host."))
        run.log_remark(Remark("inert-setting", "B does nothing."))
    tags = client.get_run(run.run_id).data.tags
    assert tags["runner.remark.inert-setting"] == "A does nothing. B does nothing."
    assert tags["runner.remark.wild-scale"] == "Ask http://<redacted>@host."
    assert "- **inert-setting** B does nothing." in tags["mlflow.note.content"]


def test_counts_of_labels_are_an_artifact(tracker, client):
    with tracker.start_run("counted") as run:
        run.log_labels([{"no": 3, "yes": 1}, {False: 2, True: 2}])
    kept = json.loads(content(client, run.run_id, "dataset/labels.json"))
    assert kept == [{"no": 3, "yes": 1}, {"False": 2, "True": 2}]


def test_a_model_that_was_set_back_is_of_the_rows_it_had_learned_then(store, client, learn):
    def best(progress):
        progress.best_rows = 50

    with MlflowTracker().start_run("best") as run:
        run.log_model(*learn(run.callbacks(), best))
    found = client.get_run(run.run_id)
    (output,) = found.outputs.model_outputs
    assert output.step == 50
    assert not client.get_logged_model(output.model_id).metrics  # the curves end at a later state
    assert found.data.metrics["progress/best_rows"] == 50


def test_a_run_has_a_table_of_its_blocks_and_a_long_one_the_metrics_of_its_machine(
    store, client, learn
):
    tracker = MlflowTracker(system_metrics_after_s=0)
    with tracker.start_run("long") as run:
        run.log_params(replace(RECIPE, params={"estimator._target_": "sklearn.svm.LinearSVC"}))
        run.log_model(*learn(run.callbacks()))
    found = client.get_run(run.run_id)
    assert found.data.tags["runner.estimator"] == "LinearSVC"
    table = json.loads(content(client, run.run_id, "ledger/blocks.json"))
    assert len(table["data"]) == 4
    (listed,) = json.loads(found.data.tags["mlflow.loggedArtifacts"])
    assert listed == {"path": "ledger/blocks.json", "type": "table"}
    busy = client.get_metric_history(run.run_id, "system/process_memory_megabytes")
    assert [metric.step for metric in busy] == [50, 75, 100]
    note, model_id = (
        found.data.tags["mlflow.note.content"],
        found.outputs.model_outputs[0].model_id,
    )
    load = f'mlflow.sklearn.load_model("models:/{model_id}")'
    assert load in note
    assert load in client.get_logged_model(model_id).tags["mlflow.note.content"]


def test_a_member_of_a_sweep_has_neither_of_them(store, client, learn):
    tracker = MlflowTracker(system_metrics_after_s=0, log_model=False)
    with tracker.start_sweep("all") as sweep, tracker.start_run("one", parent=sweep) as run:
        learn(run.callbacks())
    found = client.get_run(run.run_id)
    assert not [key for key in found.data.metrics if key.startswith("system/")]
    assert "mlflow.loggedArtifacts" not in found.data.tags


def test_why_a_fit_stopped_is_a_tag(tracker, client, learn):
    with tracker.start_run("short") as run:
        learn(run.callbacks(), lambda progress: progress.stop("time is up"))
    assert client.get_run(run.run_id).data.tags["runner.stop_reason"] == "time is up"


def test_no_file_holds_a_password(project, store, learn, make_part, points):
    uri = "http://ann:hunter2@example.org"
    recipe = Recipe("a", {"tracking.uri": uri}, f"uri: {uri}\n", (f"tracking.uri={uri}",))

    def log_and_fail():
        with MlflowTracker().start_run("a", command=f"runner run a tracking.uri={uri}") as run:
            run.log_params(recipe)
            run.log_dataset("a", {"uri": uri}, {"train": make_part(*points)})
            learn(run.callbacks())
            raise OSError(f"{uri} is away")

    with pytest.raises(OSError, match="hunter2"):
        log_and_fail()
    files = [path for path in project.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert [path for path in files if b"hunter2" in path.read_bytes()] == []


@pytest.fixture
def part(make_part, points):
    return make_part(*points)


def begun(tracker, sit, part, error=None, until=5):
    """Learn some of 8 blocks, end by an error, return the run and the state after the third."""
    error = error or KeyboardInterrupt()
    with suppress(type(error)), tracker.start_run("a", command=RECIPE.command) as run:
        run.log_params(RECIPE)
        run.log_dataset("a", {"path": "rows.csv"}, {"train": part})
        run.log_remark(Remark("inert-setting", "A does nothing."))
        callbacks = run.callbacks()
        *_, state = sit(callbacks, range(3), ends=False)
        sit(run.callbacks(), range(3, until), state)
        raise error
    return run, state


def gone_on(tracker, sit, part, begun, recipe=RECIPE):
    run, state = begun
    with tracker.start_run("a", command=RECIPE.command, resumed=run.run_id) as again:
        again.log_params(recipe)
        again.log_dataset("a", {"path": "rows.csv"}, {"train": part})
        again.log_remark(Remark("inert-setting", "A does nothing."))
        again.log_remark(Remark("wild-scale", "B is wild."))
        again.log_resumed(state[1].rows)
        model, part, progress, _ = sit(again.callbacks(), range(3, 8), state)
        again.log_scores(EVALUATED)
        again.log_model(model, part, progress)
    return again, model


def curves(client, run_id):
    keys = ("progress/blocks", "train/progressive_accuracy", "validation/accuracy")
    histories = {key: client.get_metric_history(run_id, key) for key in keys}
    return {key: [(m.step, m.value) for m in history] for key, history in histories.items()}


def check_gone_on(tracker, client, sit, part):
    with tracker.start_run("whole") as whole:
        expected, *_ = sit(whole.callbacks(), range(8))
    run, state = begun(tracker, sit, part)
    killed = client.get_run(run.run_id)
    assert killed.data.tags["runner.stop_reason"] == "Ctrl-C"
    again, model = gone_on(tracker, sit, part, (run, state))
    assert again.run_id == run.run_id
    assert (model.coef_ == expected.coef_).all()
    assert curves(client, run.run_id) == curves(client, whole.run_id)
    found, straight = client.get_run(run.run_id), client.get_run(whole.run_id)
    assert found.info.status == "FINISHED"
    assert "runner.stop_reason" not in found.data.tags
    orders = [run.data.tags["runner.order_hash"] for run in (found, straight, killed)]
    assert orders[0] == orders[1] != orders[2]
    assert (found.data.tags["runner.resumed"], found.data.tags["runner.resumed_at"]) == ("1", "30")
    assert found.data.params == killed.data.params
    assert found.data.metrics["time/total_s"] > killed.data.metrics["time/total_s"]
    assert found.data.metrics["progress/rows"] == 80
    assert len(found.inputs.dataset_inputs) == 1
    (output,) = found.outputs.model_outputs
    linked = client.get_logged_model(output.model_id).metrics
    assert {m.key: m.step for m in linked}["train/progressive_accuracy"] == 80
    return found


def test_a_run_that_is_gone_on_with_has_the_curves_of_one_that_was_not_ended(
    store, client, sit, part
):
    found = check_gone_on(MlflowTracker(), client, sit, part)
    run_id, tags = found.info.run_id, found.data.tags
    assert tags["runner.remark.inert-setting"] == "A does nothing."
    assert tags["runner.remark.wild-scale"] == "B is wild."
    ledger = pq.read_table(BytesIO(content(client, run_id, "ledger/blocks.parquet")))
    assert ledger["block"].to_pylist() == list(range(8))
    assert None not in ledger["labels"].to_pylist()  # y holds integers
    report = content(client, run_id, "report.md").decode()
    assert "Resumed once, after 30 rows." in report
    assert "- **inert-setting** A does nothing.\n- **wild-scale** B is wild." in report
    assert RECIPE.command in report
    for path in ("config/config.yaml", "environment/resumed-1/environment.json"):
        assert f"- `{path}`" in report
    assert "config/resumed-1" not in report
    assert "runner resume" not in report


def test_a_run_on_a_server_is_gone_on_with(server, sit, part):
    tracker = MlflowTracker(uri=server.url)
    check_gone_on(tracker, connect(resolve(server.url)), sit, part)


def test_a_run_that_was_ended_after_its_last_block_has_every_point_once(store, client, sit, part):
    run, state = begun(MlflowTracker(), sit, part, until=8)
    before = client.get_metric_history(run.run_id, "progress/rows_per_second")
    gone_on(MlflowTracker(), sit, part, (run, state))
    after = client.get_metric_history(run.run_id, "progress/rows_per_second")
    assert [(m.step, m.value) for m in after] == [(m.step, m.value) for m in before]
    (output,) = client.get_run(run.run_id).outputs.model_outputs
    linked = {m.key: m for m in client.get_logged_model(output.model_id).metrics}
    assert linked["progress/rows_per_second"].value == before[-1].value


def test_the_files_of_the_first_sitting_stay(store, client, sit, part):
    run, state = begun(MlflowTracker(log_model=False), sit, part)
    paths = ("environment/environment.json", "config/config.yaml", "config/overrides.yaml")
    before = {path: content(client, run.run_id, path) for path in paths}
    other = replace(
        RECIPE, params={**RECIPE.params, "estimator.alpha": 5}, config="estimator: {alpha: 5}\n"
    )
    gone_on(MlflowTracker(log_model=False), sit, part, (run, state), other)
    assert {path: content(client, run.run_id, path) for path in paths} == before
    assert content(client, run.run_id, "config/resumed-1/config.yaml") == other.config.encode()
    assert client.get_run(run.run_id).data.params["estimator.alpha"] == "0.0001"


def test_a_run_that_was_interrupted_late_keeps_all_and_says_how_to_go_on(
    store, client, learn, make_part, points
):
    with suppress(KeyboardInterrupt), MlflowTracker().start_run("late") as run:
        model, part, progress = learn(run.callbacks(), lambda p: p.stop("Ctrl-C"))
        run.log_scores(EVALUATED)
        run.log_model(model, part, progress)
        raise KeyboardInterrupt
    found = client.get_run(run.run_id)
    assert (found.info.status, found.data.tags["runner.stop_reason"]) == ("KILLED", "Ctrl-C")
    check_metrics(client, found)
    assert content(client, run.run_id, "ledger/blocks.parquet")
    assert content(client, run.run_id, "plots/learning_curve.png")
    assert found.outputs.model_outputs
    report = content(client, run.run_id, "report.md").decode()
    assert f"| accuracy{GAP} | 0.75{GAP} |" in report
    assert f"runner resume {run.run_id}" in report


def test_a_member_is_gone_on_with_by_its_sweep(tracker, client):
    with (
        tracker.start_sweep("grid") as sweep,
        pytest.raises(ValueError, match="no"),
        tracker.start_run("a", parent=sweep) as run,
    ):
        raise ValueError("no")
    report = content(client, run.run_id, "report.md").decode()
    assert f"runner resume {sweep.run_id}" in report


def test_a_second_failure_is_told_and_the_first_forgotten(tracker, client, sit, part):
    run, _ = begun(tracker, sit, part, ValueError("one"))
    with suppress(ValueError), tracker.start_run("a", resumed=run.run_id) as again:
        during = client.get_run(run.run_id)
        again.log_resumed(30)
        again.log_model(SGDClassifier(), part, Progress())
        raise ValueError("other")
    assert during.info.status == "RUNNING"
    assert "runner.error" not in during.data.tags
    with suppress(KeyboardInterrupt), tracker.start_run("a", resumed=run.run_id) as third:
        third.log_resumed(40)
        raise KeyboardInterrupt
    found = client.get_run(run.run_id)
    assert found.info.status == "KILLED"
    assert not {"runner.error", "runner.model_hash"} & found.data.tags.keys()
    assert (found.data.tags["runner.resumed"], found.data.tags["runner.resumed_at"]) == (
        "2",
        "30,40",
    )
    report = content(client, run.run_id, "report.md").decode()
    assert "Resumed 2 times, after 30 and 40 rows." in report
    assert "SGDClassifier" not in report
    assert "- **inert-setting** A does nothing." in report


def test_what_runs_are_compared_by_are_tags(tracker, client, learn):
    with tracker.start_run("a") as run:
        model, part, progress = learn(run.callbacks())
        run.log_content({"train": "5f", "all": "6a"})
        run.log_model(model, part, progress)
    tags = client.get_run(run.run_id).data.tags
    assert tags["runner.model_hash"] == joblib.hash(model)
    assert (tags["runner.content.train"], tags["runner.content.all"]) == ("5f", "6a")
    kept = json.loads(content(client, run.run_id, "dataset/content.json"))
    assert kept == {"train": "5f", "all": "6a"}


def test_bad_blocks_are_a_tag_a_metric_and_a_line(tracker, client, learn):
    def spoil(progress):
        progress.bad_blocks = 2

    with tracker.start_run("a") as run:
        learn(run.callbacks(), spoil)
    found = client.get_run(run.run_id)
    assert found.data.tags["runner.bad_blocks"] == "2"
    assert found.data.metrics["progress/bad_blocks"] == 2
    report = content(client, run.run_id, "report.md").decode()
    assert "Bad blocks, passed over: 2." in report
