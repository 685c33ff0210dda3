"""Compose an experiment without running it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


@contextmanager
def selected(name: str) -> Iterator[str]:
    """Yield the override that selects an experiment, by its name or by the path of its file.

    While the context is open, the folder of a file is where experiments are looked for first.

    Raises
    ------
    ConfigError
        If there is no such experiment.
    """
    if Path(name).suffix in (".yaml", ".yml") or os.sep in name:
        path = _file(name)
        with _first_looked_in(path.parent):
            yield f"experiment={_quoted(path.stem)}"
        return
    known = experiment_files()
    if name not in known:
        raise ConfigError(
            "The experiment", "be one of those there are", got=name, remedy=nearest(name, known)
        )
    yield f"experiment={_quoted(name)}"


def _file(name: str) -> Path:
    path = Path(name).resolve()
    if not path.is_file():
        raise ConfigError(
            "The experiment's file",
            "exist",
            got=name,
            remedy="Check the path, or see `runner list` for the names.",
        )
    if path.suffix != ".yaml":
        raise ConfigError(
            "The experiment's file",
            "end in .yaml, as Hydra wants it",
            got=name,
            remedy=f"Call it {path.stem}.yaml.",
        )
    return path


@contextmanager
def _first_looked_in(folder: Path) -> Iterator[None]:
    before = os.environ.get(EXPERIMENTS_VARIABLE)
    os.environ[EXPERIMENTS_VARIABLE] = str(folder)
    try:
        yield
    finally:
        del os.environ[EXPERIMENTS_VARIABLE]
        if before is not None:
            os.environ[EXPERIMENTS_VARIABLE] = before


def _quoted(name: str) -> str:
    """Quote a name that means something else in Hydra's grammar.

    Examples
    --------
    >>> _quoted("quickstart"), _quoted("my file, (1)")
    ('quickstart', "'my file, (1)'")
    """
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else "'" + name.replace("'", "\\'") + "'"


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
    prepare()
    GlobalHydra.instance().clear()
    with (
        selected(name) as choice,
        initialize_config_dir(version_base="1.3", config_dir=str(builtin("conf"))),
    ):
        return hydra_compose("config", [choice, *opened(overrides)], return_hydra_config=True)


def parted(config: DictConfig) -> tuple[DictConfig, Any]:
    """Return the experiment, named after its file if it has no name, and Hydra's own node."""
    hydra_node = config.get("hydra") or HydraConfig.get()
    config = config.copy()
    with open_dict(config):
        config.pop("hydra", None)
        if config.get("name") is None:
            config.name = hydra_node.runtime.choices.get("experiment") or "unnamed"
    return config, hydra_node
