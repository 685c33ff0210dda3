"""When the members of a sweep are compared, and how many go on, as the published algorithms say.

Successive halving: Jamieson and Talwalkar, *Non-stochastic best arm identification and
hyperparameter optimization*, AISTATS 2016. Hyperband: Li, Jamieson, DeSalvo, Rostamizadeh and
Talwalkar, *Hyperband: a novel bandit-based approach to hyperparameter optimization*, Journal of
Machine Learning Research 18(185), 2018. Their resource is here the number of rows learned; a
power of the factor is computed exactly, and a fraction of a row is rounded up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import ceil, floor, isfinite
from typing import Any, NamedTuple

import numpy as np

from runner.seeds import derive


class Shape(NamedTuple):
    """A bracket as Hyperband defines it: its s, its n, its r, and the rows of its rungs."""

    number: int
    size: int
    first_rows: int
    rungs: tuple[int, ...]


@dataclass(frozen=True)
class Bracket:
    """Members that are compared with each other, and after how many rows.

    Parameters
    ----------
    number : int
        How many rungs it has by definition: the s of Hyperband.
    members : tuple of int
        In ascending order.
    rungs : tuple of int
        The rows after which they are compared, ascending.
    factor : float
        Of how many members one goes on.

    Examples
    --------
    >>> bracket = Bracket(2, tuple(range(9)), (100, 300), 3)
    >>> bracket.survivors, bracket.decides
    ((3, 1), True)
    """

    number: int
    members: tuple[int, ...]
    rungs: tuple[int, ...]
    factor: float

    @property
    def survivors(self) -> tuple[int, ...]:
        """Return how many members go on after each rung when none ends otherwise."""
        counts = [len(self.members)]
        for _ in self.rungs:
            counts.append(survivors(counts[-1], self.factor))
        return tuple(counts[1:])

    @property
    def decides(self) -> bool:
        """Say whether there is ever anything to compare."""
        return len(self.members) > 1 and bool(self.rungs)


@dataclass(frozen=True)
class Record:
    """How one member did at one rung, which counts from 0."""

    bracket: int
    rung: int
    rows: int
    score: float
    rank: int
    of: int
    kept: bool

    def as_plain(self) -> dict[str, Any]:
        """Return what JSON can hold, where a score that is not finite is text.

        Examples
        --------
        >>> Record(2, 0, 1000, float("nan"), 9, 9, kept=False).as_plain()["score"]
        'nan'
        """
        score = self.score if isfinite(self.score) else str(self.score)
        return {**asdict(self), "score": score}


class Known(NamedTuple):
    """What was found of a member at a rung before: its score, and after how many rows."""

    score: float
    rows: int


def known_scores(
    histories: Mapping[int, Iterable[Mapping[str, Any]]],
) -> dict[int, dict[int, Known]]:
    """Return the scores by member and rung of records that `Record.as_plain` wrote.

    Examples
    --------
    >>> known_scores({4: [Record(2, 0, 1000, 0.5, 9, 9, kept=False).as_plain()]})
    {4: {0: Known(score=0.5, rows=1000)}}
    """
    return {
        member: {each["rung"]: Known(float(each["score"]), each["rows"]) for each in records}
        for member, records in histories.items()
    }


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Who goes on after a rung.

    Parameters
    ----------
    bracket, rung : int
        Their numbers; that of a rung counts from 0.
    rows : int
        What each member had learned: the rung's rows, or more where a block reached beyond it.
    kept, lost : tuple of int
        The members compared, best first.
    scores : mapping of int to float
        By member.
    of_rungs : int
        How many rungs the bracket has.
    stop : bool
        Whether losers stop.
    policy, scorer : str
        How the reasons begin, and what they call a score.
    """

    bracket: int
    rung: int
    rows: int
    kept: tuple[int, ...]
    lost: tuple[int, ...]
    scores: Mapping[int, float]
    of_rungs: int
    stop: bool = True
    policy: str = "halving:"
    scorer: str = "score"

    @property
    def stopped(self) -> tuple[int, ...]:
        """Return the losers, which are to stop; none with ``stop: false``."""
        return self.lost if self.stop else ()

    @property
    def would_be_stopped(self) -> tuple[int, ...]:
        """Return the losers that learn on because of ``stop: false``."""
        return () if self.stop else self.lost

    def record(self, member: int) -> Record:
        """Return how a member did."""
        ranked = self.kept + self.lost
        return Record(
            bracket=self.bracket,
            rung=self.rung,
            rows=self.rows,
            score=self.scores[member],
            rank=ranked.index(member) + 1,
            of=len(ranked),
            kept=member in self.kept,
        )

    def reason(self, member: int) -> str:
        """Say in one line why a member goes on, or does not.

        Examples
        --------
        >>> scores = {3: 0.9, 7: 0.81, 5: 0.5}
        >>> made = dict(bracket=2, rung=0, rows=4000, kept=(3,), lost=(7, 5), of_rungs=2)
        >>> Decision(scores=scores, scorer="accuracy", **made).reason(7)
        'halving: rung 1 of 2 after 4,000 rows: accuracy 0.8100 was 2nd of 3, and 1 goes on'
        """
        record, n = self.record(member), len(self.kept)
        goes_on = f"go{'es' if n == 1 else ''} on" if self.stop else "would go on"
        return (
            f"{self.policy} rung {self.rung + 1} of {self.of_rungs} after {self.rows:,} rows: "
            f"{self.scorer} {record.score:.4f} was {_ordinal(record.rank)} "
            f"of {record.of}, and {n} {goes_on}"
        )


def survivors(n: int, factor: float) -> int:
    """Return how many of ``n`` members go on: floor(n / factor), but one at least.

    Examples
    --------
    >>> [survivors(n, 3) for n in (81, 34, 2, 1, 0)], survivors(11, 1.1)
    ([27, 11, 1, 1, 0], 10)
    """
    return min(n, max(1, floor(n / _exact(factor))))


def rungs(first_rows: int, factor: float, total_rows: int) -> tuple[int, ...]:
    """Return the rows of the rungs of successive halving, each ``factor`` times the one before.

    They are ``first_rows * factor**k`` for k = 0, 1, ... as long as that is less than
    ``total_rows``; rungs that fall on the same row are one.

    Examples
    --------
    >>> rungs(1000, 3, 81_000), rungs(10, 1.5, 40), rungs(100, 3, 100)
    ((1000, 3000, 9000, 27000), (10, 15, 23, 34), ())
    """
    step, rows, found = _exact(factor), Fraction(first_rows), []
    while ceil(rows) < total_rows:
        found.append(ceil(rows))
        rows *= step
    return tuple(dict.fromkeys(found))


def hyperband_brackets(total_rows: int, first_rows: int, factor: float) -> list[Shape]:
    """Return Hyperband's brackets, the one that stops earliest first.

    With R = ``total_rows`` and eta = ``factor``, s_max is the greatest integer for which
    ``first_rows * eta**s_max`` is at most R; bracket s = s_max, ..., 0 begins with

        n_s = ceil((s_max + 1) / (s + 1) * eta**s)  members  and  r_s = R * eta**-s  rows

    as in the algorithm (B = (s_max + 1) R; n = ceil(B / R * eta**s / (s + 1))). For R = 81 and
    eta = 3 that is n = 81, 34, 15, 8, 5; the figures 81, 27, 9, 6, 5, which are printed too, round
    (s_max + 1) / (s + 1) down first. Bracket s compares after r_s, r_s * eta, ... rows, s times;
    bracket 0 never stops a member. When ``first_rows`` is R or more there is bracket 0 alone.

    Examples
    --------
    >>> for shape in hyperband_brackets(total_rows=81, first_rows=1, factor=3):
    ...     print(*shape)
    4 81 1 (1, 3, 9, 27)
    3 34 3 (3, 9, 27)
    2 15 9 (9, 27)
    1 8 27 (27,)
    0 5 81 ()
    """
    step = _exact(factor)
    most = 0
    while first_rows * step ** (most + 1) <= total_rows:
        most += 1
    rows = [ceil(total_rows / step**power) for power in range(most + 1)]
    return [
        Shape(
            number=s,
            size=ceil(Fraction(most + 1, s + 1) * step**s),
            first_rows=rows[s],
            rungs=tuple(sorted({row for row in rows[1 : s + 1] if row < total_rows})),
        )
        for s in range(most, -1, -1)
    ]


def share(members: Sequence[int], sizes: Sequence[int], seed: int) -> list[list[int]]:
    """Distribute members at random over brackets, in proportion to the brackets' sizes.

    Hyperband draws as many members as it wants; a sweep has the members it has. What is left when
    the proportions are rounded down goes to the greatest remainders. The order of the members
    makes no difference.

    Returns
    -------
    list of list of int
        Per bracket its members, ascending; with few members some brackets are empty.

    Examples
    --------
    >>> share(range(8), [81, 34, 15, 8, 5], seed=0)
    [[1, 2, 4, 5, 6], [3, 7], [0], [], []]
    """
    whole = sum(sizes)
    counts = [len(members) * size // whole for size in sizes]
    by_remainder = sorted(range(len(sizes)), key=lambda i: -(len(members) * sizes[i] % whole))
    for i in by_remainder[: len(members) - sum(counts)]:
        counts[i] += 1
    drawn = np.random.default_rng(derive(seed, "brackets")).permutation(sorted(members)).tolist()
    ends = np.cumsum(counts).tolist()
    return [sorted(drawn[end - count : end]) for count, end in zip(counts, ends, strict=True)]


def _exact(factor: float) -> Fraction:
    return Fraction(str(factor))


def _ordinal(n: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{'th' if n % 100 in (11, 12, 13) else ending}"
