"""Whether the file of a recorded experiment still says what its record says."""

import warnings

import pytest

from runner.config.compose import compose
from runner.config.job import build
from runner.config.unedited import check_unedited, since_recorded
from runner.errors import ConfigError, RunnerWarning

FILE = """\
defaults: [{override /dataset: make_classification}, {override /estimator: perceptron}]
dataset: {n_samples: 60, chunks: 20}
estimator: {alpha: 0.001}
"""


@pytest.fixture
def file(project):
    """Return the file of an experiment."""
    path = project / "experiments" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(FILE)
    return path


@pytest.fixture
def asked(file):
    """Return what makes the recipe of a run."""

    def asked(name, *overrides):
        return build(compose(name, ["tracking=none", *overrides]))[1]

    return asked


@pytest.fixture
def kept(asked):
    """Return the command and the config that a run of it keeps."""
    recipe = asked("mine")
    return recipe.command, recipe.config


def test_a_file_that_says_the_same_is_gone_on_with(kept):
    check_unedited("5f2a", *kept, is_forced=False)


@pytest.mark.parametrize(("is_sweep", "kind"), [(False, "run"), (True, "sweep")])
def test_an_edited_file_is_refused_unless_that_is_forced(kept, file, is_sweep, kind):
    file.write_text(FILE.replace("0.001", "0.01"))
    with pytest.raises(ConfigError) as refused:
        check_unedited("5f2a", *kept, is_forced=False, is_sweep=is_sweep)
    assert str(refused.value).startswith(
        f"The {kind} 5f2a must go on with the config that it began with; got another one: "
        "estimator.alpha: 0.001 was recorded, experiments/mine.yaml now says 0.01. "
    )
    check_unedited("5f2a", *kept, is_forced=True, is_sweep=is_sweep)


@pytest.mark.parametrize("is_forced", [False, True])
def test_a_missing_file_is_a_warning(kept, file, is_forced):
    file.rename(file.with_name("moved.yaml"))
    with pytest.warns(RunnerWarning, match="mine is missing: the run goes on with the config"):
        check_unedited("5f2a", *kept, is_forced=is_forced)


def test_a_sweep_that_the_file_has_now_is_no_part_of_a_run(kept, file):
    file.write_text(FILE + "sweep: {grid: {seed: [1, 2]}}\n")
    check_unedited("5f2a", *kept, is_forced=False)
    with pytest.raises(ConfigError, match=r"sweep\.grid\.seed: nothing was recorded"):
        check_unedited("5f2a", *kept, is_forced=False, is_sweep=True)


def test_a_file_that_became_broken_is_not_taken_for_a_missing_one(kept, file):
    file.write_text("dataset: [")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConfigError, match="cannot be composed"):
            check_unedited("5f2a", *kept, is_forced=False)


def test_a_file_that_says_the_same_makes_no_difference(asked, file):
    recipe = asked("mine", "seed=3", "estimator.alpha=0.5")
    assert recipe.command == "runner run mine tracking=none seed=3 estimator.alpha=0.5"
    file.write_text(file.read_text() + "# only a remark\n")
    assert since_recorded(recipe.command, recipe.config) == []


def test_an_edited_file_is_named_with_its_key(asked, file):
    recipe = asked("mine", "seed=3")
    file.write_text(file.read_text().replace("0.001", "0.01"))
    (difference,) = since_recorded(recipe.command, recipe.config)
    assert str(difference) == (
        "estimator.alpha: 0.001 was recorded, experiments/mine.yaml now says 0.01"
    )


def test_a_file_that_cannot_be_composed_any_more_is_named(asked, file):
    recipe = asked("mine")
    file.write_text("dataset: [")
    (difference,) = since_recorded(recipe.command, recipe.config)
    assert "experiments/mine.yaml now says what cannot be composed" in str(difference)


def test_a_missing_file_is_named(asked, file):
    for name in ("mine", str(file)):
        file.parent.mkdir(exist_ok=True)
        recipe = asked(name)
        content = file.read_text()
        file.unlink()
        (difference,) = since_recorded(recipe.command, recipe.config)
        assert str(difference) == f"experiment: {name} was recorded, its file is missing now"
        file.write_text(content)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "python train.py",
        "runner run",
        "runner seed=3",
        "runner run quickstart 'tracking.uri=https://<redacted>@host'",
        "runner run 'quickstart",
    ],
)
def test_of_other_commands_nothing_can_be_said(asked, command):
    assert since_recorded(command, asked("quickstart").config) == []


def test_another_cluster_is_no_edited_file(asked, file):
    file.write_text(FILE.replace("}]", "}, {override /cluster: local}]"))
    recipe = asked("mine", "seed=3")
    assert recipe.params["cluster.n_workers"] is None
    file.write_text(FILE)
    for is_sweep in (False, True):
        assert since_recorded(recipe.command, recipe.config, is_sweep=is_sweep) == []
    recipe = asked("mine", "cluster=address", "cluster.address=tcp://127.0.0.1:9")
    file.write_text(FILE.replace("0.001", "0.01"))
    (difference,) = since_recorded("runner run mine tracking=none", recipe.config)
    assert difference.key == "estimator.alpha"
