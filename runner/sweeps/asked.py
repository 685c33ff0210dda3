"""A sweep in Hydra's own words: ``a=1,2``, ``range(1,9)`` and ``hydra.sweeper.params``."""

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import islice
from typing import Any, NamedTuple

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from runner.config.compose import opened
from runner.config.sweep import MOST_MEMBERS, bare, check_number, flattened
from runner.errors import ConfigError
from runner.sweeps.text import text


class Choice(NamedTuple):
    """What a member may set: overrides as Hydra takes them, and by key what is swept by them."""

    texts: tuple[str, ...]
    swept: dict[str, Any]


def chosen(key: str, value: Any) -> Choice:
    """Set a key to one of the values that it is swept over.

    Examples
    --------
    >>> chosen("estimator.alpha", 0.1)
    Choice(texts=('++estimator.alpha=0.1',), swept={'estimator.alpha': 0.1})
    """
    return Choice(tuple(opened([f"{key}={text(value)}"])), {key: value})


def joined(choices: Iterable[Choice]) -> Choice:
    """Make several choices one, in order.

    Examples
    --------
    >>> joined([chosen("seed", 1), chosen("strict", True)])
    Choice(texts=('seed=1', 'strict=true'), swept={'seed': 1, 'strict': True})
    """
    texts: list[str] = []
    swept: dict[str, Any] = {}
    for choice in choices:
        texts += choice.texts
        swept |= choice.swept
    return Choice(tuple(texts), swept)


def axes_of_line(asked: Sequence[Override]) -> dict[str, list[Choice]]:
    """Return by key what a command line lets members choose from: one thing where it is plain.

    What it says of the section ``sweep`` is no choice of a member.

    Raises
    ------
    ConfigError
        If it sweeps over ``sweep`` itself, over an interval, or over nothing.

    Examples
    --------
    >>> asked = OverridesParser.create().parse_overrides(["seed=1,2", "++fit.epochs=3"])
    >>> axes_of_line(asked)["seed"][1]
    Choice(texts=('seed=2',), swept={'seed': 2})
    >>> axes_of_line(asked)["fit.epochs"]
    [Choice(texts=('++fit.epochs=3',), swept={})]
    """
    found: dict[str, list[Choice]] = {}
    for override in asked:
        choices = _choices(override)
        if not is_of_sweep(override):
            found[_typed_key(override)] = choices
    return found


def axes_of_params(
    parser: OverridesParser, params: Mapping[str, Any], decided: Set[str]
) -> dict[str, list[Choice]]:
    """Return by key the choices of ``hydra.sweeper.params``, but for keys decided elsewhere.

    A list of YAML is swept over, as is text that Hydra reads as a sweep.

    Raises
    ------
    ConfigError
        If it names what is no setting of the experiment.
    """
    found: dict[str, list[Choice]] = {}
    for key, value in flattened(params):
        if isinstance(value, list) and value:
            choices = [chosen(key, item) for item in value]
            override = parser.parse_override(f"{key}=")
        else:
            written = value if isinstance(value, str) else text(value)
            override = parser.parse_override(opened([f"{key}={written}"])[-1])
            choices = _choices(override)
        if override.is_hydra_override() or is_of_sweep(override):
            raise ConfigError(
                "hydra.sweeper.params",
                "name settings of the experiment",
                got=repr(key),
                remedy="Leave it out, or set it on the command line.",
            )
        if bare(key) not in decided:
            found[key] = choices
    return found


def _choices(override: Override) -> list[Choice]:
    if not override.is_sweep_override():
        return [Choice((str(override.input_line),), {})]
    key = _typed_key(override)
    listed = override.sweep_iterator() if override.is_discrete_sweep() else iter(())
    values = list(islice(listed, MOST_MEMBERS + 1))
    check_number(len(values))
    if not values or is_of_sweep(override):
        raise ConfigError(
            bare(key),
            "be swept over values that are listed",
            got=str(override.input_line),
            remedy="Write key=a,b or key=range(1,9); the section sweep is given once.",
        )
    return [chosen(key, Override._convert_value(value)) for value in values]  # noqa: SLF001


def _typed_key(override: Override) -> str:
    key = override.get_key_element()
    typed = key.removeprefix("++")
    return typed if opened([f"{typed}="]) == [f"{key}="] else key


def is_of_sweep(override: Override) -> bool:
    """Say whether an override changes the section ``sweep``."""
    return override.key_or_group.partition(".")[0] == "sweep"


def decided(asked: Sequence[Override]) -> set[str]:
    """Return the keys that a command line sets, without the signs that add or remove them.

    Examples
    --------
    >>> asked = OverridesParser.create().parse_overrides(["++a.b=1,2", "~c", "d={e: 1}"])
    >>> sorted(decided(asked))
    ['a.b', 'c', 'd', 'd.e']
    """
    found = set()
    for override in asked:
        key, value = bare(override.get_key_element()), override.value()
        found |= {key, *(dict(flattened(value, key)) if isinstance(value, dict) else ())}
    return found
