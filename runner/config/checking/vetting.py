"""What cannot be run is refused before Hydra composes it."""

from collections.abc import Iterator, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser

from runner.config.checking.examination import examined
from runner.config.checking.line import line_problems
from runner.config.checking.typed import values_of
from runner.config.messages import in_our_words
from runner.config.reading.sources import on_line
from runner.errors import InvalidConfigError, Problem

ASKING = frozenset(
    {"--cfg", "-c", "--info", "-i", "--hydra-help", "--version", "--shell-completion", "-sc"}
)


def vet(name: str | None, arguments: Sequence[str]) -> None:
    """Refuse what cannot be run, before Hydra composes it.

    Parameters
    ----------
    name : str or None
        The experiment; None where an override, ``experiment=NAME``, or nothing names it.
    arguments : sequence of str
        Overrides and flags of Hydra.

    Raises
    ------
    InvalidConfigError
        With everything that is wrong.
    """
    found = line_problems(arguments)
    asks = bool(ASKING & set(arguments))  # Hydra only tells something
    named = [text for text in arguments if text.partition("=")[0].lstrip("+") == "experiment"]
    if any(asks or each.place in map(on_line, named) for each in found):
        raise InvalidConfigError(found)
    if asks:
        return
    others = [text for text in arguments if text not in named]
    added = [text for text in named if text.startswith("+")]
    if added:
        said, remedy = "is chosen without a sign", f"write {added[0].lstrip('+')}"
        raise InvalidConfigError([Problem("experiment", said, remedy, on_line(added[0]))])
    names: list[str | None] = [name] if name else [*_experiments(named)] or [None]
    for each in names:
        examined(each, others).refuse()


def _experiments(overrides: Sequence[str]) -> Iterator[str]:
    with in_our_words():
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    for override in parsed:
        yield from (str(each) for each in values_of(override) if each)
