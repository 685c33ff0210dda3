"""Whether the file of a recorded experiment still says what its record says."""

import warnings

import pytest

from runner.config.compose import compose
from runner.config.job import build
from runner.config.unedited import check_unedited
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
def kept(file):
    """Return the command and the config that a run of it keeps."""
    recipe = build(compose("mine", ["tracking=none"]))[1]
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
