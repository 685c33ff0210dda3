"""What a run sends from its first block on: a store that goes away stops no fit, loses nothing."""

import math
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import RunnerWarning
from runner.redaction import one_line
from runner.tracking.spool import (
    FILE_NAME,
    Claim,
    Point,
    Spool,
    Spooled,
    points_of,
    read,
    runs_folder,
)
from runner.tracking.store import Store
from runner.tracking.tags import NONFINITE

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

BATCH = 500
MAX_TAG = 8000


class Outbox:
    """Everything on its way to the store, in a folder of its own until it has arrived.

    Metrics and tags go to the spool file, artifacts to files beside it, and then to the store:
    metrics in batches, when there are 500 or after ``flush_every_s``, tags and artifacts at once.
    What ``can_wait`` goes with the next batch, or the end. When the store refuses,
    one warning says so and nothing more is sent until ``recover``, which sends the whole spool
    again. That doubles nothing, because the points keep their time of logging. No method raises.

    Parameters
    ----------
    client : MlflowClient
        How to reach the store.
    store : Store
        The store's name in messages.
    run_id : str
        The run.
    flush_every_s : float
        The longest time in seconds that a metric waits for others while metrics come in.
    kept : mapping of (str, int) to Point, optional
        The points of curves that the store has already, by key and step; they are not sent again.
    claimed : Claim, optional
        The lock of a run that is gone on with.
    """

    def __init__(
        self,
        client: "MlflowClient",
        store: Store,
        run_id: str,
        flush_every_s: float,
        kept: Mapping[tuple[str, int], Point] | None = None,
        *,
        claimed: Claim | None = None,
    ) -> None:
        self.folder = runs_folder() / run_id
        self._client = client
        self._store = store
        self._run_id = run_id
        self._flush_every_s = flush_every_s
        self._spool = Spool(self.folder, str(store), claimed)
        self._buffer: list[Point] = []
        self._waiting: dict[str, str] = {}
        self._since = 0.0
        self._kept = kept or {}
        self._finite: dict[str, bool] = {}
        self._look(self._kept.values())
        self._degraded = self._warned = False

    @property
    def is_away(self) -> bool:
        """Whether the store refused something, and is not tried for now."""
        return self._degraded

    def log(
        self, values: Mapping[str, float], step: int, *, can_wait: bool = False
    ) -> list[Point]:
        """Log metrics at a step, and return them as they are kept."""
        points = points_of(values, step)
        new = [point for point in points if (point.key, step) not in self._kept]
        self._look(new)
        self._try(partial(self._spool.points, new))
        now = time.monotonic()
        self._since = self._since if self._buffer else now
        self._buffer += new
        is_late = now - self._since >= self._flush_every_s and not can_wait
        if is_late or len(self._buffer) >= BATCH:
            self.flush()
        return [self._kept.get((point.key, step), point) for point in points]

    def tag(self, tags: Mapping[str, str], *, can_wait: bool = False) -> None:
        """Set tags of the run; an over-long value is cut."""
        cut = {key: value[:MAX_TAG] for key, value in tags.items()}
        self._try(partial(self._spool.tags, cut))
        self._waiting |= cut
        if not can_wait:
            self.flush()

    def put(self, path: str, content: bytes, *, can_wait: bool = False) -> None:
        """Log an artifact."""
        file = self.folder / "artifacts" / path
        self._try(partial(_write, file, content))
        if not can_wait:
            self._send(partial(send_files, self._client, self._run_id, self.folder))

    def attempt(self, call: Callable[[], object]) -> bool:
        """Let something else be sent, unless the store is known to be away; tell if it worked."""
        self._send(call)
        return not self._degraded

    def flush(self) -> None:
        """Send the metrics and the tags that wait."""
        self._send(partial(send, self._client, self._run_id, *self._taken()))

    def deliver(self, metrics: "Sequence[Metric]") -> None:
        """Send metrics, instead of their points if these wait, and what else waits; may raise."""
        sent = {(metric.key, metric.timestamp, metric.step) for metric in metrics}
        self._buffer = [p for p in self._buffer if (p.key, p.timestamp, p.step) not in sent]
        send(self._client, self._run_id, *self._taken(), metrics)

    def recover(self) -> None:
        """Try a store that went away once more, with all that it should have."""
        if self._degraded:
            self._degraded = False
            self._send(self._resend)

    def close(self, status: str) -> None:
        """Send the rest and the ending; what cannot be sent stays, and a warning says where.

        Of a run that was interrupted all is sent again, because something may have been on its
        way just then.
        """
        self._degraded = self._degraded or status == "KILLED"
        if never_finite := sorted(key for key, finite in self._finite.items() if not finite):
            self.tag({NONFINITE: ", ".join(never_finite)}, can_wait=True)
        ended = time.time_ns() // 1_000_000
        self._try(partial(self._spool.end, status, ended))
        self.flush()
        self._send(partial(send_files, self._client, self._run_id, self.folder))
        self.recover()
        self._send(partial(self._client.set_terminated, self._run_id, status, ended))
        if self._degraded:
            warnings.warn(
                f"The run {self._run_id} is not wholly in the tracking store {self._store}: the "
                f"rest is in {self.folder}, and is sent when the next run of this project starts, "
                "or by `runner doctor --sync`.",
                RunnerWarning,
                stacklevel=2,
            )
        else:  # while the lock is held, so that nobody takes the run for abandoned
            shutil.rmtree(self.folder, ignore_errors=True)
        self._spool.close()

    def _look(self, points: Iterable[Point]) -> None:
        """Remember which metrics had a value that is a number."""
        for point in points:
            finite = math.isfinite(point.value)
            self._finite[point.key] = finite or self._finite.get(point.key, False)

    def _taken(self) -> tuple[list[Point], dict[str, str]]:
        points, self._buffer = self._buffer, []
        tags, self._waiting = self._waiting, {}
        return points, tags

    def _resend(self) -> None:
        self._taken()
        spooled = read(self._spool.file)
        send(self._client, self._run_id, spooled.points, spooled.tags)
        send_files(self._client, self._run_id, self.folder)

    def _send(self, call: Callable[[], object]) -> None:
        if not self._degraded:
            self._degraded = True  # an interrupt, which may come at any moment, leaves it so
            self._degraded = not self._try(call)

    def _try(self, call: Callable[[], object]) -> bool:
        try:
            call()
        except Exception as error:  # noqa: BLE001  (the record never ends a fit)
            self._warn(error)
            return False
        return True

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"Recording in {self._store} fails for now ({one_line(error)}). The run goes on; "
                f"{self.folder} keeps what is to be sent.",
                RunnerWarning,
                stacklevel=2,
            )


def by_step(points: Iterable[Point]) -> dict[tuple[str, int], Point]:
    """Return the points of curves by key and step; at step 0 are no curves, but single values.

    Examples
    --------
    >>> list(by_step([Point("time/fit_s", 0.5, 17, 0), Point("progress/blocks", 1.0, 17, 25)]))
    [('progress/blocks', 25)]
    """
    return {(point.key, point.step): point for point in points if point.step > 0}


def send(
    client: "MlflowClient",
    run_id: str,
    points: Sequence[Point],
    tags: Mapping[str, str] | None = None,
    metrics: "Sequence[Metric]" = (),
) -> None:
    """Log points, tags and metrics; what is there already is not doubled."""
    from mlflow.entities import Metric, RunTag

    every = [*metrics, *(Metric(*point) for point in points)]
    run_tags = [RunTag(key, value) for key, value in (tags or {}).items()]
    for start in range(0, len(every) or bool(run_tags), BATCH):
        client.log_batch(run_id, metrics=every[start : start + BATCH], tags=run_tags)
        run_tags = []


def send_files(client: "MlflowClient", run_id: str, folder: Path) -> None:
    """Log the artifacts that wait in a run's folder, which are removed once all have arrived."""
    waiting = folder / "artifacts"
    if any(file.is_file() for file in waiting.rglob("*")):
        client.log_artifacts(run_id, str(waiting))
        shutil.rmtree(waiting, ignore_errors=True)


def deliver(client: "MlflowClient", run_id: str, folder: Path, spooled: Spooled) -> None:
    """Send all that the folder of a run whose process is gone still holds, and its ending."""
    send(client, run_id, spooled.points, spooled.tags)
    send_files(client, run_id, folder)
    ended = spooled.ended or int((folder / FILE_NAME).stat().st_mtime * 1000)
    client.set_terminated(run_id, spooled.status or "KILLED", ended)


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
