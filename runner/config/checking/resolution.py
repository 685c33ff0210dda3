"""A composed config as plain containers, with everything in it that cannot be resolved."""

import re
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from runner.config.checking.validation import UNRESOLVED
from runner.config.compose import MISSING
from runner.config.signatures.signature import TARGET
from runner.errors import Problem
from runner.spelling import meant

_LOST = re.compile(r"Interpolation key '([^']*)' not found")
_NO_VARIABLE = re.compile(r"Environment variable '([^']*)' not found")
_NO_RESOLVER = re.compile(r"Unsupported interpolation type (\S+)")
RESOLVERS = ("now", "oc.create", "oc.decode", "oc.env", "oc.select")


def resolved(config: DictConfig) -> tuple[dict[str, Any], list[Problem]]:
    """Return a config as plain containers; what refers to nothing is ``UNRESOLVED`` and told.

    Examples
    --------
    >>> plain, problems = resolved(OmegaConf.create({"seed": 3, "a": "${seed}", "b": "${sede}"}))
    >>> plain["a"], plain["b"] is UNRESOLVED
    (3, True)
    >>> print(problems[0])
    b: ${sede} refers to nothing
        did you mean 'seed'?
    """
    problems: list[Problem] = []
    return _of(config, config, "", problems), problems


def _of(node: Any, config: DictConfig, key: str, problems: list[Problem]) -> Any:
    if isinstance(node, DictConfig):
        return {name: _item(node, name, config, (key, problems)) for name in node}
    if isinstance(node, ListConfig):
        indexes = range(len(node))
        return [_item(node, index, config, (key, problems)) for index in indexes]
    return node


def _item(
    node: DictConfig | ListConfig, name: Any, config: DictConfig, at: tuple[str, list[Problem]]
) -> Any:
    if OmegaConf.is_missing(node, name):
        return MISSING
    key, problems = f"{at[0]}.{name}" if at[0] else str(name), at[1]
    try:
        value = node[name]
    except (OmegaConfBaseException, ValueError) as error:
        if "HydraConfig was not set" in str(error) and name != TARGET:  # the run knows it
            return UNRESOLVED
        problems.append(lost_of(key, error, config))
        return UNRESOLVED
    return _of(value, config, key, problems)


def lost_of(key: str, error: Exception, config: DictConfig) -> Problem:
    """Say why the value of a key cannot be resolved."""
    said = " ".join(str(error).strip().split("\n")[0].split()).rstrip(".")
    if lost := _LOST.search(said):
        known = list(_keys(OmegaConf.to_container(config, resolve=False)))
        return Problem(key, f"${{{lost[1]}}} refers to nothing", meant(lost[1], known))
    if lost := _NO_VARIABLE.search(said):
        remedy = f"set it in the shell, or write ${{oc.env:{lost[1]},VALUE}} for where it is not"
        return Problem(key, f"the environment has no variable {lost[1]}", remedy)
    if lost := _NO_RESOLVER.search(said):
        return Problem(key, f"there is no resolver {lost[1]!r}", meant(lost[1], RESOLVERS))
    if "Recursive interpolation" in said:
        return Problem(key, "refers back to itself", "write a value in one of the places")
    return Problem(key, f"cannot be resolved: {said}", "mend what it refers to")


def _keys(node: Any, key: str = "") -> Any:
    if isinstance(node, Mapping):
        for name, value in node.items():
            dotted = f"{key}.{name}" if key else str(name)
            yield dotted
            yield from _keys(value, dotted)
