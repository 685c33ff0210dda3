"""From a name or a path to a composed config."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import MissingConfigException
from omegaconf.errors import InterpolationKeyError

from runner.config.compose import Composed, compose, flags_first, opened, selected, typed
from runner.errors import ConfigError
from runner.project import experiment_files


def composed(name, *overrides):
    return compose(name, overrides).config


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


SWEPT = """\
defaults: [{override /dataset: make_blobs}, {override /estimator: gaussian_nb}]
few: [1, 2]
sweep:
  grid: {seed: "${few}", estimator.var_smoothing: [1e-9, "${seed}"]}
  runs: [{dataset.chunks: 10}]
"""


@pytest.fixture
def swept(tmp_path):
    file = tmp_path / "swept.yaml"
    file.write_text(SWEPT)
    return str(file)


def test_the_sweep_is_parted_and_resolved_down_to_its_values(swept):
    found = compose(swept)
    assert "sweep" not in found.config
    assert "hydra" not in found.config
    assert found.sweep == {
        "grid": {"seed": [1, 2], "estimator.var_smoothing": [1e-9, "${seed}"]},
        "zip": {},
        "runs": [{"dataset.chunks": 10}],
        "halving": None,
    }


def test_a_file_without_sweep_has_an_empty_one():
    assert compose("quickstart").sweep == {"grid": {}, "zip": {}, "runs": [], "halving": None}


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("sweep.grid={estimator.alpha:[1e-3,1e-4]}", "grid", {"estimator.alpha": [1e-3, 1e-4]}),
        ("sweep.grid={}", "grid", {}),
        ("sweep.grid=null", "grid", None),
        ("sweep.zip={seed:[1,2]}", "zip", {"seed": [1, 2]}),
        ("sweep.runs=[{seed:1},{seed:2}]", "runs", [{"seed": 1}, {"seed": 2}]),
        ("sweep.halving={factor:3}", "halving", {"factor": 3}),
    ],
)
def test_a_part_of_the_sweep_is_replaced_and_not_merged(swept, override, key, value):
    before = compose(swept).sweep
    found = compose(swept, [override])
    assert found.sweep == {**before, key: value}
    assert found.overrides == (override,)


def test_the_whole_sweep_is_replaced(swept):
    assert compose(swept, ["sweep={runs:[{seed:1}]}"]).sweep == {"runs": [{"seed": 1}]}
    assert compose(swept, ["sweep=null"]).sweep is None
    assert compose(swept, ["sweep=quick"]).sweep == "quick"


def test_a_key_below_the_grid_is_added_to_the_file(swept):
    grid = compose(swept, ["sweep.grid.dataset.chunks=[5,10]"]).sweep["grid"]
    assert list(grid) == ["seed", "estimator.var_smoothing", "dataset"]
    assert grid["dataset"] == {"chunks": [5, 10]}


def test_a_sweep_that_leads_nowhere_is_no_empty_sweep(swept):
    with pytest.raises(InterpolationKeyError):
        compose(swept, ["sweep.grid={seed:'${nowhere}'}"])


@pytest.mark.parametrize(
    "overrides",
    [
        ["estimator.alpha=1", "seed=3"],
        ["sweep=null"],
        ["sweep.grid={seed:[1,2]}", "sweep.runs=[{}]", "sweep.grid.dataset.chunks=[5]"],
        ["sweep.grid={seed:[1]}", "sweep.grid=null"],
        ["+partial_fit.classes=[1]", "++own=3", "~callbacks.progress_bar"],
        ["hydra.job.name=a"],
    ],
)
def test_what_was_opened_is_told_as_it_was_typed(overrides):
    assert typed(["experiment=quickstart", *opened(overrides)]) == tuple(overrides)
    assert opened(opened(overrides)) == opened(overrides)
    OverridesParser.create().parse_overrides(opened(overrides))


def test_the_choice_of_the_experiment_is_its_selection(swept):
    by_path, by_name = compose(swept, ["seed=3"]), compose("quickstart", ["seed=3"])
    assert (by_path.selection, by_path.overrides) == (swept, ("seed=3",))
    assert (by_name.selection, by_name.overrides) == ("quickstart", ("seed=3",))


def test_what_hydra_composed_stays_whole(swept):
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    from runner.project import builtin

    with (
        selected(swept) as choice,
        initialize_config_dir(version_base="1.3", config_dir=str(builtin("conf"))),
    ):
        config = hydra_compose("config", [choice], return_hydra_config=True)
        found = Composed.from_hydra(config)
    assert found.config.name == "swept"
    assert config.name is None
    assert config.hydra.job.config_name == "config"
    assert config.hydra.run.dir.endswith("hydra")
    assert config.tracking.experiment is None
    assert found.config.tracking.experiment == "swept"
    assert config.sweep.runs == [{"dataset.chunks": 10}]
