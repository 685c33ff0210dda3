import os

import pytest
from omegaconf import OmegaConf

from runner.cluster.local import LocalCluster
from runner.cluster.none import NoCluster
from runner.config.compose import compose
from runner.config.job import build
from runner.config.recorded import recomposed, settings
from runner.dataset.csv import Csv
from runner.dataset.make_classification import MakeClassification
from runner.dataset.npy import Npy
from runner.dataset.parquet import Parquet
from runner.errors import ConfigError


@pytest.fixture
def kept():
    """Return what makes the YAML that a run of the quickstart keeps."""

    def kept(*overrides):
        return build(compose("quickstart", ["tracking=none", *overrides]))[1].config

    return kept


def table(**more):
    return [
        *("dataset=parquet", "dataset.path=old.parquet", "dataset.target=sold"),
        *(f"dataset.{key}={value}" for key, value in more.items()),
    ]


@pytest.fixture
def kept_table(tmp_path):
    """Return what makes the YAML of a run that learned from Parquet."""

    def kept_table(**more):
        file = tmp_path / "table.yaml"
        file.write_text(
            "defaults: [{override /dataset: parquet}, {override /estimator: gaussian_nb}]\n"
        )
        return build(compose(str(file), ["tracking=none", *table(**more)]))[1].config

    return kept_table


def test_without_changes_the_dataset_is_that_of_the_run(kept):
    experiment, recipe = recomposed(kept("estimator.alpha=1e-05", "stream.prefetch=5"))
    assert isinstance(experiment.dataset, MakeClassification)
    assert experiment.dataset.n_samples == 100
    assert experiment.dataset.random_state == 10
    assert experiment.estimator.alpha == 1e-05
    assert experiment.stream.prefetch == 5
    assert recipe.params["dataset.n_samples"] == 100


def test_one_key_of_the_dataset_is_changed(kept_table):
    experiment, _ = recomposed(kept_table(chunks=7), ["dataset.path=new.parquet"])
    assert experiment.dataset.path == "new.parquet"
    assert (experiment.dataset.chunks, experiment.dataset.target) == (7, "sold")


def test_another_option_takes_the_place_of_the_section(kept):
    experiment, _ = recomposed(kept(), ["dataset=csv", "dataset.path=new.csv"])
    assert isinstance(experiment.dataset, Csv)
    assert experiment.dataset.chunks == "auto"
    assert experiment.dataset.target is None


def test_what_was_the_target_is_known_to_a_new_option(kept_table):
    experiment, _ = recomposed(kept_table(), ["dataset=csv", "dataset.path=new.csv"])
    assert experiment.dataset.target == "sold"


def test_rows_stay_frames_where_the_model_learned_frames(kept_table):
    asked = ["dataset=csv", "dataset.path=new.csv"]
    assert recomposed(kept_table(as_frame="true"), asked)[0].dataset.as_frame is True
    assert recomposed(kept_table(), asked)[0].dataset.as_frame is None


def test_an_array_that_is_not_needed_need_not_be_named(kept):
    experiment, _ = recomposed(kept(), ["dataset=npy", "dataset.X=new.npy"])
    assert isinstance(experiment.dataset, Npy)
    assert experiment.dataset.y is None


@pytest.mark.parametrize("text", ["estimator.alpha=1", "fit=default", "tracking.uri=x", "~fit"])
def test_what_was_learned_with_cannot_be_changed(kept, text):
    named = "must be a setting of the dataset, the stream or the cluster"
    with pytest.raises(ConfigError, match=named):
        recomposed(kept(), [text])


def test_the_cluster_of_the_run_is_not_that_of_its_predictions(kept):
    recorded = kept("cluster=address", "cluster.address=tcp://127.0.0.1:9")
    assert isinstance(recomposed(recorded)[0].cluster, NoCluster)
    experiment, _ = recomposed(recorded, ["cluster=local", "cluster.n_workers=3"])
    assert experiment.cluster == LocalCluster(n_workers=3)
    with pytest.raises(ConfigError, match=r"cluster.*n_workers"):
        recomposed(recorded, ["cluster.n_workers=3"])


def test_a_record_from_before_there_were_clusters_is_read(kept):
    recorded = OmegaConf.create(kept())
    del recorded["cluster"]
    assert isinstance(recomposed(OmegaConf.to_yaml(recorded))[0].cluster, NoCluster)


def test_a_secret_that_the_record_hides_must_be_given_again(kept_table, project):
    hidden = kept_table().replace("old.parquet", "s3://<redacted>@bucket/old.parquet")
    with pytest.raises(ConfigError, match=r"dataset\.path must be given again"):
        recomposed(hidden)
    experiment, _ = recomposed(hidden, ["dataset.path=new.parquet"])
    assert isinstance(experiment.dataset, Parquet)


@pytest.mark.parametrize("text", ["[1, 2]", "a: 1", "dataset: null"])
def test_a_config_of_something_else_is_refused(text):
    with pytest.raises(ConfigError, match="must have a dataset; got none"):
        recomposed(text)


def test_a_strangers_record_builds_nothing_that_is_not_allowed(kept, project):
    hostile = kept().replace("runner.dataset.make_classification.MakeClassification", "os.system")
    with pytest.raises(ConfigError, match=r"dataset\._target_:? must name something of runner"):
        recomposed(hostile)
    recomposed(kept() + "hydra: {run: {dir: canary}, job: {env_set: {CANARY: '1'}}}\n")
    assert "CANARY" not in os.environ
    assert list(project.iterdir()) == []


def test_settings_are_read_as_hydra_reads_them():
    found, rest = settings(
        ["columns=[id,'a b']", "output=some/folder", "probabilities=false", "x.y=1"],
        *("columns", "output", "probabilities"),
    )
    assert found == {"columns": ["id", "a b"], "output": "some/folder", "probabilities": False}
    assert rest == ["x.y=1"]


def test_a_setting_that_is_misspelt_names_the_nearest():
    with pytest.raises(ConfigError) as caught:
        settings(["run", "ouput=3", "dataset.chunks=2"], "output", "columns")
    assert str(caught.value) == (
        "The setting must be output or columns, or one of the dataset, the stream or the cluster; "
        "got 'ouput=3'. Did you mean 'output'?"
    )
    with pytest.raises(ConfigError, match="Did you mean 'cluster'"):
        settings(["clustr=local"], "output", "columns")


@pytest.mark.parametrize("text", ["estimator=output", "dataset=x", "seed=3", "out.put=3", "ouput"])
def test_what_only_looks_like_a_setting_is_left_to_others(text):
    assert settings([text], "output", "columns") == ({}, [text])


def test_a_setting_that_cannot_be_read_is_told():
    with pytest.raises(ConfigError):
        settings(["columns=[id"], "columns")
