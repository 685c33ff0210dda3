"""Runs whose process was killed: what they had not sent is sent, and their status is made true."""

import shutil
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

from runner.errors import RunnerWarning
from runner.redaction import one_line
from runner.tracking.outbox import deliver
from runner.tracking.process import Process
from runner.tracking.record import RecordedRun
from runner.tracking.spool import FILE_NAME, abandoned, is_open, read
from runner.tracking.store import Store
from runner.tracking.tags import PROCESS

if TYPE_CHECKING:
    from mlflow import MlflowClient


def mend(client: "MlflowClient", store: Store) -> list[str]:
    """Send what the runs of this project that are gone left for this store.

    A run that left no ending was killed, and is marked so.

    Returns
    -------
    list of str
        The ids of the runs that nothing is left of.

    Warns
    -----
    RunnerWarning
        If something cannot be sent; it is kept.
    """
    mended = []
    for folder in abandoned():
        spooled = read(folder / FILE_NAME)
        if spooled.store != str(store):
            continue
        try:
            if is_there(client, folder.name):
                deliver(client, folder.name, folder, spooled)
            shutil.rmtree(folder, ignore_errors=True)
        except Exception as error:  # noqa: BLE001  (an old run never stops a new one)
            warnings.warn(
                f"What the run {folder.name} left in {folder} could not be sent to {store} "
                f"({one_line(error)}); it is kept.",
                RunnerWarning,
                stacklevel=2,
            )
        else:
            mended.append(folder.name)
    return mended


def end_orphans(
    client: "MlflowClient", running: Iterable[RecordedRun]
) -> tuple[list[str], list[str]]:
    """Mark as killed the runs that go on in the store and provably nowhere else.

    Such a run was killed in the moment between its beginning and its folder's.

    Returns
    -------
    ended : list of str
        The ids of the runs that were marked.
    unknown : list of str
        The ids of the runs whose process may be anywhere; they are left alone.
    """
    ended, unknown = [], []
    for run in running:
        process = Process.parse(run.tags.get(PROCESS))
        gone = None if process is None else process.is_gone()
        if is_open(run.run_id) or gone is False:
            continue
        if gone is None:
            unknown.append(run.run_id)
        else:
            client.set_terminated(run.run_id, "KILLED")
            ended.append(run.run_id)
    return ended, unknown


def is_there(client: "MlflowClient", run_id: str) -> bool:
    """Say whether a store has a run, and it was not deleted."""
    from mlflow.exceptions import MlflowException

    try:
        return bool(client.get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise
