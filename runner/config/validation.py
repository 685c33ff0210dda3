"""Check a composed config against the names and signatures it refers to; no data is read."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from runner.config.allow import resolve, resolve_function
from runner.errors import ConfigError, nearest
from runner.project import option_files

NOUNS = (
    "dataset",
    "stream",
    "preprocessing",
    "estimator",
    "partial_fit",
    "fit",
    "evaluation",
    "callbacks",
    "tracking",
)
FUNCTIONS = ("function", "func", "inverse_func")  # of a dataset, and of a FunctionTransformer
EVERY_DATASET = ("chunks", "holdout", "holdout_by", "validation", "seed")
LISTED = ("preprocessing", "callbacks")  # of these several are chosen, by name
CHOSEN = {
    "dataset": "dataset=make_classification, or another of `runner list`",
    "estimator": "estimator=sgd_classifier, or another of `runner list`",
}


def validate(config: Mapping[str, Any]) -> None:
    """Refuse a config that cannot be built.

    Parameters
    ----------
    config : mapping
        The composed config as plain containers, resolved; a value still to be set is ``"???"``.

    Raises
    ------
    ConfigError
        At the first key without a value, unknown to what it configures, or naming something
        that is not allowed.
    """
    for noun in NOUNS:
        _check_section(noun, config.get(noun))
    for noun in LISTED:
        _check_chosen(noun, config[noun])
    for key, value in _leaves(config):
        if value == "???":
            raise ConfigError(
                key, "be set", got="nothing", remedy=f"Write it in the file, or {key}=... here."
            )
    _check_node("", config)


def _check_section(noun: str, node: Any) -> None:
    if isinstance(node, str):
        raise ConfigError(
            noun,
            "be a section of keys; an option is chosen under defaults",
            got=repr(node),
            remedy=f"Write `defaults: [{{override /{noun}: {node}}}]`, or {noun}={node} here.",
        )
    if noun in CHOSEN and not (isinstance(node, Mapping) and "_target_" in node):
        raise ConfigError(
            noun, "be chosen", got=_what_is_there(node), remedy=f"Write {CHOSEN[noun]}."
        )
    if not isinstance(node, Mapping):
        raise ConfigError(
            noun,
            "be a section of keys",
            got=repr(node),
            remedy=f"Leave {noun} out, or write keys.",
        )


def _check_chosen(noun: str, section: Mapping[str, Any]) -> None:
    """Refuse settings of an option that was not chosen, which are nothing that can be built."""
    for name, node in section.items():
        if isinstance(node, Mapping) and "_target_" not in node:
            options = option_files(noun)
            chosen = [
                key for key in section if key in options and "_target_" in (section[key] or ())
            ]
            remedy = (
                f"Write {noun}=[{','.join([*chosen, str(name)])}]."
                if name in options
                else f"Write its _target_, or name an option. {nearest(str(name), options)}"
            )
            raise ConfigError(
                f"{noun}.{name}", "be chosen", got=_what_is_there(node), remedy=remedy
            )


def _what_is_there(node: Any) -> str:
    named = node if isinstance(node, Mapping) else {}
    own = [key for key in named if key not in EVERY_DATASET]
    return f"only {', '.join(own)}" if own else "nothing"


def _leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _leaves(value, _joined(key, name))
    else:
        yield key, node


def _check_node(key: str, node: Any) -> None:
    if isinstance(node, list):
        for index, item in enumerate(node):
            _check_node(_joined(key, index), item)
    if not isinstance(node, Mapping):
        return
    if "_target_" in node:
        target = resolve(_joined(key, "_target_"), str(node["_target_"]))
        _check_keys(key, node, target)
        for name in FUNCTIONS:  # they name code, like _target_ does
            if isinstance(node.get(name), str):
                resolve_function(_joined(key, name), node[name])
    for name, value in node.items():
        _check_node(_joined(key, name), value)


def _check_keys(key: str, node: Mapping[str, Any], target: Any) -> None:
    if not inspect.isclass(target):
        raise ConfigError(
            _joined(key, "_target_"),
            "name a class",
            got=str(node["_target_"]),
            remedy="A function that makes a dataset goes under dataset=function.",
        )
    parameters = inspect.signature(target).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for name in node:
        if name != "_target_" and name not in parameters:
            raise ConfigError(
                _joined(key, name),
                f"be a parameter of {target.__name__}" if key else "be a key of an experiment",
                got=repr(name),
                remedy=nearest(str(name), parameters),
            )


def _joined(key: str, name: object) -> str:
    return f"{key}.{name}" if key else str(name)
