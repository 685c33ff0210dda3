"""The runs that members of a sweep have already, where their processes may have died."""

import time
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from runner.errors import ClusterError, TrackingError
from runner.protocols import Tracker
from runner.sweeps.wanted import check_wanted
from runner.tracking.away import answering
from runner.tracking.client import connect
from runner.tracking.links import run_page
from runner.tracking.mending import mend
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.process import Process
from runner.tracking.record import RecordedRun, current, find_all
from runner.tracking.spool import is_open
from runner.tracking.store import Store, resolve
from runner.tracking.tags import KEY, PROCESS, times_resumed
from runner.tracking.views import members_of

PATIENCE_S = 60.0  # with a process that a scheduler has lost and that goes on all the same
PAUSE_S = 0.2


class Sitting(NamedTuple):
    """The run of a member, and how often it had been gone on with."""

    run_id: str
    resumed: int

    @classmethod
    def of(cls, run: RecordedRun) -> "Sitting":
        """Return that of a run of the record."""
        return cls(run.run_id, times_resumed(run.tags))


class Begun(NamedTuple):
    """A run as the record holds it, and its page."""

    run: RecordedRun
    page: str


class _Asked(NamedTuple):
    """A sweep of the record, which may be asked for its members several times."""

    client: Any  # of MLflow
    store: Store
    parent: str

    def runs(self, key: str = "") -> dict[str, RecordedRun]:
        """Return the run of each member, or of one, once all is sent that killed ones left."""
        mend(self.client, self.store)
        asked = members_of(self.parent) + (f" AND tags.`{KEY}` = '{key}'" if key else "")
        found = current(find_all(self.client, self.store, asked))
        return {run.tags.get(KEY, ""): run for run in found}

    def page(self, run: RecordedRun) -> str:
        if self.store.base_url is None:
            return str(self.store)
        return run_page(self.store.base_url, run.experiment_id, run.run_id)


def recorded_runs(tracking: Tracker, parent: str | None) -> dict[str, RecordedRun]:
    """Return the run that each member of a sweep has, by key, where there is one.

    What killed processes left is sent first. There is none where no record is kept.

    Raises
    ------
    TrackingError
        If the store does not answer.
    """
    asked = _asked(tracking, parent)
    return {} if asked is None else asked.runs()


def begun_runs(
    tracking: Tracker,
    parent: str | None,
    keys: Collection[str],
    before: Mapping[str, Sitting] = MappingProxyType({}),
    is_wanted: Callable[[], bool] = lambda: True,
) -> dict[str, Begun]:
    """Return the runs, by key, of those members of a sweep that were begun since it was launched.

    One that a process still has open is waited for; there is one deadline for all of them.

    Parameters
    ----------
    tracking : Tracker
        What keeps the record.
    parent : str or None
        The sweep's run.
    keys : collection of str
        The members'.
    before : mapping of str to Sitting
        The runs that members had when the sweep was launched.
    is_wanted : callable
        Says whether somebody still waits for this.

    Raises
    ------
    ClusterError
        If a process goes on with one of them: it may not be run a second time.
    KeyboardInterrupt
        If nobody waits any more.
    TrackingError
        If the store does not answer.
    """
    asked = _asked(tracking, parent)
    if asked is None:
        return {}
    deadline, (key, *others) = time.monotonic() + PATIENCE_S, keys
    while True:
        there = asked.runs("" if others else key)
        begun = {k: r for k, r in there.items() if k in keys and Sitting.of(r) != before.get(k)}
        held = [(run, who) for run in begun.values() if (who := holder(run))]
        if not held:
            return {k: Begun(run, asked.page(run)) for k, run in begun.items()}
        if time.monotonic() > deadline:
            raise _held(*held[0])
        check_wanted(is_wanted)
        time.sleep(PAUSE_S)


def holder(run: RecordedRun) -> str:
    """Return in words which process is still at a run, as far as it is seen from here; "" if none.

    Parameters
    ----------
    run : RecordedRun
        As the record has it.
    """
    if run.status != "RUNNING":
        return ""
    process = Process.parse(run.tags.get(PROCESS))
    if process is not None and process.is_gone() is False:
        return f"process {process.pid} on {process.host}, which goes on with it"
    return "another process, which has it open" if is_open(run.run_id) else ""


def check_left(run: RecordedRun) -> None:
    """Refuse to run a member once more that a process goes on with.

    Raises
    ------
    TrackingError
        That says which one.
    """
    if who := holder(run):
        raise TrackingError(
            f"The run {run.run_id} of member {run.name}",
            "have ended before its sweep is resumed",
            got=who,
            remedy="Wait for it, or end it.",
        )


def _held(run: RecordedRun, who: str) -> ClusterError:
    return ClusterError(
        f"The run {run.run_id} of member {run.name}",
        "have been left by the worker that the scheduler has lost",
        got=f"{who} after {PATIENCE_S:g} s",
        remedy="Wait for it, or end it; then `runner resume` runs what is left.",
    )


def _asked(tracking: Tracker, parent: str | None) -> _Asked | None:
    if not parent or not isinstance(tracking, MlflowTracker):
        return None
    store = answering(resolve(tracking.uri), tracking.when_away, parent)
    return _Asked(connect(store), store, parent)
