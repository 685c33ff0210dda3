"""What a command line changes: which overrides can be read, and what is wrong with the others."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from runner.config.checking.defaults import groups, has_option
from runner.config.checking.line import line_problems
from runner.config.compose import check_sweeps, opened
from runner.config.messages import MISTAKES, translated
from runner.config.reading.sources import on_line
from runner.errors import ConfigError, Problem
from runner.project import experiment_files, option_files
from runner.spelling import meant

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
    """
    found = line_problems(arguments)
    refused = {problem.place for problem in found}
    texts = [text for text in arguments if _is_override(text) and on_line(text) not in refused]
    parser = OverridesParser.create()
    typed: list[tuple[str, Override]] = []
    for text in texts:
        try:
            override = parser.parse_override(opened([text])[-1])
            check_sweeps([text] if not _sweeps(arguments) else ["-m", text])
        except ConfigError as error:
            found.append(replace(Problem.of(error), place=on_line(text)))
            continue
        except MISTAKES as error:
            said = translated(error).parts[2]
            found.append(Problem("", f"cannot be read: {said}", place=on_line(text)))
            continue
        bad = list(_bad_options(override, on_line(text)))
        found += bad
        if not bad:
            typed.append((text, override))
    return found, typed


def _is_override(text: str) -> bool:
    return text.startswith(("+", "~")) or ("=" in text and not text.startswith("-"))


def _sweeps(arguments: Sequence[str]) -> bool:
    return bool({"-m", "--multirun"} & set(arguments))


def _bad_options(override: Override, place: str) -> Iterator[Problem]:
    group = override.key_or_group
    if group.startswith("hydra") or override.is_delete():
        return
    values = values_of(override)
    if group == "experiment":
        known: Any = experiment_files()
        unknown = [str(name) for name in values if name and str(name) not in known]
        told = "there is no experiment {!r}"
    elif group in groups():
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
    if not override.is_discrete_sweep():
        return [override.value()]
    return list(islice(override.sweep_iterator(), MOST_VALUES))


def openly(text: str, override: Override) -> str:
    """Let an unknown key at the top be told by us, with the others, as a dotted one is."""
    key = override.key_or_group
    chooses = key in groups() or key in ("experiment", "sweep") or "/" in key
    is_plain = not text.startswith(("+", "~", "hydra"))
    return f"++{text}" if is_plain and not chooses and "." not in key else text
