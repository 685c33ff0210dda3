import json
import pickle
import re
from functools import partial
from pathlib import Path
from urllib.parse import urlparse
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from runner.errors import TrackingError
from runner.records import Recipe
from runner.tracking import loading
from runner.tracking.loading import load_model, read_skops
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import find_run, kept_config
from runner.tracking.tags import BEST_RUN


def by_hand(rows):
    return rows


@pytest.fixture
def keep(learn):
    """Return what keeps a model in a run, and returns the run and the model."""

    def keep(tracker=None, uri=None):
        tracker = tracker or MlflowTracker(uri=uri)
        with tracker.start_run("kept") as run:
            run.log_params(Recipe("kept", {"seed": 1}, config="seed: 1\n"))
            model, part, progress = learn(run.callbacks())
            run.log_model(model, part, progress)
        return run, model

    return keep


def test_the_model_of_a_run_is_read_back_bit_for_bit(store, keep):
    run, model = keep()
    kept = load_model(find_run(run.run_id))
    assert kept.model.coef_.tobytes() == model.coef_.tobytes()
    assert kept.uri.startswith("models:/m-")
    assert kept.feature_names is None


def test_the_names_of_the_features_come_along(store, learn):
    from dataclasses import replace

    names = tuple(f"x{i}" for i in range(20))
    with MlflowTracker().start_run("named") as run:
        model, part, progress = learn(run.callbacks())
        run.log_model(model, replace(part, feature_names=names), progress)
    assert load_model(find_run(run.run_id)).feature_names == names


def test_a_server_gives_the_model_too(server, keep):
    run, model = keep(uri=server.url)
    kept = load_model(find_run(run.run_id, server.url), server.url)
    assert kept.model.coef_.tobytes() == model.coef_.tobytes()
    assert kept_config(find_run(run.run_id, server.url), server.url) == "seed: 1\n"


def test_a_model_that_is_only_a_file_of_the_run_is_read_too(store, client, keep, tmp_path, points):
    run, _ = keep(MlflowTracker(log_model=False))
    model = GaussianNB().fit(*points)
    skops.io.dump(model, tmp_path / "model.skops")
    client.log_artifact(run.run_id, str(tmp_path / "model.skops"), "model")
    kept = load_model(find_run(run.run_id))
    assert kept.model.theta_.tobytes() == model.theta_.tobytes()
    assert kept.uri == f"runs:/{run.run_id}/model/model.skops"


def test_an_entry_that_is_not_whole_counts_as_none(store, client, keep):
    from mlflow.entities import LoggedModelOutput

    run, _ = keep(MlflowTracker(log_model=False))
    recorded = find_run(run.run_id)
    logged = client.create_logged_model(
        recorded.experiment_id, name="half", source_run_id=run.run_id
    )
    client.log_outputs(run.run_id, [LoggedModelOutput(logged.model_id, 10)])
    with pytest.raises(TrackingError, match="must keep a model; got none, and the status FINISH"):
        load_model(recorded)


def test_a_run_without_a_model_is_told(store):
    with pytest.raises(ValueError, match="no"), MlflowTracker().start_run("failed") as run:
        raise ValueError("no")
    with pytest.raises(TrackingError, match=r"must keep a model; got none, and the status FAILED"):
        load_model(find_run(run.run_id))


def test_of_a_sweep_the_best_member_is_named(store, client):
    with MlflowTracker(log_model=False).start_sweep("grid") as sweep:
        pass
    client.set_tag(sweep.run_id, BEST_RUN, "5f2a")
    with pytest.raises(TrackingError, match=r"got the sweep 'grid'.*best member, 5f2a"):
        load_model(find_run(sweep.run_id))


def test_a_pickle_is_never_loaded(store, client, keep):
    run, _ = keep()
    entry = client.get_logged_model(client.get_run(run.run_id).outputs.model_outputs[0].model_id)
    description = Path(urlparse(entry.artifact_location).path) / "MLmodel"
    text = description.read_text()
    description.write_text(
        text.replace("serialization_format: skops", "serialization_format: pickle")
    )
    with pytest.raises(TrackingError, match=r"be kept in skops' format, .* got pickle"):
        load_model(find_run(run.run_id))


def test_what_a_record_calls_trusted_is_trusted_only_of_known_libraries(tmp_path, points):
    model = make_pipeline(FunctionTransformer(by_hand), SGDClassifier()).fit(*points)
    file = tmp_path / "model.skops"
    skops.io.dump(model, file)
    declared = skops.io.get_untrusted_types(file=file)
    assert any(name.endswith("by_hand") for name in declared)
    for trusted in (declared, None):
        with pytest.raises(TrackingError, match=r"hold only types of .*; got .*by_hand"):
            read_skops(file, trusted)


def test_types_that_the_record_does_not_declare_are_refused(tmp_path, points):
    model = MLPClassifier((3,)).partial_fit(*points, classes=[0, 1])
    file = tmp_path / "model.skops"
    skops.io.dump(model, file)
    assert skops.io.get_untrusted_types(file=file)
    with pytest.raises(TrackingError, match="as its MLmodel file declares them; got sklearn"):
        read_skops(file, [])
    assert np.array_equal(read_skops(file).coefs_[0], model.coefs_[0])


def test_a_file_that_is_no_model_is_told(tmp_path):
    (tmp_path / "model.skops").write_bytes(b"no zip")
    with pytest.raises(TrackingError, match="readable by the skops and scikit-learn that are ins"):
        read_skops(tmp_path / "model.skops")


def rewritten(file, change, extra=()):
    """Write a skops file again, with its schema changed as text and more entries."""
    with ZipFile(file) as opened:
        entries = {name: opened.read(name) for name in opened.namelist()}
    entries["schema.json"] = change(entries["schema.json"].decode()).encode()
    with ZipFile(file, "w", ZIP_DEFLATED) as opened:
        for name, content in {**entries, **dict(extra)}.items():
            opened.writestr(name, content)
    return file


@pytest.fixture
def learned(tmp_path, points):
    """Return the file of a model with a random generator in it."""
    file = tmp_path / "model.skops"
    skops.io.dump(MLPClassifier((3,), random_state=0).partial_fit(*points, classes=[0, 1]), file)
    return file


def test_a_pickle_under_the_name_of_a_model_is_refused_and_runs_nothing(tmp_path):
    flag = tmp_path / "ran"

    class Canary:
        def __reduce__(self):
            return exec, (f"open({str(flag)!r}, 'w').close()",)

    (tmp_path / "model.skops").write_bytes(pickle.dumps(Canary()))
    with pytest.raises(TrackingError, match="be readable by the skops"):
        read_skops(tmp_path / "model.skops")
    assert not flag.exists()


def test_a_bomb_is_refused_before_it_is_unpacked(learned, monkeypatch):
    monkeypatch.setattr(loading, "MOST_BYTES", 10_000_000)
    file = rewritten(learned, str, [("bomb.npy", bytes(20_000_000))])
    assert file.stat().st_size < 1_000_000
    with pytest.raises(TrackingError, match="take at most 10,000,000 bytes; got 20"):
        read_skops(file)


def test_an_entry_that_is_read_many_times_counts_each_time(learned, monkeypatch):
    monkeypatch.setattr(loading, "MOST_BYTES", 10_000_000)
    twenty = ", ".join(['{"file": "big.npy"}'] * 20)
    change = partial(re.sub, r"^\{", f'{{"more": [{twenty}],')
    with pytest.raises(TrackingError, match="take at most 10,000,000 bytes; got 20"):
        read_skops(rewritten(learned, change, [("big.npy", bytes(1_000_000))]))


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside"])
def test_an_entry_that_climbs_out_is_refused(learned, tmp_path, name):
    with pytest.raises(TrackingError, match=r"hold files of its own alone; got '.*outside'"):
        read_skops(rewritten(learned, str, [(name, b"x")]))
    assert not list(tmp_path.parent.glob("outside"))


@pytest.mark.parametrize("position", ["625", "-1", "1000000000", "1.5", "[]"])
def test_a_generator_that_would_read_beyond_its_memory_is_refused(learned, position):
    def change(schema):
        tree = json.loads(schema)
        state = tree["content"]["content"]["_random_state"]["content"]["content"]["state"]
        state["content"]["pos"]["content"] = position
        return json.dumps(tree)

    assert read_skops(learned)._random_state.random_sample() >= 0
    with pytest.raises(TrackingError, match="have random generators at a position up to 624"):
        read_skops(rewritten(learned, change))


def test_a_generator_whose_state_is_no_mapping_is_refused(learned):
    def change(schema):
        tree = json.loads(schema)
        tree["content"]["content"]["_random_state"]["content"]["__loader__"] = "TupleNode"
        return json.dumps(tree)

    with pytest.raises(TrackingError, match="have random generators as NumPy writes them"):
        read_skops(rewritten(learned, change))


def test_a_schema_nested_without_end_is_told(learned):
    with pytest.raises(TrackingError, match="be readable by the skops"):
        read_skops(rewritten(learned, lambda _: "[" * 1_000_000))


@pytest.mark.parametrize(
    "module", ["os", "subprocess", "sklearn.utils._testing", "sklearn.conftest"]
)
def test_a_class_of_another_module_under_the_name_of_one_of_ours_is_refused(learned, module):
    change = partial(re.sub, r"sklearn\.neural_network\._multilayer_perceptron", module)
    with pytest.raises(TrackingError):
        read_skops(rewritten(learned, change))
