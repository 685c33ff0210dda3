"""How a verb speaks: to a person, to a script, or not at all."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.base import Split
from runner.pace import pace
from runner.records import Outcome
from runner.shown import Shown
from runner.steps import Steps, listener, listening
from runner.sweeps.job import Job
from runner.sweeps.teller import Teller
from runner.terminal import plan_of, show_json
from runner.verbs import documents
from runner.verbs.arguments import JSON, QUIET, taken

if TYPE_CHECKING:
    from runner.experiment import Experiment
    from runner.saved import Resumed
    from runner.sweeps.plan import Plan
    from runner.trial import Result

FAILED = ("FAILED", "KILLED")


class Speech(NamedTuple):
    """How to speak: ``is_quiet`` of nothing but what is wrong, ``is_json`` in one document."""

    is_quiet: bool = False
    is_json: bool = False

    def teller(self) -> Teller:
        """Return who is told of runs and sweeps."""
        return Shown() if not any(self) else Unspoken(*self)


def speech(given: Sequence[str]) -> tuple[Speech, list[str]]:
    """Take the flags that say how to speak out of the words.

    Examples
    --------
    >>> speech(["quickstart", "--json", "seed=1"])
    (Speech(is_quiet=False, is_json=True), ['quickstart', 'seed=1'])
    """
    is_quiet, rest = taken(QUIET, given)
    is_json, rest = taken(JSON, rest)
    return Speech(is_quiet, is_json), rest


@dataclass
class Unspoken(Teller):
    """Keeps what is to be told for one document, and leaves standard output alone.

    What others write there, such as an estimator that is verbose, goes to standard error, or
    nowhere if it is to be quiet.

    Parameters
    ----------
    is_quiet : bool
        Whether only what is wrong is told, on standard error.
    is_json : bool
        Whether there is to be a document.
    """

    is_quiet: bool = False
    is_json: bool = True
    known: dict[str, Any] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def around(self) -> Iterator[None]:
        """Show how far each long step comes, unless it is to be quiet."""
        if not self.is_quiet:
            with redirect_stdout(sys.stderr), Shown().around():
                yield
            return
        with (
            Path(os.devnull).open("w", encoding="utf-8") as nowhere,
            redirect_stdout(nowhere),
            listening(Steps()),
        ):
            yield

    def on_plan(self, plan: "Plan", *, is_dry: bool) -> None:
        """Keep which members share their blocks."""
        self.known = {"dry_run": is_dry, "plan": documents.plan(plan)}

    def on_result(self, experiment: "Experiment", result: "Result") -> None:
        """Keep what came out."""
        taken = pace(result.progress, listener())
        self.runs.append(documents.run(experiment, result, taken))

    def on_resumed(self, resumed: "Resumed") -> None:
        """Say from where a run goes on."""
        if not self.is_quiet:
            Shown().on_resumed(resumed)

    def on_member_end(self, outcome: Outcome) -> None:
        """Write a line on how a member ended; of one that did well only where there is noise."""
        if not self.is_quiet or outcome.status in FAILED:
            Shown().on_member_end(outcome)

    def on_dry_run(self, experiment: "Experiment", split: Split) -> None:
        """Keep what a run would do."""
        self.runs.append(documents.dry_run(plan_of(experiment, split)))

    def document(self, job: Job) -> dict[str, Any] | None:
        """Return what is known of a job; None where nothing is."""
        if job.outcomes:
            found = documents.sweep(job.run_id, job.url, job.outcomes, job.verdicts)
            return {**self.known, **found}
        return {"runs": self.runs} if len(self.runs) > 1 else next(iter(self.runs), None)


@contextmanager
def spoken(job: Job) -> Iterator[None]:
    """Do what is inside as the job's teller has it, and write its document, however it ended."""
    teller = job.teller
    try:
        with teller.around():
            yield
    finally:
        if isinstance(teller, Unspoken) and teller.is_json:
            found = teller.document(job)
            if found is not None:
                show_json(found)
