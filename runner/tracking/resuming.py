"""Whether a sweep of the record can be gone on with."""

from typing import TYPE_CHECKING

from runner.errors import TrackingError
from runner.tracking.process import Process
from runner.tracking.session import Session
from runner.tracking.spool import is_open
from runner.tracking.tags import KIND, PROCESS, SWEEP

if TYPE_CHECKING:
    from mlflow.entities import Run


def ended_sweep(session: Session, run_id: str) -> "Run":
    """Return the run of a sweep that no process goes on with, as the store holds it.

    Raises
    ------
    TrackingError
        If there is none, it is no sweep, or a process still has it open.
    """
    found = _found(session, run_id)
    if found is None or found.data.tags.get(KIND) != SWEEP:
        raise TrackingError(
            f"The run {run_id!r}",
            f"be a sweep in {session.store}",
            got="none" if found is None else "another run",
            remedy="See `runner runs` for the ids.",
        )
    process = Process.parse(found.data.tags.get(PROCESS))
    goes_on = found.info.status == "RUNNING" and process is not None and process.is_gone() is False
    if goes_on or is_open(run_id):
        raise TrackingError(
            f"The sweep {run_id}",
            "have ended before it is resumed",
            got=f"process {process.pid}, which goes on with it"
            if process
            else "a sweep that runs",
            remedy="Wait for it, or end it.",
        )
    return found


def _found(session: Session, run_id: str) -> "Run | None":
    from mlflow.exceptions import MlflowException

    try:
        run = session.client.get_run(run_id)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    return run if run.info.lifecycle_stage == "active" else None
