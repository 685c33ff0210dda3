"""Compose an experiment without running it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from runner.config.app import prepare
from runner.errors import ConfigError, nearest
from runner.project import EXPERIMENTS_VARIABLE, builtin, experiment_files

OPEN_PREFIXES = ("+", "~")


def select(name: str) -> str:
    """Return the override that selects an experiment, by its name or by the path of its file.

    Raises
    ------
    ConfigError
        If there is no such experiment.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or os.sep in name:
        if not path.is_file():
            raise ConfigError(
                "The experiment's file",
                "exist",
                got=name,
                remedy="Check the path, or see `runner list` for the names.",
            )
        os.environ[EXPERIMENTS_VARIABLE] = str(path.resolve().parent)
        return f"experiment={path.stem}"
    known = experiment_files()
    if name not in known:
        raise ConfigError(
            "The experiment", "be one of those there are", got=name, remedy=nearest(name, known)
        )
    return f"experiment={name}"


def opened(overrides: Sequence[str]) -> list[str]:
    """Let a dotted override set a key whether or not a file mentions it.

    The options do not repeat every argument of an estimator, so Hydra alone would refuse
    ``estimator.alpha=1``. What nothing accepts is refused later, with the nearest name.

    Examples
    --------
    >>> opened(["estimator=sgd_classifier", "estimator.alpha=1e-3", "-m", "hydra.job.name=x"])
    ['estimator=sgd_classifier', '++estimator.alpha=1e-3', '-m', 'hydra.job.name=x']
    """
    return [f"++{text}" if _sets_dotted_key(text) else text for text in overrides]


def flags_first(arguments: Sequence[str]) -> list[str]:
    """Put Hydra's flags, and their values, before the overrides, as its parser wants them.

    Examples
    --------
    >>> flags_first(["a=1", "-m", "b=2,3", "--cfg", "job"])
    ['-m', '--cfg', 'job', 'a=1', 'b=2,3']
    """
    overrides = [text for text in arguments if _is_override(text)]
    return [text for text in arguments if text not in overrides] + overrides


def _is_override(text: str) -> bool:
    return text.startswith(OPEN_PREFIXES) or ("=" in text and not text.startswith("-"))


def _sets_dotted_key(text: str) -> bool:
    key, equals, _ = text.partition("=")
    plain = not key.startswith(("-", *OPEN_PREFIXES, "hydra.")) and "@" not in key
    return bool(equals) and "." in key and "/" not in key and plain


def compose(name: str, overrides: Sequence[str] = ()) -> DictConfig:
    """Compose an experiment by name or path.

    Raises
    ------
    ConfigError
        If there is no such experiment.
    HydraException
        If Hydra cannot compose it.
    """
    selection = select(name)
    prepare()
    GlobalHydra.instance().clear()
    with initialize_config_dir(version_base="1.3", config_dir=str(builtin("conf"))):
        return hydra_compose("config", [selection, *opened(overrides)], return_hydra_config=True)


def parted(config: DictConfig) -> tuple[DictConfig, Any]:
    """Return the experiment, named after its file if it has no name, and Hydra's own node."""
    hydra_node = config.get("hydra") or HydraConfig.get()
    config = config.copy()
    with open_dict(config):
        config.pop("hydra", None)
        if config.get("name") is None:
            config.name = hydra_node.runtime.choices.get("experiment") or "unnamed"
    return config, hydra_node
