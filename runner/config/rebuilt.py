"""The config that a run keeps, as it was composed, and what its file says since."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from runner.config.borrowed import check_environment
from runner.config.compose import Composed, compose, name_after, opened
from runner.config.messages import in_our_words
from runner.config.recipe import flattened, plain, shown, sweep_text, variables
from runner.errors import ConfigError
from runner.project import experiment_files, option_files, project_root
from runner.redaction import REDACTED

FOREIGN = ("hydra", "sweep")
NEEDED = frozenset({"dataset", "estimator"})
ABSENT = "nothing"


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


def rebuilt(config_text: str, overrides: Sequence[str] = ()) -> Composed:
    """Return the config that a run keeps as it was composed, with changes.

    Parameters
    ----------
    config_text : str
        The YAML that the run keeps.
    overrides : sequence of str
        What to change, as on the command line. ``estimator=perceptron`` puts that option in the
        place of the run's own section; ``estimator.alpha=0.1`` changes one key of it.

    Raises
    ------
    ConfigError
        If it is no config of an experiment, an override cannot be applied, a secret that the
        record hides must be given again, or it reads what no file of the project reads.
    """
    with in_our_words():
        config = _read(config_text)
        asked = OverridesParser.create().parse_overrides(opened(overrides))
        for override in asked:
            _check_one_value(override)
        chosen = [override for override in asked if _is_choice(override)]
        _choose(config, [str(override.input_line) for override in chosen])
        OmegaConf.set_struct(config, True)
        setting = [override for override in asked if override not in chosen]
        ConfigLoaderImpl._apply_overrides_to_config(setting, config)  # noqa: SLF001
    _check_told(config)
    check_environment(config, overrides)
    return Composed(config, tuple(overrides))


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
        for config in (_read(config_text), changed.config)
    )
    return differences(before, after, "the command line")


def _read(config_text: str, needed: Set[str] = NEEDED) -> DictConfig:
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

    That is a secret, and what is read from the environment.

    Raises
    ------
    ConfigError
        Naming the first key that the record does not hide.
    """
    with in_our_words():
        recorded = _read(config_text)
        allowed = [*_hidden(recorded), *variables(recorded).values()]
        asked = OverridesParser.create().parse_overrides(opened(overrides))
    for override in asked:
        if override.is_delete() or override.key_or_group not in allowed:
            raise ConfigError(
                override.key_or_group,
                "stay as it is in a run that goes on, because the params of a run cannot change",
                got="another value",
                remedy="Leave it out, or start a new run; "
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


def since_recorded(command: str, config_text: str, *, is_sweep: bool = False) -> list[Difference]:
    """Say what the file of a recorded experiment says otherwise than the record.

    Parameters
    ----------
    command : str
        What the record says was typed, such as ``runner run quickstart seed=3``.
    config_text : str
        The YAML that the run keeps.
    is_sweep : bool
        Whether it is the run of a sweep, whose section ``sweep`` is compared, too.

    Returns
    -------
    list of Difference
        Empty where the file says the same, or nothing can be said: of a command that holds a
        secret, or names no file.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return []
    if words[:2] != ["runner", "run"] or len(words) < 3 or REDACTED in command:  # noqa: PLR2004
        return []
    name, overrides = words[2], words[3:]
    source = _file_of(name)
    if source is None:
        return [Difference("experiment", name, ABSENT, "")]
    try:
        with in_our_words():
            if is_sweep:
                return _since_swept(config_text, compose(name, _of_all(overrides)), source)
            now = plain(compose(name, overrides).config)
            return differences(plain(_read(config_text)), now, source)
    except ConfigError as error:
        return [Difference("experiment", name, f"what cannot be composed ({error})", source)]


def _since_swept(config_text: str, now: Composed, source: str) -> list[Difference]:
    before, after = ({"sweep": _sweep_in(text)} for text in (config_text, sweep_text(now)))
    before |= plain(_read(config_text, frozenset()))
    with suppress(OmegaConfBaseException):  # it may lack what every member has
        return differences(before, after | plain(now.config), source)
    return differences(before, before | after, source)


def _sweep_in(config_text: str) -> Any:
    section = OmegaConf.select(OmegaConf.create(config_text), "sweep")
    return OmegaConf.to_container(section, resolve=False) if section is not None else {}


def _of_all(overrides: Sequence[str]) -> list[str]:
    """Return the overrides that are no flags, and the same for all members of a sweep."""
    parser = OverridesParser.create()
    given = [text for text in overrides if not text.startswith("-")]
    return [text for text in given if not parser.parse_override(text).is_sweep_override()]


def _file_of(name: str) -> str | None:
    """Return how a person calls the file of an experiment; None where there is none."""
    path = Path(name) if Path(name).suffix else experiment_files().get(name)
    if path is None or not path.is_file():
        return None
    root = project_root()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
