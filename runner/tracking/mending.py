"""Runs whose process was killed: what they had not sent is sent, and their status is made true."""

import shutil
import warnings
from typing import TYPE_CHECKING

from runner.errors import RunnerWarning
from runner.redaction import one_line
from runner.tracking.outbox import deliver
from runner.tracking.spool import FILE_NAME, abandoned, read
from runner.tracking.store import Store

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
            if _is_there(client, folder.name):
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


def _is_there(client: "MlflowClient", run_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        return bool(client.get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise
