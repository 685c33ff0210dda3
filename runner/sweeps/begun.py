"""The run that a member of a sweep has already, where its process may have died."""

import time
from typing import NamedTuple

from runner.protocols import Tracker
from runner.tracking.away import answering
from runner.tracking.client import connect
from runner.tracking.links import run_page
from runner.tracking.mending import mend
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.process import Process
from runner.tracking.record import RecordedRun, current, find_all
from runner.tracking.spool import is_open
from runner.tracking.store import Store, resolve
from runner.tracking.tags import KEY, PROCESS
from runner.tracking.views import members_of

PATIENCE_S = 60.0  # with a process that a scheduler has lost and that goes on all the same
PAUSE_S = 0.2


class Begun(NamedTuple):
    """A run as the record holds it, and its page."""

    run: RecordedRun
    page: str


def begun_run(tracking: Tracker, parent: str | None, key: str) -> Begun | None:
    """Return the run that a member of a sweep has already; None if it was never begun.

    What a killed process left of it is sent first. One that a process still has open is waited
    for, within limits.

    Parameters
    ----------
    tracking : Tracker
        What keeps the record.
    parent : str or None
        The sweep's run.
    key : str
        The member's.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    """
    if not parent or not isinstance(tracking, MlflowTracker):
        return None
    store = answering(resolve(tracking.uri), tracking.when_away, parent)
    client, deadline = connect(store), time.monotonic() + PATIENCE_S
    while True:
        mend(client, store)
        asked = f"{members_of(parent)} AND tags.`{KEY}` = '{key}'"
        found = next(iter(current(find_all(client, store, asked))), None)
        if found is None or not _goes_on(found) or time.monotonic() > deadline:
            return None if found is None else Begun(found, _page(found, store))
        time.sleep(PAUSE_S)


def _goes_on(run: RecordedRun) -> bool:
    """Say whether a process of this machine is still at it."""
    process = Process.parse(run.tags.get(PROCESS))
    is_alive = process is not None and process.is_gone() is False
    return run.status == "RUNNING" and (is_alive or is_open(run.run_id))


def _page(run: RecordedRun, store: Store) -> str:
    if store.base_url is None:
        return str(store)
    return run_page(store.base_url, run.experiment_id, run.run_id)
