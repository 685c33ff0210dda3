"""The saved states of fits that did not end, and those that nobody needs any more."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner import statefile
from runner.project import project_root
from runner.tracking.finding import Finding, named
from runner.tracking.spool import is_open
from runner.tracking.tags import PARENT

if TYPE_CHECKING:
    from mlflow import MlflowClient

DAY_S = 24 * 3600.0
UNKNOWN_S = 30 * DAY_S  # a run that this store does not know may be of another one
_SUFFIX = ".state"


@dataclass(frozen=True)
class SavedState:
    """The generations of one run's saved state."""

    run_id: str
    nbytes: int
    age_s: float

    @property
    def file(self) -> Path:
        """Its newest generation."""
        return state_file(self.run_id)


def state_file(run_id: str) -> Path:
    """Return where a run's state is saved."""
    return _folder() / f"{run_id}{_SUFFIX}"


def saved_states() -> list[SavedState]:
    """Return the saved states of the project, the largest first."""
    sizes: dict[str, int] = {}
    times: dict[str, float] = {}
    for file in _folder().glob(f"*{_SUFFIX}*"):
        run_id = file.name.partition(_SUFFIX)[0]
        with suppress(FileNotFoundError):
            status = file.stat()
            sizes[run_id] = sizes.get(run_id, 0) + status.st_size
            times[run_id] = max(times.get(run_id, 0.0), status.st_mtime)
    now = time.time()
    found = [SavedState(run_id, size, now - times[run_id]) for run_id, size in sizes.items()]
    return sorted(found, key=lambda state: state.nbytes, reverse=True)


def move_state(old: str, new: str) -> None:
    """Let the saved state of a run, if there is one, be that of its copy."""
    here, there = state_file(old), state_file(new)
    for before, after in (
        (statefile.previous(here), statefile.previous(there)),
        (here, there),
    ):
        with suppress(FileNotFoundError):
            before.replace(after)


def check_states(clients: Sequence["MlflowClient"]) -> Finding:
    """Tell what can be gone on with, and remove what nobody needs any more.

    Removed are states of runs that finished or were deleted, once they are a day old, and of runs
    that no store knows, after thirty days.

    Parameters
    ----------
    clients : sequence of MlflowClient
        The stores to be asked; with none of them nothing is removed.
    """
    states = saved_states()
    removed, kept = [], []
    for state in states:
        left, resumed = _standing(state, lambda run_id: _found(clients, run_id))
        if clients and state.age_s > left and not is_open(state.run_id):
            statefile.forget(state.file)
            removed.append(state)
        elif resumed is not None:
            kept.append(resumed)
    told = [f"{len(states) - len(removed)} of {_mb(states) - _mb(removed):.1f} MB"]
    if removed:
        ids = named([state.run_id for state in removed])
        told.append(f"{len(removed)} that nobody needs removed: {ids}")
    if kept:
        commands = [f"`runner resume {run_id[:8]}`" for run_id in dict.fromkeys(kept)]
        told.append(f"to go on: {named(commands)}")
    return Finding("saved states", True, "; ".join(told))


Found = tuple[str, str | None]


def _standing(state: SavedState, find: Callable[[str], Found | None]) -> tuple[float, str | None]:
    """Return after how many seconds a state is needed no more, and what to resume instead."""
    found = find(state.run_id)
    if found is None:
        return UNKNOWN_S, None
    status, resumed = found
    return (DAY_S, None) if status in ("FINISHED", "deleted") else (float("inf"), resumed)


def _found(clients: Sequence["MlflowClient"], run_id: str) -> Found | None:
    """Return the status of a run, and the id by which it is resumed; None if nobody has it."""
    from mlflow.exceptions import MlflowException

    for client in clients:
        try:
            run = client.get_run(run_id)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
        else:
            stage = run.info.lifecycle_stage
            resumed = run.data.tags.get(PARENT, run_id)
            return (run.info.status if stage == "active" else stage), resumed
    return None


def _mb(states: Sequence[SavedState]) -> float:
    return sum(state.nbytes for state in states) / 1e6


def _folder() -> Path:
    return project_root() / ".runner" / "checkpoints"
