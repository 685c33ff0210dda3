"""One colour for the members of a sweep that belong together, for charts and tables alike."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from runner.records import READ_ALIKE, Outcome
from runner.tracking.leaderboard import ranked
from runner.tracking.params import value_as_text
from runner.tracking.sweep_charts import SHOWN
from runner.tracking.tags import COLOUR

if TYPE_CHECKING:
    from mlflow import MlflowClient

OKABE_ITO = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_SEQUENCE = ("#440154", "#3b528b", "#21918c", "#5ec962", "#addc30")  # viridis, dark to light
_LIGHTEST = 0.55
_GONE = ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST")


def colours(outcomes: Sequence[Outcome]) -> dict[int, str]:
    """Return the colour of each member that differs in something, by its number.

    Members that learn in one pass, or else have the same value of the first param that is no
    number, have one hue, which the colour-blind tell from the others; the shade follows from the
    next param that differs. Where all that differs are numbers, the first runs from dark to light.

    Examples
    --------
    >>> members = [
    ...     Outcome(number=number, name="", key="", params={"loss": loss, "alpha": alpha})
    ...     for number, (loss, alpha) in enumerate([("log", 0.1), ("log", 0.2), ("hinge", 0.1)])
    ... ]
    >>> colours(members)
    {0: '#0072b2', 1: '#8cc0dc', 2: '#d55e00'}
    """
    params = [outcome.params for outcome in outcomes]
    keys = list(dict.fromkeys(key for each in params for key in each))
    hues = _hues(params, keys)
    if not keys:
        return {}
    if hues is None:
        drawn = [between(_SEQUENCE, share) for share in _shares(params, keys[0])]
    else:
        shade = next((key for key in keys if key not in hues), None)
        shares = [0.0] * len(params) if shade is None else _shares(params, shade)
        drawn = [
            between((OKABE_ITO[place], "#ffffff"), share * _LIGHTEST)
            for place, share in zip(_places(params, hues), shares, strict=True)
        ]
    return {outcome.number: colour for outcome, colour in zip(outcomes, drawn, strict=True)}


def colour(client: "MlflowClient", outcomes: Sequence[Outcome]) -> None:
    """Give the best members their colours; a run that was deleted meanwhile has none."""
    from mlflow.exceptions import MlflowException

    chosen = colours(outcomes)
    for outcome in ranked(outcomes)[:SHOWN]:
        if outcome.run_id and outcome.number in chosen:
            try:
                client.set_tag(outcome.run_id, COLOUR, chosen[outcome.number])
            except MlflowException as error:
                if error.error_code not in _GONE:
                    raise


def between(anchors: Sequence[str], share: float) -> str:
    """Return the colour at a share of the way through anchors of equal distance.

    Examples
    --------
    >>> between(("#000000", "#ff0000", "#ffffff"), 0.5), between(("#000000", "#ffffff"), 0.2)
    ('#ff0000', '#333333')
    """
    place = share * (len(anchors) - 1)
    first = min(int(place), len(anchors) - 2)
    rest = place - first
    parts = [
        round(_part(anchors[first], i) * (1 - rest) + _part(anchors[first + 1], i) * rest)
        for i in range(3)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def distinct(params: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    """Return the values of a param as text: numbers by size, others as they come.

    Examples
    --------
    >>> distinct([{"a": 10.0}, {"a": 9}, {}], "a"), distinct([{"a": "x"}, {"a": True}], "a")
    (['9', '10.0'], ['x', 'true'])
    """
    values = [each[key] for each in params if key in each]
    ordered = sorted(values) if all(map(is_number, values)) else values
    return list(dict.fromkeys(map(value_as_text, ordered)))


def is_number(value: Any) -> bool:
    """Return whether a value of a param is a number, and not a yes or no.

    Examples
    --------
    >>> is_number(0.5), is_number(True), is_number("0.5")
    (True, False, False)
    """
    return isinstance(value, Real) and not isinstance(value, bool)


def _hues(params: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[str] | None:
    """Return the keys whose values decide the hue: those of the pass, or one that is a word."""
    read = [key for key in keys if key.startswith(READ_ALIKE)]
    words = [key for key in keys if not all(is_number(p[key]) for p in params if key in p)]
    for chosen in (read, words[:1]):
        n_groups = len(set(map(tuple, _values(params, chosen))))
        if 1 < n_groups <= len(OKABE_ITO) and n_groups < max(len(params), 3):
            return chosen
    return None


def _values(params: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[list[str]]:
    return [[value_as_text(each.get(key)) for key in keys] for each in params]


def _places(params: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[int]:
    values = list(map(tuple, _values(params, keys)))
    order = list(dict.fromkeys(values))
    return [order.index(value) for value in values]


def _shares(params: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    order = {value: place for place, value in enumerate(distinct(params, key))}
    most = max(len(order) - 1, 1)
    return [order[value_as_text(each[key])] / most if key in each else 0.0 for each in params]


def _part(colour: str, number: int) -> int:
    start = 1 + 2 * number
    return int(colour[start : start + 2], 16)
