"""From a name or a path to a composed config."""

import pytest
from hydra.errors import MissingConfigException

from runner.config.compose import compose, flags_first, opened, parted, selected
from runner.errors import ConfigError
from runner.project import experiment_files


def composed(name, *overrides):
    return parted(compose(name, overrides))[0]


def test_an_experiment_is_found_by_name_and_composed_at_the_root():
    config = composed("quickstart")
    assert config.name == "quickstart"
    assert config.dataset.n_samples == 100
    assert config.estimator.random_state == config.seed == 10


def test_a_misspelt_name_is_told_with_the_nearest():
    with pytest.raises(ConfigError) as caught, selected("quikstart"):
        pass
    assert str(caught.value) == (
        "The experiment must be one of those there are; got quikstart. Did you mean 'quickstart'?"
    )


def test_a_file_that_is_not_there_is_told():
    with (
        pytest.raises(ConfigError, match=r"The experiment's file must exist; got no/such\.yaml"),
        selected("no/such.yaml"),
    ):
        pass


def test_a_file_by_another_ending_is_told_how_to_call_it(tmp_path):
    file = tmp_path / "mine.yml"
    file.write_text("seed: 1\n")
    with (
        pytest.raises(ConfigError, match=r"Call it mine\.yaml\."),
        selected(str(file)),
    ):
        pass


@pytest.mark.parametrize("name", ["my file, (1)", "it's", "a=b", "größe", "x-1"])
def test_a_file_may_have_any_name(tmp_path, name):
    file = tmp_path / f"{name}.yaml"
    file.write_text("seed: 7\n")
    config = composed(str(file))
    assert (config.name, config.seed) == (name, 7)


def test_a_file_once_run_hides_nothing_later(tmp_path):
    file = tmp_path / "quickstart.yaml"
    file.write_text("seed: 99\n")
    assert composed(str(file)).seed == 99
    assert composed("quickstart").seed == 10


@pytest.mark.parametrize("header", ["", "# a comment\n", "# one\n# @package _global_\n"])
def test_a_file_needs_no_package_header_and_may_have_comments(tmp_path, header):
    file = tmp_path / "elsewhere" / "mine.yaml"
    file.parent.mkdir()
    file.write_text(f"{header}defaults:\n  - override /dataset: make_blobs\nseed: 7\n")
    config = composed(str(file))
    assert (config.name, config.seed) == ("mine", 7)
    assert config.dataset._target_.endswith("MakeBlobs")


def test_a_file_named_like_one_of_ours_is_the_one_that_is_run(tmp_path):
    file = tmp_path / "quickstart.yaml"
    file.write_text("seed: 99\n")
    assert composed(str(file)).seed == 99


def test_the_project_adds_experiments_and_options_and_hides_ours(project):
    (project / "experiments").mkdir()
    (project / "experiments" / "quickstart.yaml").write_text(
        "defaults: [{override /estimator: own}]\nname: hidden\n"
    )
    (project / "conf" / "estimator").mkdir(parents=True)
    (project / "conf" / "estimator" / "own.yaml").write_text("_target_: own.Thing\n")
    assert experiment_files()["quickstart"].parent == project / "experiments"
    config = composed("quickstart")
    assert config.name == "hidden"
    assert config.estimator == {"_target_": "own.Thing"}


def test_a_dotted_override_sets_a_key_that_no_file_mentions():
    config = composed("quickstart", "estimator.alpha=0.5", "partial_fit.classes=[1,2]")
    assert config.estimator.alpha == 0.5
    assert config.partial_fit.classes == [1, 2]


def test_a_group_is_chosen_by_override():
    assert composed("quickstart", "estimator=perceptron").estimator._target_.endswith("Perceptron")


def test_a_missing_option_is_hydras_error():
    with pytest.raises(MissingConfigException):
        compose("quickstart", ["estimator=sdg_classifier"])


@pytest.mark.parametrize(
    ("given", "result"),
    [
        ("a.b=1", "++a.b=1"),
        ("+a.b=1", "+a.b=1"),
        ("++a.b=1", "++a.b=1"),
        ("~a.b", "~a.b"),
        ("a=1", "a=1"),
        ("a=x.y", "a=x.y"),
        ("hydra.job.name=x", "hydra.job.name=x"),
        ("hydra/launcher=x.y", "hydra/launcher=x.y"),
        ("-m", "-m"),
        ("--cfg=a.b", "--cfg=a.b"),
        ("path.is=a=b", "++path.is=a=b"),
    ],
)
def test_only_plain_dotted_keys_are_opened(given, result):
    assert opened([given]) == [result]


def test_flags_come_first_in_their_own_order():
    assert flags_first(["a=1", "-m", "~b", "--cfg", "job", "++c=2"]) == [
        "-m",
        "--cfg",
        "job",
        "a=1",
        "~b",
        "++c=2",
    ]
