"""What is typed behind a verb, taken apart, and the exit code of what went wrong."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from runner.config.words import is_name
from runner.errors import ConfigError, nearest

if TYPE_CHECKING:
    from argparse import ArgumentParser

WRONG = 2


def parser_of(verb: str) -> "ArgumentParser":
    """Return a parser that takes no flag by its beginning alone."""
    from argparse import ArgumentParser

    return ArgumentParser(prog=f"runner {verb}", allow_abbrev=False)


def experiment_of(verb: str, rest: list[str]) -> tuple[str, list[str]]:
    """Return the experiment that is named, and the other words.

    Raises
    ------
    ConfigError
        If none is named, or two are.
    """
    named = [word for word in rest if is_name(word)]
    if not named:
        raise ConfigError(
            "The experiment",
            "be named",
            got="nothing",
            remedy=f"Write `runner {verb} NAME`; `runner list` shows the names.",
        )
    second = next((word for word in rest if word.startswith("experiment=")), None)
    if second:
        raise ConfigError(
            "The experiment",
            "be named once",
            got=f"{named[0]} and {second}",
            remedy=f"Write `runner {verb} {second.removeprefix('experiment=')}`.",
        )
    rest = rest.copy()
    rest.remove(named[0])
    return named[0], rest


def value_of(flag: str, what: str, rest: list[str]) -> tuple[str | None, list[str]]:
    """Take a flag and the word behind it out of the words.

    Parameters
    ----------
    flag : str
        Such as ``--why``; its value follows it, or an equals sign.
    what : str
        What its value is, as a person calls it.
    rest : list of str
        The words.

    Returns
    -------
    value : str or None
        None where the flag is not given.
    rest : list of str
        The other words.

    Raises
    ------
    ConfigError
        If nothing follows the flag, or it is given twice.

    Examples
    --------
    >>> value_of("--why", "a key", ["quickstart", "--why", "seed", "seed=1"])
    ('seed', ['quickstart', 'seed=1'])
    """
    found = [i for i, word in enumerate(rest) if word.partition("=")[0] == flag]
    if not found:
        return None, rest
    if len(found) > 1:
        raise ConfigError(flag, "be given once", got="two of them", remedy="Leave one out.")
    start = found[0]
    stop = start + 1 if "=" in rest[start] else start + 2
    value = " ".join(rest[start:stop])[len(flag) + 1 :]
    if not value or value.startswith("-"):
        raise ConfigError(
            flag, f"be followed by {what}", got=value or "nothing", remedy=f"Write {flag} {what}."
        )
    return value, rest[:start] + rest[stop:]


def check_flags(verb: str, rest: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a flag that a verb has not.

    Raises
    ------
    ConfigError
        With the nearest flag.
    """
    for word in rest:
        if word.startswith("-"):
            raise ConfigError(
                f"A flag of `runner {verb}`",
                "be one of those there are",
                got=word,
                remedy=nearest(word, known),
            )
