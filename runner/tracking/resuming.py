"""Whether a run of the record can be gone on with, and what it keeps of its earlier sittings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from runner.errors import TrackingError
from runner.tracking.client import reported
from runner.tracking.outbox import by_step
from runner.tracking.process import Process
from runner.tracking.session import Session
from runner.tracking.spool import Claim, Point, claim, read, runs_folder
from runner.tracking.tags import KIND, MEMBER, PROCESS, RUN, SWEEP, times_resumed

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_WANTED = {SWEEP: "a sweep", MEMBER: "a member of a sweep", RUN: "a run that is no sweep's"}
_FOUND = {SWEEP: "a sweep", MEMBER: "a member of a sweep"}
TOTAL, PEAK = "time/total_s", "memory/peak_mb"


@dataclass(frozen=True)
class Sittings:
    """What the record holds of the earlier sittings of a run.

    Attributes
    ----------
    points : mapping of (str, int) to Point
        The points of its curves, by key and step.
    seconds : float
        How long they took, all together.
    peak_mb : float
        The most memory that one of them took.
    files : tuple of str
        The paths of the run's artifacts.
    resumed : int
        How often the run was gone on with.
    """

    points: Mapping[tuple[str, int], Point] = field(default_factory=dict)
    seconds: float = 0.0
    peak_mb: float = 0.0
    files: tuple[str, ...] = ()
    resumed: int = 0


class Begun(NamedTuple):
    """A run as the store holds it, and the lock of one that is gone on with."""

    run: "Run"
    claimed: Claim | None = None


def ended_run(session: Session, run_id: str, kind: str) -> Begun:
    """Lock a run, so that this process alone goes on with it, and return it as the store has it.

    All that may change is looked at while the run is locked. Nothing is left of the lock of a run
    that is refused.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The run.
    kind : {"run", "member", "sweep"}
        What it has to be.

    Raises
    ------
    TrackingError
        If there is none, it is of another kind, or a process still has it open. Of what is no
        sweep also if it finished, or if some of it is not in the store yet.
    """
    known = _known(session, run_id, kind)
    claimed = claim(runs_folder() / run_id)
    if claimed is None:
        raise _open(known, kind)
    try:
        found = _known(session, run_id, kind)
        _check_ended(found, kind)
        if kind != SWEEP:
            _check_unfinished(session, found, claimed)
    except BaseException:
        claimed.give_up()
        raise
    return Begun(found, claimed)


def _known(session: Session, run_id: str, kind: str) -> "Run":
    found = _found(session, run_id)
    if found is None or found.data.tags.get(KIND) != kind:
        told = None if found is None else found.data.tags.get(KIND, "")
        raise TrackingError(
            f"The run {run_id!r}",
            f"be {_WANTED[kind]} in {session.store}",
            got="none" if told is None else _FOUND.get(told, "another run"),
            remedy="See `runner runs` for the ids.",
        )
    return found


def sittings(session: Session, run: "Run") -> Sittings:
    """Return what the record holds of a run that was recorded before.

    Raises
    ------
    TrackingError
        If the store does not answer.
    """
    client, run_id, metrics = session.client, run.info.run_id, run.data.metrics
    with reported(session.store):
        histories = {key: client.get_metric_history(run_id, key) for key in metrics}
        files = tuple(_files(client, run_id))
    points = [
        Point(each.key, each.value, each.timestamp, each.step)
        for history in histories.values()
        for each in history
    ]
    return Sittings(
        by_step(points),
        _seconds(run, [point for point in points if point.key == TOTAL]),
        float(metrics.get(PEAK, 0.0)),
        files,
        times_resumed(run.data.tags),
    )


def _seconds(run: "Run", totals: list[Point]) -> float:
    """Return how long the sittings took; one that was killed told nothing, but it has an end."""
    told = max(totals, key=lambda point: point.timestamp, default=None)
    seconds, since = (0.0, run.info.start_time) if told is None else (told.value, told.timestamp)
    return float(seconds + max(0, (run.info.end_time or 0) - since) / 1000)


def _files(client: "MlflowClient", run_id: str, folder: str | None = None) -> Iterator[str]:
    for entry in client.list_artifacts(run_id, folder):
        if entry.is_dir:
            yield from _files(client, run_id, entry.path)
        else:
            yield entry.path


def _goes_on(found: "Run") -> Process | None:
    """Return the process that goes on with a run, as far as the store and this machine tell."""
    process = Process.parse(found.data.tags.get(PROCESS))
    if found.info.status != "RUNNING" or process is None or process.is_gone() is not False:
        return None
    return process


def _check_ended(found: "Run", kind: str) -> None:
    if _goes_on(found) is not None:
        raise _open(found, kind)


def _open(found: "Run", kind: str) -> TrackingError:
    process = _goes_on(found)
    return TrackingError(
        f"The {'sweep' if kind == SWEEP else 'run'} {found.info.run_id}",
        "have ended before it is resumed",
        got=f"process {process.pid}, which goes on with it"
        if process
        else "another process, which has it open",
        remedy="Wait for it, or end it.",
    )


def _check_unfinished(session: Session, found: "Run", claimed: Claim) -> None:
    run_id = found.info.run_id
    if found.info.status == "FINISHED":
        raise TrackingError(
            f"The run {run_id}",
            "have been ended before it was finished, to be resumed",
            got="FINISHED",
            remedy=f"`runner ui {run_id[:8]}` shows it.",
        )
    left = claimed.file.parent
    if not claimed.is_new:
        raise TrackingError(
            f"The run {run_id}",
            f"be wholly in {session.store} before it is resumed",
            got=f"what it left in {left} for {read(claimed.file).store}",
            remedy="Let `runner doctor` send it.",
        )


def _found(session: Session, run_id: str) -> "Run | None":
    from mlflow.exceptions import MlflowException

    try:
        run = session.client.get_run(run_id)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    return run if run.info.lifecycle_stage == "active" else None
