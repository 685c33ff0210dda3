"""The config that a run keeps, as it was composed, and what its file says since."""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict

from runner.cluster.none import NoCluster
from runner.config.borrowed import check_environment
from runner.config.compose import Composed, compose, name_after, opened
from runner.config.messages import in_our_words
from runner.config.recipe import flattened, shown, variables
from runner.config.signatures.signature import TARGET
from runner.errors import ConfigError
from runner.project import option_files
from runner.records import says_where
from runner.redaction import REDACTED

FOREIGN = ("hydra", "sweep")
NEEDED = frozenset({"dataset", "estimator"})
ABSENT = "nothing"
CLUSTER = "cluster"
HERE = {TARGET: f"{NoCluster.__module__}.{NoCluster.__qualname__}"}


@dataclass(frozen=True)
class Difference:
    """A key of which the record says something else than is said now.

    Parameters
    ----------
    key : str
        Dotted.
    recorded, now : str
        The values as JSON; ``ABSENT`` where there is none.
    source : str
        Who says so now; "" where the file is missing.
    """

    key: str
    recorded: str
    now: str
    source: str = "the config"

    def __str__(self) -> str:
        """Say it in one line.

        Examples
        --------
        >>> print(Difference("estimator.alpha", "0.001", "0.01", "experiments/a.yaml"))
        estimator.alpha: 0.001 was recorded, experiments/a.yaml now says 0.01
        """
        if not self.source:
            return f"{self.key}: {self.recorded} was recorded, its file is missing now"
        return f"{self.key}: {self.recorded} was recorded, {self.source} now says {self.now}"


def rebuilt(config_text: str, overrides: Sequence[str] = (), *, is_here: bool = False) -> Composed:
    """Return the config that a run keeps as it was composed, with changes.

    Parameters
    ----------
    config_text : str
        The YAML that the run keeps.
    overrides : sequence of str
        What to change, as on the command line. ``estimator=perceptron`` puts that option in the
        place of the run's own section; ``estimator.alpha=0.1`` changes one key of it.
    is_here : bool
        Leave out the cluster of the run, which may be gone.

    Raises
    ------
    ConfigError
        If it is no config of an experiment, an override cannot be applied, a secret that the
        record hides must be given again, or it reads what no file of the project reads.
    """
    with in_our_words():
        config = read(config_text)
        if is_here or CLUSTER not in config:  # as in records from before there were any
            config[CLUSTER] = dict(HERE)
        _change(config, overrides)
    _check_told(config)
    check_environment(config, overrides)
    return Composed(config, tuple(overrides))


def move(configs: Sequence[DictConfig], overrides: Sequence[str]) -> None:
    """Let all configs have the cluster of the last with changes, in place.

    Parameters
    ----------
    configs : sequence of DictConfig
        Composed.
    overrides : sequence of str
        Of the section ``cluster``, as on the command line; without any nothing is changed.

    Raises
    ------
    ConfigError
        If an override cannot be applied.
    """
    if not overrides:
        return
    chosen = OmegaConf.create({CLUSTER: configs[-1].get(CLUSTER) or HERE})
    with in_our_words():
        _change(chosen, overrides)
    for config in configs:
        with open_dict(config):
            config[CLUSTER] = chosen[CLUSTER]


def _change(config: DictConfig, overrides: Sequence[str]) -> None:
    asked = OverridesParser.create().parse_overrides(opened(overrides))
    for override in asked:
        _check_one_value(override)
    chosen = [override for override in asked if _is_choice(override)]
    _choose(config, [str(override.input_line) for override in chosen])
    OmegaConf.set_struct(config, True)
    setting = [override for override in asked if override not in chosen]
    ConfigLoaderImpl._apply_overrides_to_config(setting, config)  # noqa: SLF001


def given(config_text: str, changed: Composed) -> list[Difference]:
    """Say what the overrides of a rebuilt config changed, without what only follows from that.

    Parameters
    ----------
    config_text : str
        The YAML that the run keeps.
    changed : Composed
        By ``rebuilt``.
    """
    before, after = (
        shown("", OmegaConf.to_container(config, resolve=False))
        for config in (read(config_text), changed.config)
    )
    return differences(before, after, "the command line")


def read(config_text: str, needed: Set[str] = NEEDED) -> DictConfig:
    """Return the config that a run keeps, without what is not its experiment's own.

    Raises
    ------
    ConfigError
        If it lacks one of the sections that are needed.
    """
    config = OmegaConf.create(config_text)
    if not isinstance(config, DictConfig) or not needed <= set(config):
        raise ConfigError(
            "The config that the run keeps",
            "have a dataset and an estimator",
            got=", ".join(map(str, config)) or ABSENT,
            remedy="Name a run of `runner run`; see `runner runs`.",
        )
    for key in FOREIGN:
        config.pop(key, None)
    name_after(config, "recorded")
    return config


def _check_one_value(override: Override) -> None:
    if override.is_sweep_override():
        key, _, value = str(override.input_line).lstrip("+").partition("=")
        raise ConfigError(
            key,
            "have one value, because one run is made",
            got=value,
            remedy=f"A list is {key}=[{value}].",
        )


def _is_choice(override: Override) -> bool:
    """Say whether an override names an option, or several, of a group."""
    if override.is_delete() or "." in override.key_or_group:
        return False
    return isinstance(override.value(), str | list) and bool(option_files(override.key_or_group))


def _choose(config: DictConfig, choices: Sequence[str]) -> None:
    """Put options in the place of whole sections."""
    if not choices:
        return
    with TemporaryDirectory() as folder:
        file = Path(folder) / "recorded.yaml"
        file.write_text("name: recorded\n", encoding="utf-8")
        options = compose(str(file), choices).config
    with open_dict(config):
        for text in choices:
            group = text.lstrip("+").partition("=")[0]
            config[group] = options[group]


def check_hidden(config_text: str, overrides: Sequence[str]) -> None:
    """Refuse to change what the record of a run tells: only what it hides is given again.

    That is a secret, and what is read from the environment. Where it goes on may be changed.

    Raises
    ------
    ConfigError
        Naming the first key that the record does not hide.
    """
    with in_our_words():
        recorded = read(config_text)
        allowed = [*_hidden(recorded), *variables(recorded).values()]
        asked = OverridesParser.create().parse_overrides(opened(overrides))
    for override in asked:
        is_free = says_where(override.key_or_group) or override.key_or_group in allowed
        if override.is_delete() or not is_free:
            raise ConfigError(
                override.key_or_group,
                "stay as it is in a run that goes on, because the params of a run cannot change",
                got="another value",
                remedy="Leave it out, or start a new run; what may change is the cluster; "
                f"given again can be what the record hides: {', '.join(allowed) or ABSENT}.",
            )


def _check_told(config: DictConfig) -> None:
    for key in _hidden(config):
        raise ConfigError(
            key,
            "be given again, because the record keeps no secrets",
            got=REDACTED,
            remedy=f"Write {key}=... here; ${{oc.env:NAME}} in a file is kept as it is.",
        )


def _hidden(config: DictConfig) -> Iterator[str]:
    written = _written(OmegaConf.to_container(config, resolve=False))
    return (key for key, value in written if REDACTED in str(value))


def _written(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, list):
        node = dict(enumerate(node))
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _written(value, f"{key}.{name}" if key else str(name))
    else:
        yield key, node


def differences(
    recorded: Mapping[str, Any], now: Mapping[str, Any], source: str = "the config"
) -> list[Difference]:
    """Return where two plain configs say something else, in the order of their keys.

    Examples
    --------
    >>> [str(each) for each in differences({"fit": {"epochs": 1}}, {"fit": {"epochs": 2}})]
    ['fit.epochs: 1 was recorded, the config now says 2']
    """
    before, after = _told(recorded), _told(now)
    return [
        Difference(key, before.get(key, ABSENT), after.get(key, ABSENT), source)
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]


def _told(config: Mapping[str, Any]) -> dict[str, str]:
    flat = flattened(config)
    return {key: json.dumps(value, ensure_ascii=False, default=str) for key, value in flat.items()}
