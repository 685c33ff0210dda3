"""What a single run, a member and a sweep have in common while they are open."""

import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from runner.errors import RunnerWarning
from runner.redaction import one_line, redacted
from runner.tracking.client import reported
from runner.tracking.environment import peak_mb
from runner.tracking.links import run_page
from runner.tracking.outbox import Outbox
from runner.tracking.resuming import PEAK, TOTAL, Sittings
from runner.tracking.session import Session
from runner.tracking.spool import Claim
from runner.tracking.tags import CONTENT, ENDING, ERROR, RESUMED, STOP_REASON
from runner.tracking.termination import interruption, status_of

if TYPE_CHECKING:
    from mlflow.entities import Run


class OpenRun:
    """A run of the record that is written to.

    Parameters
    ----------
    session : Session
        The open store.
    started : mlflow.entities.Run
        The run as the store made it.
    flush_every_s : float
        The longest time in seconds between two batches of metrics.
    earlier : Sittings, optional
        What the store holds of a run that is gone on with.
    claimed : Claim, optional
        The lock of such a run.
    """

    def __init__(
        self,
        session: Session,
        started: "Run",
        *,
        flush_every_s: float,
        earlier: Sittings | None = None,
        claimed: Claim | None = None,
    ) -> None:
        self._session = session
        self._client, self._store = session.client, session.store
        self._identity = started.info
        self._began = time.perf_counter()
        self._before = earlier or Sittings()
        points = self._before.points
        self._outbox = Outbox(
            self._client, self._store, self.run_id, flush_every_s, points, claimed=claimed
        )
        self._files = list(self._before.files)

    @property
    def run_id(self) -> str:
        """The run's identifier in its store."""
        return str(self._identity.run_id)

    @property
    def url(self) -> str:
        """The run's page on the server, or the store where there is no server."""
        if self._store.base_url is None:
            return str(self._store)
        return run_page(self._store.base_url, self._identity.experiment_id, self.run_id)

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Keep words about the run that can be searched for."""
        self._outbox.tag({key: redacted(str(value)) for key, value in tags.items()})

    def end(self, error: BaseException | None = None) -> None:
        """Send what waits and end the run with the status that its error, or none, says."""
        status = self._status(error)
        try:
            self._tell_ending(status, error)
        except Exception as failure:  # noqa: BLE001  (how a run went is not how it is told)
            warnings.warn(
                f"The record of the run {self.run_id} lacks its ending ({one_line(failure)}).",
                RunnerWarning,
                stacklevel=2,
            )
        except BaseException:
            status = "KILLED"
            raise
        finally:
            self._outbox.close(status)

    def _open_again(self, before: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Let the store say that the run goes on; what ended it is forgotten.

        Parameters
        ----------
        before : mapping of str to str
            The tags that the run had.
        tags : mapping of str to str
            New ones.
        """
        from mlflow.entities import RunTag

        counted = {**tags, RESUMED: str(self._before.resumed + 1)}
        with reported(self._store):
            every = [RunTag(key, value) for key, value in counted.items()]
            self._client.log_batch(self.run_id, tags=every)
            self._client.update_run(self.run_id, status="RUNNING")
            for name in before:
                if name in ENDING or name.startswith(CONTENT):
                    self._client.delete_tag(self.run_id, name)
        self._outbox.log({TOTAL: self._before.seconds}, 0)  # tells when this sitting began

    def _status(self, error: BaseException | None) -> str:
        return "FINISHED" if error is None else status_of(error)

    def _tell_ending(self, status: str, error: BaseException | None) -> None:
        """Log what is known only in the end."""

    def _ending_tags(self, status: str, error: BaseException | None) -> dict[str, str]:
        """Return what an error or an interruption is told by; its trace is kept."""
        if status == "FAILED" and error is not None:
            trace = "".join(traceback.format_exception(error))
            self._put("logs/error.txt", lambda: redacted(trace).encode())
            return {ERROR: one_line(error)}
        return {STOP_REASON: interruption(error)} if status == "KILLED" else {}

    def _seconds(self) -> float:
        """Return how long the run has taken, over all its sittings."""
        return self._before.seconds + time.perf_counter() - self._began

    def _log_cost(self) -> None:
        cost = {TOTAL: self._seconds(), PEAK: max(peak_mb(), self._before.peak_mb)}
        self._outbox.log(cost, 0, can_wait=True)

    def _log_texts(self, files: Mapping[str, str]) -> None:
        with TemporaryDirectory() as folder:
            for path, text in files.items():
                file = Path(folder) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            if files:
                self._client.log_artifacts(self.run_id, folder)
        self._files += files

    def _put(self, path: str, make: Callable[[], bytes], *, at_once: bool = False) -> None:
        try:
            content = make()
        except Exception as error:  # noqa: BLE001  (a picture is not worth a run)
            warnings.warn(
                f"The record has no {path}, because it could not be made ({one_line(error)}).",
                RunnerWarning,
                stacklevel=2,
            )
            return
        if path not in self._files:
            self._files.append(path)
        self._outbox.put(path, content, can_wait=not at_once)
