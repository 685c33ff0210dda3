"""What joins a member of a sweep with its trial: where its run belongs, and how it ended."""

from dataclasses import replace
from typing import Any, NamedTuple

from runner.protocols import SweepRun
from runner.records import Outcome
from runner.redaction import one_line
from runner.saved import Resumed
from runner.tracking.tags import member_tags
from runner.tracking.termination import status_of
from runner.trial import Entry, Trial


class Called(NamedTuple):
    """By what a member is known: its number, name and key, and what differs."""

    number: int
    name: str
    key: str
    params: dict[str, Any]


def entry_of(
    called: Called, parent: SweepRun | str | None, resumed: Resumed | None = None
) -> Entry:
    """Return where the run of a member belongs in the record."""
    tags = member_tags(called.number, called.key, called.params)
    return Entry(name=called.name, parent=parent, tags=tags, resumed=resumed)


def pending(called: Called) -> Outcome:
    """Return what is known of a member that has not ended.

    Examples
    --------
    >>> pending(Called(0, "0: seed=1", "5f2a", {"seed": 1})).status
    'PENDING'
    """
    return Outcome(**called._asdict())


def failed(called: Called, error: BaseException) -> Outcome:
    """Return the outcome of a member that an error ended.

    Examples
    --------
    >>> failed(Called(0, "0: seed=1", "5f2a", {}), ValueError("no")).error
    'ValueError: no'
    """
    return replace(pending(called), status=status_of(error), error=one_line(error))


def outcome_of(called: Called, trial: Trial) -> Outcome:
    """Return how a trial ended."""
    known = pending(called) if trial.error is None else failed(called, trial.error)
    if trial.is_recorded:
        known = replace(known, run_id=trial.run.run_id, url=trial.run.url)
    progress, result = trial.progress, trial.result
    known = replace(known, rows=progress.rows, stop_reason=progress.stop_reason)
    if isinstance(trial.error, KeyboardInterrupt) and str(trial.error) == progress.stop_reason:
        known = replace(known, error=None)  # the reason says it
    if result is None:
        return known
    return replace(known, status="FINISHED", scores=result.scores)
