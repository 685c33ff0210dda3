import json
import os
from contextlib import suppress

import mlflow
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.utils.models import _parse_model_uri
from mlflow.utils import validation

from runner.errors import ConfigError, TrackingError
from runner.records import Evaluated, Outcome, Recipe
from runner.tracking.client import connect
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.registry import check_alias, check_name, register
from runner.tracking.store import resolve
from runner.tracking.tags import member_tags


@pytest.fixture
def keep(learn):
    """Return what keeps a model and its scores in a run, and returns the run and the model."""

    def keep(uri=None, parent=None, **member):
        tags = member_tags(member["number"], member["key"], {}) if member else None
        with MlflowTracker(uri=uri).start_run(
            "kept", command="runner run kept", parent=parent, tags=tags
        ) as run:
            run.log_params(Recipe("kept", {"seed": 1}))
            model, part, progress = learn(run.callbacks())
            run.log_scores(Evaluated({"accuracy": 0.75}, 25))
            run.log_model(model, part, progress)
        return run, model

    return keep


def names(client):
    return [each.name for each in client.search_registered_models()]


def test_a_model_gets_a_name_and_is_loaded_by_its_alias(store, client, keep, points):
    run, model = keep()
    registered = register(run.run_id[:8], "digits", ["champion", "best", "champion"])
    assert (registered.version, registered.is_new, registered.moved) == (1, True, {})
    assert (registered.uri, registered.aliases) == (
        "models:/digits@champion",
        ("champion", "best"),
    )
    mlflow.set_tracking_uri(store.uri)
    try:
        loaded = mlflow.pyfunc.load_model(registered.uri)
    finally:
        mlflow.set_tracking_uri(None)
    assert loaded.predict(points[0]).tolist() == model.predict(points[0]).tolist()


def test_the_version_tells_where_it_comes_from(store, client, keep):
    run, _ = keep()
    register(run.run_id, "digits")
    version = client.get_model_version("digits", "1")
    entry = client.get_logged_model(version.source.removeprefix("models:/"))
    assert (version.run_id, entry.source_run_id) == (run.run_id, run.run_id)
    assert json.loads(entry.tags["mlflow.modelVersions"]) == [{"name": "digits", "version": 1}]
    for told in (
        run.run_id,
        "| accuracy | 0.75 |",
        "runner run kept",
        'load_model("models:/digits/1")',
        f"runner register {run.run_id[:8]} digits",
    ):
        assert told in version.description
    kept = client.get_run(run.run_id).data.tags
    assert version.tags["runner.model_hash"] == kept["runner.model_hash"]
    assert version.tags["runner.score.accuracy"] == "0.75"


def test_the_same_model_makes_no_second_version(store, client, keep):
    run, _ = keep()
    register(run.run_id, "digits")
    again = register(run.run_id, "digits", ["champion"])
    assert (again.version, again.is_new) == (1, False)
    assert len(client.search_model_versions("name = 'digits'")) == 1
    assert client.get_model_version_by_alias("digits", "champion").version == 1
    assert register(run.run_id, "others").version == 1
    entry = client.get_logged_model(again.model.removeprefix("models:/"))
    assert [each["name"] for each in json.loads(entry.tags["mlflow.modelVersions"])] == [
        "digits",
        "others",
    ]


def test_a_better_model_takes_the_alias(store, client, keep):
    for _ in range(2):
        run, _ = keep()
        registered = register(run.run_id, "digits", ["champion"])
    assert (registered.version, registered.moved) == (2, {"champion": 1})
    assert client.get_model_version_by_alias("digits", "champion").run_id == run.run_id


def test_a_sweep_stands_for_its_best_member(store, client, keep):
    with MlflowTracker().start_sweep("grid", command="runner run grid") as sweep:
        sweep.log_sweep(Recipe("grid", {"seed": 1}, config="seed: 1\n"), {})
        outcomes = []
        for number, score in enumerate((0.5, 0.75)):
            run, _ = keep(parent=sweep, number=number, key=f"k{number}")
            known = {"number": number, "name": f"m{number}", "key": f"k{number}"}
            scores = {"accuracy": score}
            outcomes.append(Outcome(**known, scores=scores, status="FINISHED", run_id=run.run_id))
        with pytest.raises(TrackingError, match=r"must have ended.*status RUNNING"):
            register(sweep.run_id, "digits")
        sweep.log_leaderboard(outcomes, final=True)
    registered = register(sweep.run_id, "digits")
    assert (registered.run_id, registered.sweep) == (outcomes[1].run_id, sweep.run_id)


def test_a_sweep_without_a_best_member_is_told(store, client):
    with MlflowTracker().start_sweep("grid") as sweep:
        sweep.log_sweep(Recipe("grid", {"seed": 1}, config="seed: 1\n"), {})
    with pytest.raises(TrackingError, match="with a best member; got none"):
        register(sweep.run_id, "digits")
    assert names(client) == []


def test_a_run_without_a_model_is_told_before_anything_is_written(store, client):
    with MlflowTracker(log_model=False).start_run("bare") as bare:
        pass
    with suppress(ValueError), MlflowTracker().start_run("failed") as failed:
        raise ValueError("no")
    with pytest.raises(TrackingError, match=r"keep a model.*FINISHED.*tracking.log_model=true"):
        register(bare.run_id, "digits")
    with pytest.raises(TrackingError, match=r"keep a model.*FAILED.*runner resume"):
        register(failed.run_id, "digits")
    with (
        MlflowTracker().start_run("running") as running,
        pytest.raises(TrackingError, match=r"have ended; got the status RUNNING"),
    ):
        register(running.run_id, "digits")
    with pytest.raises(TrackingError, match="See `runner runs`"):
        register("abcdef", "digits")
    assert names(client) == []


def test_an_entry_that_is_not_whole_is_no_model(store, client, keep):
    run, _ = keep()
    (output,) = client.get_run(run.run_id).outputs.model_outputs
    client.finalize_logged_model(output.model_id, "FAILED")
    with pytest.raises(TrackingError, match="keep a model"):
        register(run.run_id, "digits")


def test_the_own_tracking_store_of_a_program_stays(store, keep, monkeypatch):
    run, _ = keep()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////elsewhere/mlflow.db")
    register(run.run_id, "digits", uri=store.uri)
    assert os.environ["MLFLOW_TRACKING_URI"] == "sqlite:////elsewhere/mlflow.db"
    assert mlflow.get_tracking_uri() == "sqlite:////elsewhere/mlflow.db"


def test_a_server_registers_too(server, keep):
    run, _ = keep(server.url)
    assert register(run.run_id, "served", ["champion"], server.url).is_new
    assert not register(run.run_id, "served", uri=server.url).is_new
    version = connect(resolve(server.url)).get_model_version_by_alias("served", "champion")
    assert version.run_id == run.run_id


@given(st.text(st.sampled_from("ab.:/@? \n~#%é'\"\\"), max_size=6) | st.text(max_size=300))
@example("..")
@example(".")
@example("")
@example("a" * 257)
def test_a_name_is_taken_only_if_mlflow_takes_it_and_an_address_holds_it(name):
    try:
        check_name(name)
    except ConfigError as error:
        check_name(error.parts[3].removeprefix("Write ").removesuffix(".")[1:-1])
        return
    validation._validate_model_name(name)
    for alias, version in (("champion", None), (None, "1")):
        uri = f"models:/{name}@{alias}" if alias else f"models:/{name}/{version}"
        parsed = _parse_model_uri(uri)
        assert (parsed.name, parsed.alias, parsed.version) == (name, alias, version)


@given(st.text(st.sampled_from("av1_-é. \n"), max_size=4) | st.text(max_size=260))
@example("Latest")
@example("V12")
@example("a\n")
def test_an_alias_is_taken_only_if_mlflow_takes_it(alias):
    try:
        check_alias(alias)
    except ConfigError:
        if not alias.endswith("\n"):  # which MLflow's own pattern lets through
            with pytest.raises(MlflowException):
                taken(alias)
    else:
        taken(alias)


def taken(alias):
    validation._validate_model_alias_name(alias)
    validation._validate_model_alias_name_reserved(alias)
