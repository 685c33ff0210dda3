"""What a command line changes: which overrides can be read, and what is wrong with the others."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override

from runner.config.checking.defaults import has_option
from runner.config.checking.line import line_problems
from runner.config.compose import opened
from runner.config.messages import MISTAKES
from runner.config.reading.sources import on_line
from runner.config.words import is_override
from runner.errors import ConfigError, Problem
from runner.project import experiment_files, option_files, option_groups
from runner.spelling import meant

OTHER_FOLDERS = ("hydra.searchpath=", "+hydra.searchpath=", "++hydra.searchpath=")
MOST_VALUES = 2000  # of an axis; those after are looked at when their members are built


def read_line(arguments: Sequence[str]) -> tuple[list[Problem], list[tuple[str, Override]]]:
    """Return what is wrong on a command line, and the overrides that can be read.

    Parameters
    ----------
    arguments : sequence of str
        As they were typed, flags of Hydra among them.

    Returns
    -------
    problems : list of Problem
        With what was typed as their places.
    overrides : list of (str, Override)
        As typed and parsed.

    Raises
    ------
    ConfigError
        If they are no list of texts.
    """
    if isinstance(arguments, str) or not all(isinstance(text, str) for text in arguments):
        raise ConfigError(
            "The overrides",
            "be a list of texts",
            got=repr(arguments),
            remedy="Write them as ['seed=3', 'fit.epochs=5'].",
        )
    found = line_problems(arguments)
    has_other_folders = any(text.startswith(OTHER_FOLDERS) for text in arguments)
    refused = {problem.place for problem in found}
    texts = [text for text in arguments if is_override(text) and on_line(text) not in refused]
    is_many = bool({"-m", "--multirun"} & {*arguments})
    parser = OverridesParser.create()
    typed: list[tuple[str, Override]] = []
    for text in texts:
        try:
            override = parser.parse_override(opened([text])[-1])
            if not is_many:
                _check_one_value(override)
        except ConfigError as error:
            found.append(replace(Problem.of(error), place=on_line(text)))
            continue
        except MISTAKES:
            found.append(_unreadable(text))
            continue
        bad = [] if has_other_folders else list(_bad_options(override, on_line(text)))
        found += bad
        if not bad:
            typed.append((text, override))
    return found, typed


def _unreadable(text: str) -> Problem:
    """Say what is open in an override, without its value, which may be a secret."""
    key, _, value = text.lstrip("+~").partition("=")
    got, remedy = "is not as Hydra writes values", "put it in quotes, as in key='\"a b\"'"
    for opening, closing in ("[]", "{}", "()"):
        more = value.count(opening) - value.count(closing)
        if more:
            got = f"has a {opening} without its end" if more > 0 else f"has a {closing} too many"
            remedy = "close it, and put the whole in single quotes for the shell"
    if any(value.count(quote) % 2 for quote in "'\""):
        got, remedy = "has a quote that is not closed", "close it"
    return Problem(key, f"cannot be read: its value {got}", remedy, on_line(text))


def _check_one_value(override: Override) -> None:
    """Refuse several values for a key where no flag says that this is to be many runs."""
    if override.is_sweep_override():
        key = override.get_key_element().lstrip("+")
        value = str(override.input_line).partition("=")[2]
        raise ConfigError(
            key,
            "have one value where there is no -m",
            got=value,
            remedy=f"Add -m to sweep over them; a list is {key}=[{value}], and text with a "
            f"comma is \"{key}='{value}'\".",
        )


def _bad_options(override: Override, place: str) -> Iterator[Problem]:
    group = override.key_or_group
    if group.startswith("hydra") or override.is_delete():
        return
    values = values_of(override)
    if "/" in group and not option_files(group):
        yield Problem(
            group, f"there is no group {group!r}", f"write {group.replace('/', '.')}=...", place
        )
        return
    if group == "experiment":
        known: Any = experiment_files()
        unknown = [str(name) for name in values if name and str(name) not in known]
        told = "there is no experiment {!r}"
    elif group in option_groups():
        known = option_files(group)
        listed = [value if isinstance(value, list) else [value] for value in values]
        names = [name for each in listed for name in each]
        unknown = [n for n in names if isinstance(n, str) and not has_option(group, n)]
        told = f"there is no {{!r}} in {group}/"
        if None in names and group not in ("dataset", "estimator"):
            said = "must name one of its options; got null"
            yield Problem(group, said, "leave it out to keep the usual one", place)
    else:
        return
    for name in unknown:
        if "${" not in name:
            yield Problem(group, told.format(name), meant(name, known), place)


def values_of(override: Override) -> list[Any]:
    """Return what an override gives to its key: of a sweep all values, or the first of many.

    Examples
    --------
    >>> parse = OverridesParser.create().parse_override
    >>> values_of(parse("seed=3")), values_of(parse("seed=range(1,4)"))
    ([3], [1, 2, 3])
    >>> len(values_of(parse("seed=range(0,1000000000)")))
    2000
    """
    value: Any = override.value()
    if isinstance(value, Glob):
        return [*value.filter(names=list(option_files(override.key_or_group)))]
    listed = override.sweep_iterator() if override.is_discrete_sweep() else [value]
    return [Override._convert_value(each) for each in islice(listed, MOST_VALUES)]  # noqa: SLF001


def openly(text: str, override: Override) -> str:
    """Let an unknown key at the top be told by us, with the others, as a dotted one is."""
    key = override.key_or_group
    is_section = isinstance(override.value(), dict)
    chooses = (key in option_groups() and not is_section) or key in ("experiment", "sweep")
    chooses = chooses or "/" in key
    is_plain = not text.startswith(("+", "~", "hydra"))
    return f"++{text}" if is_plain and not chooses and "." not in key else text
