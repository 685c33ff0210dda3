import shutil

import pytest

from runner.records import Evaluated
from runner.tracking.client import connect
from runner.tracking.copied_model import COPIED_FROM, copy_models
from runner.tracking.copied_view import renamed
from runner.tracking.loading import load_model
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import find_run
from runner.tracking.store import resolve

OTHER = "sqlite:///other.db"


@pytest.fixture
def other(project, schema):
    shutil.copy(schema, project / "other.db")
    return connect(resolve(OTHER))


@pytest.fixture
def learned(store, client, learn, make_part, points):
    """Return a run that keeps a model with its scores on a dataset, and the model."""
    with MlflowTracker().start_run("a") as run:
        run.log_dataset("rows", {"path": "rows.csv"}, {"train": make_part(*points)})
        model, part, progress = learn(run.callbacks())
        run.log_scores(Evaluated({"accuracy": 0.75}, n_rows=20))
        run.log_model(model, part, progress)
    return client.get_run(run.run_id), model


@pytest.fixture
def copied(other):
    """Return a run of the other store that is to get the model."""
    return other.create_run(other.create_experiment("copied")).info


def models(client, info):
    return list(client.search_logged_models([info.experiment_id]))


def scores(entry):
    return {(m.key, m.value, m.step, m.dataset_name, m.dataset_digest) for m in entry.metrics}


def test_a_model_is_copied_with_its_scores_and_links(client, other, learned, copied):
    run, model = learned
    names = copy_models(client, other, run, copied, {run.info.run_id: copied.run_id})
    (output,) = other.get_run(copied.run_id).outputs.model_outputs
    (before,) = run.outputs.model_outputs
    old, new = client.get_logged_model(before.model_id), other.get_logged_model(output.model_id)
    assert (new.status, output.step) == ("READY", before.step)
    assert (new.name, new.model_type, new.params) == (old.name, old.model_type, old.params)
    assert new.source_run_id == copied.run_id
    assert scores(new) == scores(old)
    assert new.tags[COPIED_FROM] == old.model_id
    assert names == {old.model_id: new.model_id}
    told = [each.tags["mlflow.note.content"] for each in (old, new)]
    assert told[1] == renamed(told[0], {**names, run.info.run_id: copied.run_id}) != told[0]
    loaded = load_model(find_run(copied.run_id, OTHER), OTHER)
    assert (loaded.model.coef_ == model.coef_).all()
    assert loaded.uri == f"models:/{new.model_id}"


def test_the_files_of_a_copy_tell_its_own_ids(client, other, learned, copied):
    from mlflow.artifacts import download_artifacts
    from mlflow.models import Model

    run, _ = learned
    copy_models(client, other, run, copied, {})
    (entry,) = models(other, copied)
    described = Model.load(
        download_artifacts(artifact_uri=entry.artifact_location, tracking_uri=other.tracking_uri)
    )
    assert (described.run_id, described.model_id) == (copied.run_id, entry.model_id)
    old = client.get_logged_model(run.outputs.model_outputs[0].model_id)
    before = Model.load(download_artifacts(artifact_uri=old.artifact_location))
    assert described.signature == before.signature
    assert described.flavors == before.flavors


@pytest.mark.parametrize(
    "interrupted", ["log_model_artifacts", "log_batch", "finalize_logged_model", "log_outputs"]
)
def test_what_was_interrupted_is_completed_and_not_doubled(
    client, other, learned, copied, interrupted
):
    run, _ = learned

    class Interrupted:
        """The call arrives, and its answer does not."""

        def __getattr__(self, name):
            def call(*arguments, **options):
                answer = getattr(other, name)(*arguments, **options)
                if name == interrupted:
                    raise KeyboardInterrupt
                return answer

            return call

    with pytest.raises(KeyboardInterrupt):
        copy_models(client, Interrupted(), run, copied, {})
    for _ in range(2):
        copy_models(client, other, run, copied, {})
    (entry,) = models(other, copied)
    assert entry.status == "READY"
    assert len(other.get_run(copied.run_id).outputs.model_outputs) == 1
    whole = other.get_logged_model(entry.model_id)
    old = client.get_logged_model(run.outputs.model_outputs[0].model_id)
    assert scores(whole) == scores(old)
    assert len(whole.metrics) == len(old.metrics)


def test_a_server_without_models_of_their_own_gets_the_files(client, other, learned, copied):
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import ENDPOINT_NOT_FOUND

    run, model = learned

    class Old:
        def __getattr__(self, name):
            if "logged_model" in name:
                raise MlflowException("no such page", error_code=ENDPOINT_NOT_FOUND)
            return getattr(other, name)

    copy_models(client, Old(), run, copied, {})
    loaded = load_model(find_run(copied.run_id, OTHER), OTHER)
    assert (loaded.model.coef_ == model.coef_).all()
    assert loaded.uri == f"runs:/{copied.run_id}/model/model.skops"


def test_another_refusal_is_raised(client, other, learned, copied):
    from mlflow.exceptions import MlflowException

    class Full:
        def __getattr__(self, name):
            raise MlflowException("no space left")

    with pytest.raises(MlflowException, match="no space left"):
        copy_models(client, Full(), learned[0], copied, {})


def test_a_model_that_was_not_kept_whole_is_left_out(client, other, store, run_id, copied):
    from mlflow.entities import LoggedModelOutput

    experiment = client.get_run(run_id).info.experiment_id
    pending = client.create_logged_model(experiment, name="half", source_run_id=run_id)
    client.log_outputs(run_id, [LoggedModelOutput(pending.model_id, 0)])
    copy_models(client, other, client.get_run(run_id), copied, {})
    assert models(other, copied) == []
