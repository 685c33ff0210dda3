"""The members of a sweep as its record keeps them, so that they can be run again."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

from runner.config.compose import Composed
from runner.config.recipe import shown, without_secret
from runner.errors import ConfigError
from runner.redaction import REDACTED
from runner.sweeps.members import Member

PATH = "sweep/members.json"


def as_text(members: Sequence[Member]) -> str:
    """Write members as JSON: their configs as they were composed, without secrets."""
    return json.dumps([_plain(member) for member in members], indent=1, ensure_ascii=False)


def _plain(member: Member) -> dict[str, Any]:
    composed = member.composed
    written = shown("", OmegaConf.to_container(composed.config, resolve=False))
    return {
        "number": member.number,
        "name": member.name,
        "key": member.key,
        "params": dict(member.params),
        "selection": composed.selection,
        "overrides": [without_secret(text) for text in composed.overrides],
        "config": OmegaConf.to_yaml(OmegaConf.create(written)),
    }


def from_text(text: str) -> list[Member]:
    """Read what ``as_text`` wrote.

    Raises
    ------
    ConfigError
        If it is something else, or the config of a member held a secret.
    """
    try:
        return [_member(item) for item in json.loads(text)]
    except (ValueError, KeyError, TypeError, AttributeError, YAMLError) as error:
        raise ConfigError(
            PATH,
            "be what a sweep keeps of its members",
            got=f"{type(error).__name__}: {error}",
            remedy="Run the sweep anew.",
        ) from error


def _member(item: Mapping[str, Any]) -> Member:
    config = OmegaConf.create(item["config"])
    if not isinstance(config, DictConfig):
        raise TypeError(f"a {type(config).__name__} as the config of a member")
    for key, value in OmegaConf.to_container(config, resolve=False).items():  # type: ignore[union-attr]
        if REDACTED in str(value):
            raise ConfigError(
                f"{key!s} of member {item['name']}",
                "hold no secret, because the record keeps none",
                got=REDACTED,
                remedy="Write it as ${oc.env:NAME} in the file, and run the sweep anew.",
            )
    composed = Composed(config, tuple(item["overrides"]), item["selection"])
    return Member(item["number"], item["name"], item["params"], composed, item["key"], ())
