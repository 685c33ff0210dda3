"""What is typed behind a verb, taken apart, and the exit code of what went wrong."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from runner.config.words import is_name
from runner.errors import ConfigError, nearest

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import NoReturn

WRONG = 2
QUIET, JSON = "--quiet", "--json"
SEE = "`runner help` shows what there is."
_FLAG, _ONE_OF = "A flag of `runner {}`", "be one of those there are"


def parser_of(verb: str) -> "ArgumentParser":
    """Return a parser that takes no flag by its beginning alone, and raises what is wrong."""
    from argparse import ArgumentParser

    class Parser(ArgumentParser):
        def error(self, message: str) -> "NoReturn":
            flags = [flag for action in self._actions for flag in action.option_strings]
            raise refusal(verb, message, [flag for flag in flags if flag.startswith("--")])

    return Parser(prog=f"runner {verb}", allow_abbrev=False)


def refusal(verb: str, message: str, flags: Sequence[str]) -> ConfigError:
    """Return what argparse says is wrong with the words behind a verb, in our words.

    Examples
    --------
    >>> print(refusal("resume", "unrecognized arguments: --frce", ["--force"]))
    A flag of `runner resume` must be one of those there are; got --frce. Did you mean '--force'?
    >>> print(refusal("runs", "argument --limit: invalid int value: 'few'", ["--limit"]))
    --limit must be followed by a whole number; got 'few'. `runner help` shows what there is.
    """
    kind, _, rest = message.partition(": ")
    if kind == "unrecognized arguments":
        return _unknown(verb, rest.split(" "), flags)
    if kind == "the following arguments are required":
        return ConfigError(
            f"`runner {verb}`",
            f"be followed by {rest.upper()}",
            got="nothing",
            remedy="`runner runs` shows the runs." if "run" in rest else SEE,
        )
    flag, said = kind.removeprefix("argument "), rest
    if said.startswith("invalid int value: "):
        got = said.partition(": ")[2]
        return ConfigError(flag, "be followed by a whole number", got=got, remedy=SEE)
    if said.startswith("expected "):
        return ConfigError(flag, "be followed by its value", got="nothing", remedy=SEE)
    return ConfigError(f"`runner {verb}`", "be typed as it is meant", got=message, remedy=SEE)


def _unknown(verb: str, words: Sequence[str], flags: Sequence[str]) -> ConfigError:
    wrong = [word for word in words if word.startswith("-")]
    if wrong:
        name = wrong[0].partition("=")[0]
        remedy = nearest(name, flags) if flags else SEE
        return ConfigError(_FLAG.format(verb), _ONE_OF, got=wrong[0], remedy=remedy)
    return ConfigError(
        f"`runner {verb}`", "be followed by no more words", got=" ".join(words), remedy=SEE
    )


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
            raise _unknown(verb, [word], list(known))


def taken(flag: str, rest: Sequence[str]) -> tuple[bool, list[str]]:
    """Take a flag without a value out of the words, and say whether it was there.

    Examples
    --------
    >>> taken("--json", ["quickstart", "--json"])
    (True, ['quickstart'])
    """
    return flag in rest, [word for word in rest if word != flag]
