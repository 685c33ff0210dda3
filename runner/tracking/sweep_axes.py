"""Where the members of a sweep stand on the axes of its pictures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.records import Outcome
from runner.tracking.leaderboard import ranked
from runner.tracking.params import value_as_text
from runner.tracking.sweep_colours import distinct, is_number

DECADES = 100.0  # a param that spans so much is drawn on a logarithmic axis
MOST_TICKS = 8
_OUTLYING = 4.0


@dataclass(frozen=True)
class Axis:
    """A param as an axis from 0 to 1.

    Attributes
    ----------
    key : str
        Of the param.
    places : tuple of float
        Where each member stands, 0 to 1.
    ticks : tuple of (float, str)
        Where which value stands.
    is_measured : bool
        Whether its values are numbers, drawn by their size.
    is_logarithmic : bool
        Whether equal distances are equal ratios.
    """

    key: str
    places: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]
    is_measured: bool = False
    is_logarithmic: bool = False


def scored(outcomes: Sequence[Outcome], scorer: str) -> list[Outcome]:
    """Return the members that finished with a finite score, the best first."""
    return [
        outcome
        for outcome in ranked(outcomes)
        if outcome.status == "FINISHED" and math.isfinite(outcome.scores.get(scorer, math.nan))
    ]


def varying(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the keys of the params that have more than one value among members.

    Examples
    --------
    >>> made = [Outcome(number=n, name="", key="", params={"a": n, "b": 1}) for n in (0, 1)]
    >>> varying(made)
    ['a']
    """
    keys = dict.fromkeys(key for outcome in outcomes for key in outcome.params)
    texts = {key: {value_as_text(o.params.get(key)) for o in outcomes} for key in keys}
    return [key for key in keys if len(texts[key]) > 1]


def axis(params: Sequence[Mapping[str, Any]], key: str) -> Axis:
    """Return the axis of a param: numbers by their size, anything else in equal steps.

    Examples
    --------
    >>> drawn = axis([{"alpha": 0.001}, {"alpha": 0.1}, {"alpha": 0.01}], "alpha")
    >>> drawn.is_logarithmic, [round(place, 3) for place in drawn.places]
    (True, [0.0, 1.0, 0.5])
    >>> axis([{"penalty": "l1"}, {"penalty": None}, {}], "penalty").ticks
    ((0.0, 'l1'), (0.5, 'null'), (1.0, '-'))
    """
    values: list[Any] = [each.get(key) for each in params]
    if all(is_number(value) and math.isfinite(value) for value in values):
        return _measured(key, [float(value) for value in values])
    texts = [value_as_text(each[key]) if key in each else "-" for each in params]
    order = distinct(params, key) + ["-"] * ("-" in texts)
    places = {text: _share(place, 0, len(order) - 1) for place, text in enumerate(order)}
    ticks = _few([(place, text) for text, place in places.items()])
    return Axis(key, tuple(places[text] for text in texts), ticks)


def measured(name: str, values: Sequence[float]) -> Axis:
    """Return the axis of a score, with five values from its least to its greatest.

    Examples
    --------
    >>> measured("r2", [0.5, 0.9]).ticks
    ((0.0, '0.5'), (0.25, '0.6'), (0.5, '0.7'), (0.75, '0.8'), (1.0, '0.9'))
    """
    least, most = min(values), max(values)
    places = tuple(_share(value, least, most) for value in values)
    steps = (0.0, 0.25, 0.5, 0.75, 1.0) if most > least else (0.5,)
    return Axis(name, places, tuple((s, f"{least + s * (most - least):.4g}") for s in steps), True)


def floor(scores: Sequence[float]) -> float:
    """Return the score below which all are drawn alike, so that one outlier hides nothing.

    Examples
    --------
    >>> floor([0.5, 0.75, 1.0]), floor([0.5, 0.75, 1.0, -1e9])
    (0.5, -0.25)
    """
    ordered = sorted(scores)
    middle = ordered[len(ordered) // 2]
    least = middle - _OUTLYING * (ordered[-1] - middle)
    return least if ordered[0] < least < middle else ordered[0]


def grid(outcomes: Sequence[Outcome], keys: Sequence[str]) -> bool:
    """Return whether two params meet once in each combination of their values.

    Examples
    --------
    >>> pairs = [{"a": a, "b": b} for a in (1, 2) for b in "xy"]
    >>> made = [Outcome(number=n, name="", key="", params=p) for n, p in enumerate(pairs)]
    >>> grid(made, ["a", "b"]), grid(made[1:], ["a", "b"])
    (True, False)
    """
    params = [outcome.params for outcome in outcomes]
    met = {tuple(value_as_text(each.get(key)) for key in keys) for each in params}
    n_combined = math.prod(len(distinct(params, key)) for key in keys)
    return len(keys) == 2 and len(met) == len(outcomes) == n_combined  # noqa: PLR2004


def _measured(key: str, values: Sequence[float]) -> Axis:
    is_logarithmic = min(values) > 0 and max(values) / min(values) >= DECADES
    scaled = [math.log10(value) if is_logarithmic else value for value in values]
    places = [_share(value, min(scaled), max(scaled)) for value in scaled]
    told = {place: f"{value:.4g}" for place, value in sorted(zip(places, values, strict=True))}
    return Axis(key, tuple(places), _few(list(told.items())), True, is_logarithmic)


def _few(ticks: Sequence[tuple[float, str]]) -> tuple[tuple[float, str], ...]:
    """Leave out ticks where there are too many, but not the ends."""
    if len(ticks) <= MOST_TICKS:
        return tuple(ticks)
    step = (len(ticks) - 1) / (MOST_TICKS - 1)
    return tuple(ticks[round(step * number)] for number in range(MOST_TICKS))


def _share(value: float, least: float, most: float) -> float:
    return (value - least) / (most - least) if most > least else 0.5
