"""What a sweep's record keeps so that it can be gone on with: its members, and their data."""

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

from runner.config.compose import Composed
from runner.config.recipe import shown, without_secret
from runner.errors import CheckpointError, ConfigError, RunnerWarning
from runner.redaction import REDACTED, redacted
from runner.saved import differences, surroundings_of
from runner.sweeps.members import Member
from runner.sweeps.plan import Group

PATH = "sweep/members.json"
DATA = "sweep/data.json"


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


def data_as_text(groups: Sequence[Group]) -> str:
    """Write as JSON what the data, the files and the libraries of each group are."""
    found = [{"members": _keys(group), **_surroundings(group)} for group in groups]
    return json.dumps(found, indent=1, ensure_ascii=False)


def check_data(run_id: str, text: str, groups: Sequence[Group], *, is_forced: bool) -> None:
    """Refuse to go on with a sweep where something is not as it was.

    Parameters
    ----------
    run_id : str
        Of the sweep.
    text : str
        By ``data_as_text``, when it began.
    groups : sequence of Group
        The members that are left to run.
    is_forced : bool
        Whether it goes on all the same.

    Raises
    ------
    CheckpointError
        With all that differs; only a warning if it is forced.
    """
    then = {key: group for group in json.loads(text) for key in group["members"]}
    found: dict[str, None] = {}
    for group in groups:
        before = next((then[key] for key in _keys(group) if key in then), None)
        if before is not None:
            found |= dict.fromkeys(differences(before, _surroundings(group)))
    if not found:
        return
    told = "; ".join(found)
    if not is_forced:
        raise CheckpointError(
            f"The sweep {run_id}",
            "go on with the data and the libraries that it began with",
            got=f"another state of things: {told}",
            remedy="Set things back, or add --force: the members that are left learn from things "
            "as they are now, and are then not to be compared with those that finished.",
        )
    warnings.warn(
        f"Gone on although {told}: the members are not to be compared with those that finished.",
        RunnerWarning,
        stacklevel=2,
    )


def _keys(group: Group) -> list[str]:
    return [built.member.key for built in group.built]


def _surroundings(group: Group) -> dict[str, Any]:
    """Return what must be the same for a group that goes on, as the record may tell it."""
    found = surroundings_of(group.split, group.lead.dataset.fingerprint())
    told: dict[str, Any] = json.loads(redacted(json.dumps(found)))
    return told
