"""How the members of a sweep stand while it runs, for the record and for the person."""

from collections.abc import Iterable
from typing import Protocol

from runner.protocols import SweepRun
from runner.records import Outcome
from runner.sweeps.teller import Teller


class Follower(Protocol):
    """Who is told of the members of a group, and says under which sweep their runs belong."""

    @property
    def run(self) -> SweepRun | str | None:
        """The sweep in the record; its id where another process holds it."""

    @property
    def is_wanted(self) -> bool:
        """Whether the members are to go on; if not, they keep their states and stop."""

    def ended(self, outcome: Outcome) -> None:
        """Take how a member ended."""


class Standing:
    """The outcome of each member, pending until it ends.

    Parameters
    ----------
    outcomes : iterable of Outcome
        How each member stands now.
    run : SweepRun
        The sweep in the record, which is told of each change.
    teller : Teller
        Told of each member that ends.
    """

    def __init__(self, outcomes: Iterable[Outcome], run: SweepRun, teller: Teller) -> None:
        self.run = run
        self._teller = teller
        self._outcomes = {outcome.number: outcome for outcome in outcomes}

    @property
    def is_wanted(self) -> bool:
        """Whether the members are to go on: in this process a signal says if not."""
        return True

    @property
    def outcomes(self) -> list[Outcome]:
        """Those of all members, by number."""
        return [self._outcomes[number] for number in sorted(self._outcomes)]

    def take(self, outcome: Outcome) -> None:
        """Take over how a member ended that was told of elsewhere."""
        self._outcomes[outcome.number] = outcome

    def ended(self, outcome: Outcome) -> None:
        """Take, tell and keep how a member ended."""
        self.take(outcome)
        self._teller.on_member_end(outcome)
        self.run.log_leaderboard(self.outcomes, final=False)
