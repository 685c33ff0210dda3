import pytest
from omegaconf import OmegaConf

from runner.cluster.local import LocalCluster
from runner.cluster.none import NoCluster
from runner.config.compose import compose
from runner.config.job import build
from runner.config.rebuilt import (
    Difference,
    check_hidden,
    differences,
    given,
    move,
    rebuilt,
)
from runner.errors import ConfigError
from runner.project import experiment_files

SMALL = "tracking=none"


def kept(name="quickstart", *overrides):
    return build(compose(name, [SMALL, *overrides]))[1]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return the file of an experiment in a project of its own."""
    file = tmp_path / "experiments" / "mine.yaml"
    file.parent.mkdir()
    file.write_text(
        "defaults: [{override /dataset: make_classification}, {override /estimator: perceptron}]\n"
        "dataset: {n_samples: 60, chunks: 20}\n"
        "estimator: {alpha: 0.001}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RUNNER_PROJECT", raising=False)
    return file


@pytest.mark.parametrize("name", sorted(experiment_files()))
def test_what_a_run_keeps_is_the_config_that_was_composed(name):
    composed = compose(name, [SMALL])
    again = rebuilt(OmegaConf.to_yaml(composed.config))
    assert OmegaConf.to_container(again.config, resolve=False) == OmegaConf.to_container(
        composed.config, resolve=False
    )


def test_what_only_a_record_names_is_not_read_from_the_environment(monkeypatch, project):
    monkeypatch.setenv("SOME_TOKEN", "hidden")
    recipe = kept("quickstart", "name=${oc.env:SOME_TOKEN}")
    with pytest.raises(ConfigError, match="environment variable SOME_TOKEN must be named in a"):
        rebuilt(recipe.config)
    again = "name=${oc.env:SOME_TOKEN}"
    check_hidden(recipe.config, [again])
    assert rebuilt(recipe.config, [again]).config.name == "hidden"
    assert rebuilt(recipe.config, ["name=other"]).config.name == "other"


def test_what_a_run_left_out_stays_out():
    recipe = kept("quickstart", "callbacks=[]", "~fit.max_classes")
    config = rebuilt(recipe.config, ["seed=3"]).config
    assert config.callbacks == {}
    assert "max_classes" not in config.fit


def test_the_experiment_is_built_as_it_was():
    recipe = kept("quickstart", "estimator.alpha=0.5", "seed=3")
    experiment, again = build(rebuilt(recipe.config))
    assert (experiment.estimator.alpha, experiment.estimator.random_state) == (0.5, 3)
    assert experiment.name == "quickstart"
    assert again.params == recipe.params


def test_a_value_of_the_environment_is_read_anew(monkeypatch, project):
    monkeypatch.setenv("NAME_OF_TODAY", "monday")
    project.write_text(project.read_text() + "name: ${oc.env:NAME_OF_TODAY}\n")
    recipe = kept("mine")
    monkeypatch.setenv("NAME_OF_TODAY", "tuesday")
    assert build(rebuilt(recipe.config))[0].name == "tuesday"


def test_keys_are_changed_as_on_the_command_line():
    asked = ["seed=7", "estimator.alpha=1e-2", "dataset.chunks=10", "~callbacks.progress_bar"]
    composed = rebuilt(kept().config, asked)
    assert (composed.config.seed, composed.config.estimator.alpha) == (7, 0.01)
    assert composed.config.dataset.random_state == 7
    assert "progress_bar" not in composed.config.callbacks
    assert composed.overrides == tuple(asked)


def test_another_option_takes_the_place_of_a_section():
    asked = ["estimator.eta0=0.5", "estimator=perceptron", "callbacks=[time_limit]"]
    config = rebuilt(kept("quickstart", "estimator.loss=hinge").config, asked).config
    assert config.estimator._target_.endswith("Perceptron")
    assert config.estimator.eta0 == 0.5
    assert "loss" not in config.estimator
    assert list(config.callbacks) == ["time_limit"]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("seed=1,2", "seed must have one value"),
        ("sed=1", "sed"),
        ("estimator=percepton", "Did you mean 'perceptron'"),
        ("seed=[", "The command line"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(override, told):
    with pytest.raises(ConfigError, match=told.replace("[", r"\[")):
        rebuilt(kept().config, [override])


def with_secret(text):
    config = OmegaConf.create(text)
    OmegaConf.update(config, "tracking.tags.api_key", "<redacted>", force_add=True)
    return OmegaConf.to_yaml(config)


def test_a_secret_must_be_given_again():
    with pytest.raises(ConfigError, match=r"tracking\.tags\.api_key must be given again"):
        rebuilt(with_secret(kept().config))


def test_a_secret_that_is_given_again_is_taken():
    config = rebuilt(with_secret(kept().config), ["tracking.tags.api_key=1234"]).config
    assert config.tracking.tags.api_key == 1234


def test_what_is_no_config_of_a_run_is_refused():
    for text in ("", "- 1", "seed: 3"):
        with pytest.raises(ConfigError, match="have a dataset and an estimator"):
            rebuilt(text)
    with pytest.raises(ConfigError, match="be valid YAML"):
        rebuilt("a: [")


def test_a_sweep_and_hydras_node_are_no_part_of_it():
    text = kept().config + "sweep: {grid: {seed: [1, 2]}}\nhydra: {job: {name: x}}\n"
    assert {"sweep", "hydra"}.isdisjoint(rebuilt(text).config)


def test_differences_are_told_by_key():
    recorded = {"seed": 1, "fit": {"epochs": 2, "old": None}, "same": [1, {"a": 2}]}
    now = {"seed": 1, "fit": {"epochs": 3}, "same": [1, {"a": 2}], "new": "x"}
    assert differences(recorded, now, "a.yaml") == [
        Difference("fit.epochs", "2", "3", "a.yaml"),
        Difference("fit.old", "null", "nothing", "a.yaml"),
        Difference("new", "nothing", '"x"', "a.yaml"),
    ]
    assert differences(now, now) == []


def test_what_only_follows_from_a_change_is_not_told():
    text = kept("quickstart").config
    changed = given(text, rebuilt(text, ["seed=7"]))
    assert [str(each) for each in changed] == [
        "seed: 10 was recorded, the command line now says 7"
    ]
    assert given(text, rebuilt(text)) == []


GONE = ("cluster=address", "cluster.address=tcp://127.0.0.1:9")
NOWHERE = {"_target_": "runner.cluster.none.NoCluster"}


def test_the_cluster_of_a_run_is_kept_or_left_out_or_changed():
    text = kept("quickstart", *GONE).config
    assert rebuilt(text).config.cluster.address == "tcp://127.0.0.1:9"
    assert rebuilt(text, is_here=True).config.cluster == NOWHERE
    assert rebuilt(text, ["cluster=none"]).config.cluster == NOWHERE
    changed = rebuilt(text, ["cluster.address=tcp://127.0.0.1:8"]).config.cluster
    assert changed.address == "tcp://127.0.0.1:8"
    chosen = rebuilt(text, ["cluster=local", "cluster.n_workers=2"], is_here=True).config.cluster
    assert (chosen["_target_"], chosen.n_workers) == ("runner.cluster.local.LocalCluster", 2)


def test_a_record_from_before_there_were_clusters_is_one_of_this_process():
    recorded = OmegaConf.create(kept().config)
    del recorded["cluster"]
    text = OmegaConf.to_yaml(recorded)
    assert build(rebuilt(text))[0].cluster == NoCluster()
    assert build(rebuilt(text, ["cluster=local"]))[0].cluster == LocalCluster()


def test_a_run_may_go_on_elsewhere_and_nothing_else_may_change():
    text = kept().config
    check_hidden(text, [*GONE, "+cluster.patience_s=3"])
    with pytest.raises(
        ConfigError, match=r"fit\.epochs must stay as it is.*may change is the clu"
    ):
        check_hidden(text, ["cluster=none", "fit.epochs=3"])


def test_all_members_move_to_the_same_cluster():
    configs = [OmegaConf.create({"seed": 1}), compose("quickstart", [SMALL, *GONE]).config]
    move(configs, [])
    assert "cluster" not in configs[0]
    move(configs, ["cluster.patience_s=3"])
    assert [config.cluster.patience_s for config in configs] == [3, 3]
    move(configs, ["cluster=none"])
    assert [config.cluster for config in configs] == [NOWHERE] * 2
