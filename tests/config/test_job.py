"""From a composed config to an experiment."""

import pytest
from sklearn.linear_model import SGDClassifier

import runner
from runner.config.compose import compose
from runner.config.job import build
from runner.dataset.make_classification import MakeClassification
from runner.errors import ConfigError
from runner.experiment import Experiment
from runner.tracking.memory_tracker import MemoryTracker


def test_one_config_builds_the_whole_experiment_of_plain_objects():
    experiment, recipe = build(compose("quickstart", ["tracking=none"]))
    assert isinstance(experiment, Experiment)
    assert isinstance(experiment.dataset, MakeClassification)
    assert isinstance(experiment.tracking, MemoryTracker)
    assert isinstance(experiment.estimator, SGDClassifier)
    assert experiment.estimator.random_state == 10
    assert type(experiment.partial_fit["classes"]) is list
    assert recipe.params["dataset.n_samples"] == 100


def test_an_experiment_without_a_name_is_called_after_its_file(tmp_path):
    file = tmp_path / "nameless.yaml"
    file.write_text(
        "defaults: [{override /dataset: make_blobs}, {override /estimator: gaussian_nb}]\n"
    )
    experiment, recipe = build(compose(str(file), ["tracking=none"]))
    assert experiment.name == recipe.name == "nameless"


def test_the_command_of_a_file_elsewhere_has_its_path(tmp_path):
    file = tmp_path / "elsewhere.yaml"
    file.write_text(
        "defaults: [{override /dataset: make_blobs}, {override /estimator: gaussian_nb}]\n"
    )
    _, recipe = build(compose(str(file), ["tracking=none"]))
    assert recipe.command == f"runner run {file} tracking=none"
    _, recipe = build(compose("quickstart", ["estimator.alpha=1e-3"]))
    assert recipe.command == "runner run quickstart estimator.alpha=1e-3"


def test_what_a_constructor_refuses_is_told_by_its_own_error():
    with pytest.raises(ConfigError, match=r"dataset\.holdout and dataset\.validation must leave"):
        build(compose("quickstart", ["dataset.validation=0.9"]))


def test_what_a_foreign_constructor_raises_names_the_key(tmp_path, project, monkeypatch):
    file = tmp_path / "half.yaml"
    file.write_text(
        "defaults: [{override /dataset: make_blobs}]\nestimator: {_target_: strict_rows.Strict}\n"
    )
    (project / "strict_rows.py").write_text(
        "class Strict:\n"
        "    def __init__(self):\n        raise OSError('no licence')\n"
        "    def partial_fit(self, X, y=None):\n        return self\n"
    )
    monkeypatch.setenv("RUNNER_ALLOW", "strict_rows")
    with pytest.raises(ConfigError) as caught:
        build(compose(str(file)))
    assert str(caught.value).startswith("estimator must be something that can be built; got")


def test_a_root_that_is_no_experiment_is_refused():
    with pytest.raises(ConfigError, match="got"):
        build(compose("quickstart", ["_target_=runner.stream.stream.Stream"]))


def test_the_experiment_reached_from_python_is_the_same():
    result = runner.run("quickstart", ["tracking=none", "callbacks=[]"])
    assert set(result.scores) == {"accuracy", "roc_auc"}
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        runner.nothing  # noqa: B018


def test_from_python_a_file_with_a_sweep_is_run_alone():
    swept = "sweep.grid={estimator.alpha:[1e-3,1e-4]}"
    result = runner.run("quickstart", ["tracking=none", "callbacks=[]", swept])
    alone = runner.run("quickstart", ["tracking=none", "callbacks=[]"])
    assert result.scores == alone.scores


@pytest.mark.parametrize("override", ["estimator=sgd", "fit=null", "seed=[1", "name=${nowhere}"])
def test_a_mistake_in_composing_is_an_error_of_ours_from_python_too(override):
    with pytest.raises(ConfigError):
        runner.run("quickstart", [override, "tracking=none"])


def test_a_list_is_a_tuple_where_scikit_learn_takes_nothing_else(tmp_path):
    file = tmp_path / "scaled.yaml"
    file.write_text(
        "defaults: [quickstart]\npreprocessing:\n"
        "  s: {_target_: sklearn.preprocessing.MinMaxScaler, feature_range: [0, 2]}\n"
    )
    result = runner.run(str(file), ["tracking=none", "callbacks=[]"])
    assert result.model.named_steps["s"].feature_range == (0, 2)
