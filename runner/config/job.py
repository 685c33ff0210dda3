"""From a composed config to an experiment, checked and built."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from runner.base import Recipe
from runner.config.compose import compose, parted, selected
from runner.config.messages import in_our_words
from runner.config.recipe import recipe, with_effective
from runner.config.validation import validate
from runner.errors import ConfigError, RunnerError, cause
from runner.experiment import Experiment, Result
from runner.experiment import run as run_experiment
from runner.project import EXPERIMENTS_VARIABLE, experiment_files, project_root


def build(config: DictConfig) -> tuple[Experiment, Recipe]:
    """Check a composed config and build its experiment.

    Parameters
    ----------
    config : DictConfig
        As Hydra composed it; its own ``hydra`` node may be there.

    Raises
    ------
    RunnerError
        If the config asks for something impossible; nothing was read or written.
    """
    with in_our_words():
        config, hydra_node = parted(config)
        resolved = OmegaConf.to_container(config, resolve=True)
    root = str(project_root())
    if root not in sys.path:
        sys.path.append(root)  # last, so that no file of the project hides an installed module
    validate(cast("dict[str, Any]", resolved))
    written = OmegaConf.to_container(hydra_node.overrides.task, resolve=False)
    overrides = [text for text in cast("list[str]", written) if not text.startswith("experiment=")]
    experiment = _instantiate(config)
    asked = recipe(config, overrides, _selected(hydra_node))
    return experiment, with_effective(asked, experiment.estimator)


def _selected(hydra_node: Any) -> str:
    """Return what ``runner run`` needs to find the experiment again: its name or its path."""
    name = hydra_node.runtime.choices.get("experiment") or ""
    folder = os.environ.get(EXPERIMENTS_VARIABLE)
    path = experiment_files().get(name)
    return str(path) if path and folder and path.parent == Path(folder).resolve() else name


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
    with selected(name):
        with in_our_words():
            config = compose(name, overrides)
        experiment, asked = build(config)
    return run_experiment(experiment, asked)
