"""A row of the table: one promise, what its contenders took, and whether it is kept."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

HEAD = ("promise", "contender", "against", "measured", "turns", "reach", "met")


@dataclass(frozen=True)
class Reach:
    """What a figure should be: at most a limit, or at least."""

    limit: float
    at_most: bool

    def met(self, figure: float) -> bool:
        """Say whether a figure is within reach.

        Examples
        --------
        >>> at_most(0.7).met(0.69), at_least(4).met(3.9)
        (True, False)
        """
        return figure <= self.limit if self.at_most else figure >= self.limit

    def times_better(self, figure: float) -> float:
        """Return how many times better than its limit a figure is.

        Examples
        --------
        >>> at_most(0.5).times_better(0.25), at_least(4).times_better(2)
        (2.0, 0.5)
        """
        figure = max(figure, 1e-9)
        return self.limit / figure if self.at_most else figure / self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {short(self.limit)}"


def at_most(limit: float) -> Reach:
    return Reach(limit, at_most=True)


def at_least(limit: float) -> Reach:
    return Reach(limit, at_most=False)


def short(value: float) -> str:
    """Return a number with about three digits.

    Examples
    --------
    >>> short(0.0312), short(1.254), short(70.66), short(1266.2)
    ('0.031', '1.25', '70.7', '1266')
    """
    digits = next((n for limit, n in ((0.1, 3), (10, 2), (100, 1)) if abs(value) < limit), 0)
    return f"{value:.{digits}f}"


def middle(values: Sequence[float], unit: str = "") -> str:
    """Return the median, and from where to where the values go.

    Examples
    --------
    >>> middle([1.0, 3.0, 2.0], "s")
    '2.00 s (1.00 to 3.00)'
    """
    text = f"{short(statistics.median(values))} {unit}".strip()
    return f"{text} ({short(min(values))} to {short(max(values))})"


@dataclass(frozen=True)
class Contender:
    """One that takes part, and what it took in each turn."""

    name: str
    values: list[float]
    unit: str

    def __str__(self) -> str:
        return f"{self.name}: {middle(self.values, self.unit)}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A promise; ``figures`` has one for each turn, or ``why_not`` says why there is none."""

    promise: str
    names: Sequence[str] = ()
    contenders: list[Contender] = field(default_factory=list)
    figures: list[float] = field(default_factory=list)
    unit: str = ""
    reach: Reach | None = None
    why_not: str = ""
    failed: bool = False

    @property
    def figure(self) -> float:
        """Return the median of the figures turn by turn."""
        return statistics.median(self.figures)

    @property
    def met(self) -> bool | None:
        """Say whether the promise is kept, where it was measured and there is a reach."""
        return None if self.reach is None or self.why_not else self.reach.met(self.figure)

    def cells(self) -> list[str]:
        """Return what stands in each column of ``HEAD``."""
        reach = "" if self.reach is None else f"{self.reach} {self.unit}".strip()
        if self.why_not:
            first, *others = [*self.names, ""]
            against = ", ".join(filter(None, others))
            word = self.why_not if self.failed else f"not measured: {self.why_not}"
            return [self.promise, first, against, word, "", reach, ""]
        told = [str(contender) for contender in self.contenders]
        met = {None: "", True: "yes", False: "**no**"}[self.met]
        measured, turns = middle(self.figures, self.unit), str(len(self.figures))
        return [self.promise, told[0], "; ".join(told[1:]), measured, turns, reach, met]

    def line(self) -> str:
        """Return the row in Markdown."""
        return f"| {' | '.join(cell.replace('|', '/') for cell in self.cells())} |"

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Row":
        """Return the row that was told."""
        reach = found["reach"] and Reach(**found["reach"])
        contenders = [Contender(**each) for each in found["contenders"]]
        return cls(**found | {"reach": reach, "contenders": contenders})
