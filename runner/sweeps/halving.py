"""Successive halving and Hyperband among members that learn from the same blocks at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from math import isnan
from typing import Annotated, Any, Self

from runner.base import Progress
from runner.callbacks.watcher import BY, PROGRESSIVE
from runner.errors import ConfigError, nearest
from runner.rules import boolean, check, integer, null, number, text
from runner.sweeps import brackets
from runner.sweeps.brackets import Bracket, Decision, Known, Record

SECTION = "sweep.halving"
POLICIES = ("halving:", "hyperband:")


@dataclass(frozen=True, kw_only=True)
class Halving:
    """When the members that learn worst are stopped.

    Parameters
    ----------
    scorer : str, optional
        Which score is compared; the first of the evaluation when not given.
    by : {"progressive", "held_out"}
        ``progressive`` is the score of each block before it is learned; ``held_out`` that of rows
        that are not learned from.
    factor : float
        Of how many members one goes on, and how many times the rows of a rung are those of the
        one before; at least 1.1.
    first_rows : int
        Rows that a member learns before the first rung; with ``hyperband`` the fewest.
    hyperband : bool
        Whether the members are shared among brackets, which begin to stop them at different rows.
    stop : bool
        Whether losers are stopped; without, what would have been chosen is recorded.
    """

    scorer: Annotated[str | None, text() | null()] = None
    by: Annotated[str, BY] = PROGRESSIVE
    factor: Annotated[float, number(least=1.1)] = 3
    first_rows: Annotated[int, integer(1)]
    hyperband: Annotated[bool, boolean()] = False
    stop: Annotated[bool, boolean()] = True

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        check(SECTION, self)

    @classmethod
    def from_plain(cls, section: Mapping[Any, Any]) -> Self:
        """Read the section of the file.

        Raises
        ------
        ConfigError
            If a key is unknown, ``first_rows`` is missing, or a value means nothing.
        """
        known = [field.name for field in fields(cls)]
        for key in section:
            if key not in known:
                raise ConfigError(
                    f"{SECTION}.{key}",
                    "be a key of it",
                    got=repr(key),
                    remedy=nearest(str(key), known),
                )
        if "first_rows" not in section:
            raise ConfigError(
                f"{SECTION}.first_rows",
                "be given",
                got="nothing",
                remedy="Write how many rows each member learns before the first comparison.",
            )
        return cls(**section)


class Tournament:
    """Decides at each rung which members of a group go on.

    A member that is compared no more stays out, also where ``stop`` is false and it learns on.

    Parameters
    ----------
    options : Halving
        Its scorer's name stands in the reasons.
    members : sequence of int
        All of the group: also those that are stopped or finished and do not learn now.
    total_rows : int
        Rows that a member learns when it is never stopped; the most, where members differ.
    seed : int
        The experiment's.
    known : mapping of int to mapping of int to Known, optional
        What an earlier, interrupted process found, by member and rung, so that all decisions are
        those of a process without interruption.
    learning : collection of int, optional
        The members that learn now; others are compared only at the rungs where they are known.

    Examples
    --------
    >>> options = Halving(first_rows=100, scorer="accuracy")
    >>> tournament = Tournament(options, range(4), total_rows=900, seed=0)
    >>> while due := tournament.due(rows=128):
    ...     for bracket in due:
    ...         decision = tournament.decide(bracket, 128, {0: 0.6, 1: 0.9, 2: 0.7, 3: 0.8})
    >>> decision.kept, decision.stopped
    ((1,), (3, 2, 0))
    >>> decision.reason(3)
    'halving: rung 1 of 2 after 128 rows: accuracy 0.8000 was 2nd of 4, and 1 goes on'
    """

    def __init__(
        self,
        options: Halving,
        members: Sequence[int],
        total_rows: int,
        seed: int,
        known: Mapping[int, Mapping[int, Known]] | None = None,
        *,
        learning: Collection[int] = (),
    ) -> None:
        self.options = options
        self.total_rows = total_rows
        self.brackets = _brackets(options, members, total_rows, seed)
        self.decisions: list[Decision] = []
        self._known = known or {}
        self._learning = frozenset(learning)
        self._rung = {bracket.number: 0 for bracket in self.brackets}
        self._out: set[int] = set()
        self._failed: set[int] = set()

    def know(self, known: Mapping[int, Mapping[int, Known]], learning: Collection[int]) -> None:
        """Take over, before anything is decided, what a process found that was interrupted."""
        self._known = {**self._known, **known}
        self._learning = frozenset(learning)

    def due(self, rows: int) -> list[Bracket]:
        """Return the brackets that have a rung to decide once so many rows are learned.

        A block may reach beyond several rungs; ask again after deciding one.
        """
        return [
            bracket
            for bracket in self.brackets
            if any(rung <= rows for rung in bracket.rungs[self._rung[bracket.number] :])
            and len(self._contenders(bracket)) > 1
        ]

    def decide(self, bracket: Bracket, rows: int, scores: Mapping[int, float]) -> Decision:
        """Decide the next rung of a bracket that is due.

        The best floor(n / factor) of the n members compared go on, and one at least. NaN is worse
        than any score; of equal members the lower number is better.

        Parameters
        ----------
        bracket : Bracket
            One of `due`.
        rows : int
            Rows that each member has learned; of a rung that was decided before those of then.
        scores : mapping of int to float
            By member, greater is better. One without has ended, and is compared no more.

        Raises
        ------
        ValueError
            If the bracket is not due.
        """
        if bracket not in self.due(rows):
            raise ValueError(f"bracket {bracket.number} is not due after {rows} rows")
        rung = self._rung[bracket.number]
        contenders = self._contenders(bracket)
        known = {m: self._known[m][rung] for m in contenders if rung in self._known.get(m, ())}
        rows = max((each.rows for each in known.values()), default=rows)
        found = {**scores, **{member: each.score for member, each in known.items()}}
        compared = {member: float(found[member]) for member in contenders if member in found}
        ranked = sorted(compared, key=lambda member: _order(compared[member], member))
        n_kept = brackets.survivors(len(ranked), self.options.factor)
        decision = Decision(
            bracket=bracket.number,
            rung=rung,
            rows=rows,
            kept=tuple(ranked[:n_kept]),
            lost=tuple(ranked[n_kept:]),
            scores=compared,
            of_rungs=len(bracket.rungs),
            stop=self.options.stop,
            policy=self._policy(bracket),
            scorer=self.options.scorer or "score",
        )
        self._rung[bracket.number] += 1
        self._out |= set(bracket.members) - set(decision.kept)
        if len(ranked) > 1:
            self.decisions.append(decision)
        return decision

    def stopped_before(self, member: int, progress: Progress) -> int | None:
        """Return the rung on which an earlier process stopped a member that was not ended yet."""
        rungs = self._known.get(member)
        by_us = (progress.stop_reason or "").startswith(POLICIES)
        return max(rungs) if rungs and by_us else None

    def leave(self, member: int, *, failed: bool = False) -> None:
        """Compare a member no more, because it has ended otherwise; a failed one is not chosen."""
        self._out.add(member)
        if failed:
            self._failed.add(member)

    @property
    def stopped(self) -> tuple[int, ...]:
        """Return the members that were stopped, in that order; none with ``stop: false``."""
        return tuple(member for decision in self.decisions for member in decision.stopped)

    @property
    def would_be_stopped(self) -> tuple[int, ...]:
        """Return the members that learn on only because of ``stop: false``."""
        return tuple(member for made in self.decisions for member in made.would_be_stopped)

    def history(self, member: int) -> list[Record]:
        """Return how a member did at each rung where it was compared."""
        return [made.record(member) for made in self.decisions if member in made.scores]

    def chosen(self, final: Mapping[int, float] | None = None) -> int | None:
        """Return the member to prefer: a survivor, of the latest rung, of the best score there.

        Parameters
        ----------
        final : mapping of int to float, optional
            Scores in the end; of a survivor its own counts as one after all rungs.

        Returns
        -------
        int or None
            None if no member has a score. One that failed or whose last score is NaN is not
            chosen; of equal members the lower number is.
        """
        places = [
            (*place, -member)
            for bracket in self.brackets
            for member in bracket.members
            if member not in self._failed
            and (place := self._place(bracket, member, final or {}))
            and not isnan(place[2])
        ]
        return -max(places)[3] if places else None

    def _place(
        self, bracket: Bracket, member: int, final: Mapping[int, float]
    ) -> tuple[bool, int, float] | None:
        """Return whether a member survived, and its last score with the rows of that rung."""
        last = next(reversed(self.history(member)), None)
        survived = last is None or last.kept
        if survived and member in final:
            return True, self.total_rows, float(final[member])
        return (survived, bracket.rungs[last.rung], last.score) if last else None

    def _contenders(self, bracket: Bracket) -> list[int]:
        rung = self._rung[bracket.number]
        return [
            member
            for member in bracket.members
            if member not in self._out
            and (member in self._learning or rung in self._known.get(member, (rung,)))
        ]

    def _policy(self, bracket: Bracket) -> str:
        halving, hyperband = POLICIES
        return f"{hyperband} bracket {bracket.number}," if self.options.hyperband else halving


def _brackets(
    options: Halving, members: Sequence[int], total_rows: int, seed: int
) -> list[Bracket]:
    if not options.hyperband:
        steps = brackets.rungs(options.first_rows, options.factor, total_rows)
        return [Bracket(len(steps), tuple(sorted(members)), steps, options.factor)]
    shapes = brackets.hyperband_brackets(total_rows, options.first_rows, options.factor)
    parts = brackets.share(members, [shape.size for shape in shapes], seed)
    return [
        Bracket(shape.number, tuple(part), shape.rungs, options.factor)
        for shape, part in zip(shapes, parts, strict=True)
    ]


def _order(score: float, member: int) -> tuple[bool, float, int]:
    return isnan(score), 0.0 if isnan(score) else -score, member
