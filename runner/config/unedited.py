"""Whether the file of a recorded experiment still says what its record says."""

import shlex
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from runner.config.compose import Composed, compose
from runner.config.messages import in_our_words
from runner.config.rebuilt import ABSENT, Difference, differences, read
from runner.config.recipe import plain, sweep_text
from runner.errors import ConfigError, RunnerWarning
from runner.project import experiment_files, project_root
from runner.records import says_where
from runner.redaction import REDACTED


def check_unedited(
    run_id: str, command: str, config_text: str, *, is_forced: bool, is_sweep: bool = False
) -> None:
    """Refuse to go on with a run whose file says something else than its record.

    A file that is missing says nothing else, so that this is a warning.

    Raises
    ------
    ConfigError
        With all that differs, unless it is forced.
    """
    changed = since_recorded(command, config_text, is_sweep=is_sweep)
    kind = "sweep" if is_sweep else "run"
    if changed and not any(each.source for each in changed):
        name = changed[0].recorded
        warnings.warn(
            f"The file of the experiment {name} is missing: the {kind} goes on with the config "
            "that the record keeps.",
            RunnerWarning,
            stacklevel=2,
        )
    elif changed and not is_forced:
        raise ConfigError(
            f"The {kind} {run_id}",
            "go on with the config that it began with",
            got="another one: " + "; ".join(map(str, changed)),
            remedy=f"Set it back, start a new {kind}, or add --force: it goes on with the config "
            "that the record keeps, and what the file says now is left aside.",
        )


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
        secret, or names no file. Where the work is done is left aside.
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
                found = _since_swept(config_text, compose(name, _of_all(overrides)), source)
            else:
                now = plain(compose(name, overrides).config)
                found = differences(plain(read(config_text)), now, source)
            return [each for each in found if not says_where(each.key)]
    except ConfigError as error:
        return [Difference("experiment", name, f"what cannot be composed ({error})", source)]


def _since_swept(config_text: str, now: Composed, source: str) -> list[Difference]:
    before, after = ({"sweep": _sweep_in(text)} for text in (config_text, sweep_text(now)))
    before |= plain(read(config_text, frozenset()))
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
