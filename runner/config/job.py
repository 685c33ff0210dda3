"""From a composed config to an experiment, checked and built."""

import sys
from collections.abc import Sequence
from typing import Any, cast

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from runner.config.compose import Composed, compose
from runner.config.messages import in_our_words
from runner.config.recipe import recipe, with_effective
from runner.config.validation import validate
from runner.errors import ConfigError, RunnerError, cause
from runner.experiment import Experiment
from runner.experiment import run as run_experiment
from runner.project import project_root
from runner.records import Recipe
from runner.trial import Result


def build(composed: Composed) -> tuple[Experiment, Recipe]:
    """Check a composed config and build its experiment, without its sweep.

    Raises
    ------
    RunnerError
        If the config asks for something impossible; nothing was read or written.
    """
    config = composed.config
    with in_our_words():
        resolved = OmegaConf.to_container(config, resolve=True)
    root = str(project_root())
    if root not in sys.path:
        sys.path.append(root)  # last, so that no file of the project hides an installed module
    validate(cast("dict[str, Any]", resolved))
    experiment = _instantiate(config)
    asked = recipe(config, composed.overrides, composed.selection)
    return experiment, with_effective(asked, experiment.estimator, experiment.preprocessing)


def _instantiate(config: DictConfig) -> Experiment:
    try:
        built = instantiate(config, _convert_="all")
    except InstantiationException as error:
        reason = error.__cause__
        if isinstance(reason, RunnerError):
            raise reason from error
        key = str(error).rpartition("full_key: ")[2] if "full_key: " in str(error) else ""
        raise ConfigError(
            key or "The experiment",
            "be something that can be built",
            got=cause(reason or error),
            remedy="Check its arguments in the file.",
        ) from error
    if not isinstance(built, Experiment):
        raise ConfigError(
            "_target_",
            "be left as it is at the top of a file",
            got=type(built).__name__,
            remedy="Put _target_ under dataset or estimator instead.",
        )
    return built


def run(name: str, overrides: Sequence[str] = ()) -> Result:
    """Run an experiment, by its name or by the path of its file.

    It is run alone, as its file describes it, even where the file has a ``sweep``.

    Parameters
    ----------
    name : str
        A name that ``runner list`` shows, or the path of a YAML file.
    overrides : sequence of str
        What to change, as on the command line: ``["estimator.alpha=1e-3"]``.

    Returns
    -------
    Result
        The scores, the fitted model and the id of its run.

    Raises
    ------
    RunnerError
        If something a person can mend is wrong.
    """
    with in_our_words():
        composed = compose(name, overrides)
    return run_experiment(*build(composed))
