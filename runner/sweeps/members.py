"""The members of a sweep, each composed as Hydra would compose it, and faster."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from math import prod
from typing import Any, cast

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from runner.config.compose import (
    Composed,
    name_after,
    opened,
    own_part,
    selection_of,
    sweep_of,
    typed,
)
from runner.config.messages import MISTAKES, in_our_words, translated
from runner.config.moved import moved
from runner.config.recipe import plain, shown
from runner.config.sweep import Sweep, bare, check_number
from runner.errors import ConfigError
from runner.sweeps.asked import (
    Choice,
    axes_of_line,
    axes_of_params,
    chosen,
    decided,
    is_of_sweep,
    joined,
)
from runner.sweeps.grid import Given, differing, expand, names
from runner.sweeps.trials import Called

ALONE = "++sweep=null"
KEY_CHARACTERS = 16


@dataclass(frozen=True)
class Member:
    """One run of a sweep.

    Parameters
    ----------
    number : int
        Its place in the sweep, from 0.
    name : str
        The number, and what tells it from the others.
    params : mapping of str to object
        What tells it from the others, by key, without secrets.
    composed : Composed
        Its experiment.
    key : str
        The same for the same config in every process. Where two members have the same config, as
        far as the record may tell it, the second has another key.
    overrides : tuple of str
        What Hydra's own launchers compose it from.
    """

    number: int
    name: str
    params: Mapping[str, Any]
    composed: Composed
    key: str
    overrides: tuple[str, ...]

    @property
    def called(self) -> Called:
        """By what it is known."""
        return Called(self.number, self.name, self.key, dict(self.params))


def is_sweep(
    sweep: Any, overrides: Sequence[str], params: Mapping[str, Any] | None = None
) -> bool:
    """Say whether this is more than one run.

    Parameters
    ----------
    sweep : object
        The section ``sweep`` as plain containers.
    overrides : sequence of str
        Of the command line. A key that it sets is swept by the file no more.
    params : mapping of str to object, optional
        Of ``hydra.sweeper.params``.

    Raises
    ------
    ConfigError
        If one of them cannot be read.

    Examples
    --------
    >>> swept = {"grid": {"seed": [1, 2]}}
    >>> is_sweep(swept, []), is_sweep(swept, ["seed=3"]), is_sweep(None, ["seed=1,2"])
    (True, False, True)
    """
    with in_our_words():
        asked = OverridesParser.create().parse_overrides(opened(overrides))
    is_alone = any(override.key_or_group == "sweep" and not override.value() for override in asked)
    swept = any(override.is_sweep_override() for override in asked)
    if swept or (params and not is_alone):
        return True
    return bool(Sweep.from_plain(sweep).without(decided(asked)))


def compose_members(
    loader: ConfigLoader, base: DictConfig, overrides: Sequence[str]
) -> list[Member]:
    """Compose the members of a sweep.

    They are the product of what the command line and ``hydra.sweeper.params`` sweep over, in
    Hydra's words, and of the section ``sweep``. A key that the command line sets is swept by
    the file no more. Where it sweeps over ``experiment``, each file's own sweep is run. Of
    members with equal overrides the first is kept.

    Parameters
    ----------
    loader : ConfigLoader
        What composed the base.
    base : DictConfig
        The config with Hydra's node, composed for ``RunMode.MULTIRUN``.
    overrides : sequence of str
        Of the command line, as Hydra holds them in ``hydra.overrides.task``.

    Raises
    ------
    ConfigError
        If the sweep, or a member of it, cannot be composed.
    """
    with in_our_words():
        found = [
            (composer, choice)
            for composer in _composers(loader, base, opened(overrides))
            for choice in composer.choices()
        ]
    visible = [{key: shown(key, value) for key, value in each.swept.items()} for _, each in found]
    lines = [choice.texts for _, choice in found]
    return numbered(visible, lines, lambda number: found[number][0].compose(lines[number]))


def numbered(
    given: Sequence[Given], lines: Sequence[Sequence[str]], compose: Callable[[int], Composed]
) -> list[Member]:
    """Make members of what each sets, without secrets, and of what it is composed from."""
    keys, called = differing(given), names(given)
    seen: Counter[str] = Counter()
    members = []
    for number, line in enumerate(lines):
        try:
            composed = compose(number)
            key = key_of(composed.config, seen)
        except MISTAKES as error:
            raise translated(error).at(f"member {called[number]}") from error
        params = {name: given[number][name] for name in keys if name in given[number]}
        members.append(Member(number, called[number], params, composed, key, tuple(line)))
    return members


def key_of(config: DictConfig, seen: Counter[str]) -> str:
    """Return the key of a config that is to be a member beside those seen before.

    Parameters
    ----------
    config : DictConfig
        Composed, of the experiment alone.
    seen : Counter of str
        How often each config came before; this one is added.
    """
    content = plain(config)
    stages = list(content.get("preprocessing") or {})  # the one section whose order has a meaning
    digest = sha256(json.dumps([canonical(content), stages], sort_keys=True).encode())
    first = digest.hexdigest()
    seen[first] += 1
    if seen[first] > 1:
        digest.update(str(seen[first]).encode())
    return digest.hexdigest()[:KEY_CHARACTERS]


def canonical(node: Any) -> Any:
    """Let no number be taken for the text of that number, also not as a key."""
    if isinstance(node, Mapping):
        return {repr(key): canonical(value) for key, value in node.items()}
    if isinstance(node, list):
        return [canonical(item) for item in node]
    return node if node is None or isinstance(node, bool | int | float | str) else repr(node)


def _composers(
    loader: ConfigLoader, base: DictConfig, overrides: Sequence[str]
) -> Iterator["_Composer"]:
    """Yield what composes the members of each experiment."""
    composer = _Composer(loader, base, overrides)
    files = composer.axes.get("experiment", [])
    if not any(choice.swept for choice in files):
        yield composer
        return
    others = [item for item in overrides if item.partition("=")[0] != "experiment"]
    for choice in files:
        asked = [*choice.texts, *others]
        own = loader.load_configuration(
            base.hydra.job.config_name, [*_of_hydra(base), *asked], run_mode=RunMode.MULTIRUN
        )
        composer = _Composer(loader, own, asked)
        composer.axes["experiment"] = [choice]
        yield composer


def _of_hydra(base: DictConfig) -> list[str]:
    return cast("list[str]", OmegaConf.to_container(base.hydra.overrides.hydra))


class _Composer:
    """What composes the members of one experiment.

    Hydra builds a config from the options that are chosen, and then applies all other overrides
    in order. Here the first is done once for every choice of options.
    """

    def __init__(self, loader: ConfigLoader, base: DictConfig, overrides: Sequence[str]) -> None:
        self._loader = cast("ConfigLoaderImpl", loader)
        self._base = base
        self._parser = OverridesParser.create(config_loader=loader)
        self._repository = self._loader._parse_overrides_and_create_caching_repo(  # noqa: SLF001
            base.hydra.job.config_name, _of_hydra(base)
        )[1]
        self._parsed: dict[str, Override] = {}
        self._chosen: dict[tuple[str, ...], tuple[DictConfig, str]] = {}
        asked = self._parser.parse_overrides(list(overrides))
        params = OmegaConf.select(base, "hydra.sweeper.params") or OmegaConf.create()
        plain_params = cast("dict[str, Any]", OmegaConf.to_container(params, resolve=False))
        self.axes = axes_of_params(self._parser, plain_params, decided(asked))
        self.axes |= axes_of_line(asked)
        self.sweep = Sweep.from_plain(sweep_of(base)).without(decided(asked))
        for key in self.sweep.keys() & set(map(bare, self.axes)):
            raise ConfigError(
                key,
                "be swept in one place",
                got="sweep and hydra.sweeper.params",
                remedy="Leave it in one of them.",
            )

    def choices(self) -> list[Choice]:
        """Return what each member is composed from; of equal ones the first."""
        first = Choice((ALONE,) if self.sweep else (), {})
        inner = [
            joined([first, *(chosen(key, value) for key, value in member.items())])
            for member in expand(self.sweep)
        ]
        check_number(prod(map(len, self.axes.values())) * len(inner))
        found: dict[tuple[str, ...], Choice] = {}
        for outer in product(*self.axes.values()):
            for own in inner:
                choice = joined([own, *outer])
                found.setdefault(choice.texts, choice)
        return list(found.values())

    def compose(self, texts: Sequence[str]) -> Composed:
        """Compose a member as ``load_sweep_config`` does from the same overrides."""
        choosing, setting = [], []
        for item in texts:
            override = self._parse(item)
            if self._chooses(override):
                choosing.append(item)
            elif not is_of_sweep(override):
                setting.append(override)
        options, file = self._with_options(tuple(choosing))
        config = deepcopy(options)
        ConfigLoaderImpl._apply_overrides_to_config(setting, config)  # noqa: SLF001
        name_after(config, file)
        halving = self.sweep.halving
        sweep = None if halving is None else {"halving": halving}
        return Composed(config, typed(texts), selection_of(file), sweep)

    def _parse(self, item: str) -> Override:
        if item not in self._parsed:
            self._parsed[item] = self._parser.parse_override(item)
        return self._parsed[item]

    def _chooses(self, override: Override) -> bool:
        is_group = self._repository.group_exists(override.key_or_group)
        return is_group and not isinstance(override.value(), dict)

    def _with_options(self, choosing: tuple[str, ...]) -> tuple[DictConfig, str]:
        if choosing not in self._chosen:
            config = self._loader.load_sweep_config(self._base, list(choosing))
            file = config.hydra.runtime.choices.get("experiment") or ""
            self._chosen[choosing] = moved(own_part(config), choosing), file
        return self._chosen[choosing]
