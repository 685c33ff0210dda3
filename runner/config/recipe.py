"""What was asked, flattened and without secrets, as the record keeps it."""

import os
import re
import shlex
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from omegaconf.resolvers import oc

from runner.config.compose import MISSING, Composed
from runner.records import Recipe
from runner.redaction import REDACTED, is_secret, redacted, remember

MOST_NODES = 100_000  # what refers to more of itself is refused where it is resolved
_REFERENCE = re.compile(r"\$\{[^{},]+\}")


def recipe(config: DictConfig, overrides: Sequence[str], selection: str) -> Recipe:
    """Make the record of what was asked.

    What comes from the environment is no part of it, nor is what stands under a key that
    promises a secret.

    Parameters
    ----------
    config : DictConfig
        The composed config of the experiment, without Hydra's own node.
    overrides : sequence of str
        What the command line changed, as it was written.
    selection : str
        The experiment's name or path, "" where the command line alone describes it.
    """
    written = OmegaConf.to_container(config, resolve=False)
    asked = [without_secret(text) for text in overrides]
    verb = ["run", selection] if selection else []
    return Recipe(
        name=str(config.name),
        params=flattened(plain(config)),
        config=OmegaConf.to_yaml(OmegaConf.create(_hidden(written))),
        overrides=tuple(asked),
        command=shlex.join(["runner", *verb, *asked]),
    )


def plain(config: DictConfig) -> dict[str, Any]:
    """Return a config as plain containers, resolved, without secrets and the environment.

    Examples
    --------
    >>> plain(OmegaConf.create({"seed": 3, "a": "${seed}", "b": "${oc.env:HOME}", "pwd": "x"}))
    {'seed': 3, 'a': 3, 'b': '<redacted>', 'pwd': '<redacted>'}
    """
    with _environment_watched() as read:
        return dict(_hidden(_resolved(config, read)))


def sweep_text(composed: Composed) -> str:
    """Return the section ``sweep`` as YAML, without secrets; "" where nothing is in it."""
    given = {key: value for key, value in (composed.sweep or {}).items() if value}
    return OmegaConf.to_yaml(OmegaConf.create({"sweep": shown("sweep", given)})) if given else ""


def shown(key: str, value: Any) -> Any:
    """Return the value of a dotted key without what it tells of secrets.

    Examples
    --------
    >>> shown("dataset.credentials.pin", 1234), shown("dataset.uri", "s3://ann:pw@host")
    ('<redacted>', 's3://<redacted>@host')
    """
    return _hidden(value, _secret_part(key))


def _secret_part(key: str) -> str:
    return next(filter(is_secret, key.lstrip("+~").split(".")), "")


def with_effective(
    asked: Recipe, estimator: Any, preprocessing: Mapping[str, Any] | None = None
) -> Recipe:
    """Let the parameters that the estimator holds stand for those that were asked.

    So that two runs can be compared by every setting they had, not only by what was written. Of
    the stages before the estimator these are the random states. What was hidden stays hidden.

    Examples
    --------
    >>> from sklearn.preprocessing import Normalizer
    >>> with_effective(Recipe("a", {"estimator.copy": None}), Normalizer()).params
    {'estimator.copy': True, 'estimator.norm': 'l2'}
    """
    held = _held("estimator", estimator)
    for name, stage in (preprocessing or {}).items():
        states = _held(f"preprocessing.{name}", stage)
        held |= {key: v for key, v in states.items() if key.endswith(".random_state")}
    sections = {"estimator", *(key.rpartition(".")[0] for key in asked.params)}
    sections |= {f"preprocessing.{name}" for name in preprocessing or {}}
    visible = {
        key: _hidden(value, key)
        for key, value in held.items()
        if key.rpartition(".")[0] in sections  # else it is part of a list, which is one param
        and REDACTED not in str(asked.params.get(key))
        and _is_plain(value)
    }
    return replace(asked, params={**asked.params, **visible})


def _held(section: str, learner: Any) -> dict[str, Any]:
    if not hasattr(learner, "get_params"):
        return {}
    params = learner.get_params(deep=True)
    return {f"{section}.{name.replace('__', '.')}": value for name, value in params.items()}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


@contextmanager
def _environment_watched() -> Iterator[list[str]]:
    """Yield a list to which each variable is added that OmegaConf reads from now on."""
    read: list[str] = []

    def env(variable: str, *default: Any) -> str | None:
        read.append(variable)
        return _env(variable, *default)

    OmegaConf.register_new_resolver("oc.env", env, replace=True)
    try:
        yield read
    finally:
        OmegaConf.register_new_resolver("oc.env", _env, replace=True)


def variables(config: DictConfig) -> dict[str, str]:
    """Return by name the variables that a config reads, and the key that does; reads none.

    However the name and the resolver are put together in the config: it is resolved with other
    text in the place of what they hold.

    Examples
    --------
    >>> variables(OmegaConf.create({"a": [{"b": "${oc.${c}:HOME}"}], "c": "env", "d": "${c}"}))
    {'HOME': 'a.0.b'}
    """
    found: dict[str, str] = {}
    at = ""

    def env(variable: str, *_default: Any) -> str:
        found.setdefault(variable, at)
        return "what-it-holds"

    OmegaConf.register_new_resolver("oc.env", env, replace=True)
    try:
        waiting = deque(_nodes(config))
        for _ in range(MOST_NODES):
            if not waiting:
                break
            node, name, at = waiting.popleft()
            with suppress(OmegaConfBaseException, ValueError):
                if not OmegaConf.is_missing(node, name):
                    is_made = OmegaConf.is_interpolation(node, name)
                    waiting.extend(_nodes(node[name], f"{at}.") if is_made else ())
    finally:
        OmegaConf.register_new_resolver("oc.env", _env, replace=True)
    return found


def _nodes(node: Any, before: str = "") -> Iterator[tuple[Any, Any, str]]:
    if isinstance(node, DictConfig | ListConfig) and not node._is_interpolation():  # noqa: SLF001
        names: Sequence[Any] = list(node) if isinstance(node, DictConfig) else range(len(node))
        for name in names:
            yield node, name, f"{before}{name}"
            yield from _nodes(node._get_node(name), f"{before}{name}.")  # noqa: SLF001


def _env(variable: str, *default: Any) -> str | None:
    """Read a variable as OmegaConf does, and hide its value in every text from now on."""
    value = os.environ.get(variable)
    if value is not None and value not in map(str, default):  # else a file tells it anyway
        remember(variable, value)
    return oc.env(variable, *default)


OmegaConf.register_new_resolver("oc.env", _env, replace=True)


def _resolved(node: Any, read: list[str]) -> Any:
    """Return a config as plain containers; what the environment had a part in is hidden."""
    if isinstance(node, DictConfig):
        return {name: _resolved_item(node, name, read) for name in node}
    if isinstance(node, ListConfig):
        return [_resolved_item(node, index, read) for index in range(len(node))]
    return node


def _resolved_item(node: DictConfig | ListConfig, key: Any, read: list[str]) -> Any:
    if OmegaConf.is_missing(node, key):
        return MISSING
    read.clear()
    value = node[key]
    return REDACTED if read else _resolved(value, read)


def _hidden(node: Any, key: str = "") -> Any:
    if is_secret(key) and _is_told(node):
        return REDACTED
    if isinstance(node, Mapping):
        return {name: _hidden(item, _secret_part(str(name))) for name, item in node.items()}
    if isinstance(node, list | tuple):
        return [_hidden(item) for item in node]
    return redacted(node) if isinstance(node, str) else node


def _is_told(node: Any) -> bool:
    """Say whether a value is more than a switch, a gap, or the name of another place."""
    if node is None or isinstance(node, bool) or node == MISSING:
        return False
    return not (isinstance(node, str) and _REFERENCE.fullmatch(node))


def flattened(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values by dotted key, without what no file would set otherwise.

    Examples
    --------
    >>> flattened({"seed": 3, "fit": {"_target_": "Fit", "epochs": 2, "more": {}}})
    {'seed': 3, 'fit.epochs': 2, 'fit.more': {}}
    """
    return dict(_flatten(node))


def _flatten(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for name, value in node.items():
            yield from _flatten(value, f"{key}.{name}" if key else str(name))
    elif not _is_fixed_target(key):
        yield key, node


def _is_fixed_target(key: str) -> bool:
    return key.endswith("_target_") and key.split(".", maxsplit=1)[0] not in (
        "dataset",
        "estimator",
        "preprocessing",
    )


def without_secret(override: str) -> str:
    """Hide what an override tells of a secret.

    Examples
    --------
    >>> without_secret("tracking.uri=https://ann:pw@example.org/mlflow")
    'tracking.uri=https://<redacted>@example.org/mlflow'
    >>> without_secret("dataset.arguments={rows: 3, password: hidden}")
    'dataset.arguments=<redacted>'
    >>> without_secret("seed=[1"), without_secret("dataset.arguments={token: 3")
    ('seed=[1', 'dataset.arguments=<redacted>')
    """
    key, equals, text = override.partition("=")
    under = _secret_part(key)
    if text.startswith(("{", "[")):
        told = text if _tells_nothing(override, under) else REDACTED
    else:
        told = _hidden(text, under)
    return f"{key}{equals}{told}"


def _tells_nothing(override: str, under: str) -> bool:
    try:
        value = OverridesParser.create().parse_override(override).value()
    except HydraException:  # where its keys cannot be told from its values
        return not under and not any(map(is_secret, re.findall(r"[\w-]+", override)))
    return bool(_hidden(value, under) == value)
