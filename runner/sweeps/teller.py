"""What a person is told of a sweep while it runs."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from runner.base import Split
from runner.protocols import SweepRun
from runner.records import Outcome

if TYPE_CHECKING:
    from runner.experiment import Experiment
    from runner.saved import Resumed
    from runner.sweeps.plan import Plan
    from runner.trial import Result


class Teller:
    """Told how a sweep goes, and silent. Subclass it and override what is to be shown.

    It is sent to the processes that other launchers start, so it must pickle.
    """

    def around(self) -> AbstractContextManager[object]:
        """Return what the work is done in, in each process that does a part of it."""
        return nullcontext()

    def on_plan(self, plan: "Plan", *, is_dry: bool) -> None:
        """Before anything is read: which members share their blocks, and what stops them."""

    def on_result(self, experiment: "Experiment", result: "Result") -> None:
        """After a run that belongs to no sweep."""

    def on_resumed(self, resumed: "Resumed") -> None:
        """When a run that belongs to no sweep is gone on with, before the first block."""

    def on_member_end(self, outcome: Outcome) -> None:
        """After each member, in the process in which it ran."""

    def on_dry_run(self, experiment: "Experiment", split: Split) -> None:
        """When it is only to be told what a run would do."""

    def on_sweep_end(
        self, outcomes: Sequence[Outcome], run: SweepRun, verdicts: Sequence[str]
    ) -> None:
        """After the last member; the verdicts say what halving chose, and what it spared."""
