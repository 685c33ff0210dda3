"""Compose an experiment without running it."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Self, cast

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict

from runner.config.app import prepare
from runner.config.moved import moved
from runner.config.words import is_override
from runner.errors import ConfigError, nearest
from runner.project import EXPERIMENTS_VARIABLE, builtin, experiment_files, is_path

MISSING = "???"  # OmegaConf's word for a value that is still to be given
OPEN_PREFIXES = ("+", "~")
REPLACED = ("sweep", "sweep.grid", "sweep.zip", "sweep.runs", "sweep.halving")


@dataclass(frozen=True)
class Composed:
    """A composed experiment, parted from what is not its own.

    Parameters
    ----------
    config : DictConfig
        The experiment alone: without Hydra's node and without ``sweep``, and named after its
        file if it has no name.
    overrides : tuple of str
        What the command line changed, as it was typed, but for the choice of the experiment.
    selection : str
        What ``runner run`` needs to find the experiment again: its name or its path; "" if the
        command line alone describes it.
    sweep : object
        The section ``sweep`` as plain containers. Interpolations that stand inside a swept value
        are kept as they were written: they are resolved in the member that has the value.
    """

    config: DictConfig
    overrides: tuple[str, ...] = ()
    selection: str = ""
    sweep: Any = None

    @classmethod
    def from_hydra(cls, config: DictConfig) -> Self:
        """Part what Hydra composed; where its node is missing, it is that of the running job."""
        hydra_node = config.get("hydra") or HydraConfig.get()
        written = cast("list[str]", OmegaConf.to_container(hydra_node.overrides.task))
        file = hydra_node.runtime.choices.get("experiment") or ""
        own = moved(own_part(config), written)
        name_after(own, file)
        return cls(own, typed(written), selection_of(file), sweep_of(config))


@contextmanager
def selected(name: str) -> Iterator[str]:
    """Yield the override that selects an experiment, by its name or by the path of its file.

    While the context is open, the folder of a file is where experiments are looked for first.

    Raises
    ------
    ConfigError
        If there is no such experiment.
    """
    path = located(name)
    if not is_path(name):
        yield f"experiment={_quoted(name)}"
        return
    with _first_looked_in(path.parent):
        yield f"experiment={_quoted(path.stem)}"


def located(name: str) -> Path:
    """Return the file of an experiment, by its name or path.

    Raises
    ------
    ConfigError
        If there is no such experiment.
    """
    if is_path(name):
        return _file(name)
    known = experiment_files()
    if name not in known:
        raise ConfigError(
            "The experiment", "be one of those there are", got=name, remedy=nearest(name, known)
        )
    return known[name]


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
    >>> _quoted("quickstart"), _quoted("my file, (1)"), _quoted("10")
    ('quickstart', "'my file, (1)'", "'10'")
    """
    is_word = re.fullmatch(r"[A-Za-z_][\w-]*", name, re.ASCII) is not None
    is_plain = is_word and name.lower() not in ("null", "true", "false", "inf", "nan")
    return name if is_plain else "'" + name.replace("'", "\\'") + "'"


def opened(overrides: Sequence[str]) -> list[str]:
    """Let a dotted override set a key whether or not a file mentions it.

    The options do not repeat every argument of an estimator, so Hydra alone would refuse
    ``estimator.alpha=1``. What nothing accepts is refused later, with the nearest name.
    ``sweep`` and its keys are emptied first, so that what is given replaces what a file says.

    Examples
    --------
    >>> opened(["estimator=sgd_classifier", "estimator.alpha=1e-3", "-m", "hydra.job.name=x"])
    ['estimator=sgd_classifier', '++estimator.alpha=1e-3', '-m', 'hydra.job.name=x']
    >>> opened(["sweep.grid={seed:[1,2]}"])
    ['++sweep.grid=null', '++sweep.grid={seed:[1,2]}']
    """
    return [part for text in overrides for part in _opened(text)]


def _opened(text: str) -> list[str]:
    key, equals, _ = text.partition("=")
    if equals and key in REPLACED:
        return [f"++{key}=null", f"++{text}"]
    return [f"++{text}" if _sets_dotted_key(text) else text]


def typed(overrides: Sequence[str]) -> tuple[str, ...]:
    """Return what was typed, from what ``opened`` made of it, without ``experiment=``.

    Examples
    --------
    >>> typed(["experiment=a", *opened(["sweep.runs=[{seed:1}]", "a.b=1", "+a.c=2"]), "++d=3"])
    ('sweep.runs=[{seed:1}]', 'a.b=1', '+a.c=2', '++d=3')
    >>> typed([])
    ()
    """
    found = []
    for text, following in zip_longest(overrides, overrides[1:], fillvalue=""):
        key, _, value = text.removeprefix("++").partition("=")
        empties = key in REPLACED and value == "null" and following.startswith(f"++{key}=")
        if not empties and key != "experiment":
            bare = text.removeprefix("++")
            found.append(bare if text in _opened(bare) else text)
    return tuple(found)


def flags_first(arguments: Sequence[str]) -> list[str]:
    """Put Hydra's flags, and their values, before the overrides, as its parser wants them.

    Examples
    --------
    >>> flags_first(["a=1", "-m", "b=2,3", "--cfg", "job"])
    ['-m', '--cfg', 'job', 'a=1', 'b=2,3']
    """
    overrides = [text for text in arguments if is_override(text)]
    return [text for text in arguments if text not in overrides] + overrides


def _sets_dotted_key(text: str) -> bool:
    key, equals, value = text.partition("=")
    plain = not key.startswith(("-", *OPEN_PREFIXES, "hydra.")) and "@" not in key
    has_keys = "." in key or value.lstrip().startswith("{")
    return bool(equals) and has_keys and "/" not in key and plain


def compose(name: str, overrides: Sequence[str] = ()) -> Composed:
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
        return Composed.from_hydra(
            hydra_compose("config", [choice, *opened(overrides)], return_hydra_config=True)
        )


def own_part(config: DictConfig) -> DictConfig:
    """Return a copy of what Hydra composed, without its node and without ``sweep``."""
    own = deepcopy(config)
    with open_dict(own):
        own.pop("hydra", None)
        own.pop("sweep", None)
    return own


def name_after(config: DictConfig, file: str) -> None:
    """Name an experiment after its file, if it has no name."""
    if not OmegaConf.is_interpolation(config, "name") and config.get("name") is None:
        with open_dict(config):
            config.name = file or "unnamed"


def selection_of(file: str) -> str:
    """Return what finds an experiment again: its name, or its path if it is looked for by path."""
    folder = os.environ.get(EXPERIMENTS_VARIABLE)
    path = experiment_files().get(file)
    return str(path) if path and folder and path.parent == Path(folder).resolve() else file


def sweep_of(config: DictConfig) -> Any:
    """Return the section ``sweep`` as plain containers, None if there is none."""
    return _unfolded(config, "sweep")


def _unfolded(node: Any, key: Any) -> Any:
    """Return a value as plain containers, resolved as far as to the items of a list."""
    if key not in set(node):
        return None
    if OmegaConf.is_missing(node, key):
        return MISSING
    value = node[key]
    if isinstance(value, DictConfig):
        return {name: _unfolded(value, name) for name in value}
    if isinstance(value, ListConfig):
        return OmegaConf.to_container(value, resolve=False)
    return value
