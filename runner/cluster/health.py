"""Whether a cluster is still there: its scheduler, and at least one worker."""

import asyncio
import re
from concurrent.futures import Future
from time import monotonic
from typing import Any

from runner.errors import ClusterError, cause

EVERY_S = 0.5
SILENT_S = 20.0  # it may be busy for some seconds, such as with imports


class Health:
    """Looks at a cluster now and then, in the loop of its client, from ``begin`` to ``end``.

    Parameters
    ----------
    client : distributed.Client
    patience_s : float
        How long there may be no worker, or no answer of the scheduler, in seconds.
    """

    def __init__(self, client: Any, patience_s: float) -> None:
        self.threads: dict[str, int] = {}
        self._client = client
        self._patience_s = patience_s
        self._heard = self._staffed = monotonic()
        self._watching: Future[None] | None = None
        self.scheduler = scheduler_of(client)

    @property
    def n_threads(self) -> int:
        """How many threads all workers have together."""
        return sum(self.threads.values())

    def begin(self) -> None:
        """Find out who is there, and go on looking."""
        self._heard = self._staffed = monotonic()
        self.check()
        self._look_until_told()

    def end(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()

    def check(self) -> None:
        """Refuse to wait any longer for what will not come.

        Raises
        ------
        ClusterError
            If the connection to the scheduler is lost; if it did not answer, or there was no
            worker, for longer than the patience.
        """
        if self._client.status != "running":
            raise lost(self.scheduler)
        silent_s = monotonic() - self._heard
        if silent_s > max(self._patience_s, SILENT_S):
            raise lost(self.scheduler, f"no answer for {silent_s:.0f} s")
        if self._heard - self._staffed > self._patience_s:
            raise ClusterError(
                f"The cluster of {self.scheduler}",
                "have a worker",
                got=f"none for {self._patience_s:g} s",
                remedy="Start workers, or give them longer to come: cluster.patience_s.",
            )

    def _look_until_told(self) -> None:
        loop = self._client.loop.asyncio_loop
        first = asyncio.run_coroutine_threadsafe(self.look(), loop)
        while not first.done():
            self.check()
            _wait(first, EVERY_S)
        self._watching = asyncio.run_coroutine_threadsafe(self._look_on(), loop)

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Look who is there, now."""
        try:
            asked = self._client.scheduler.ncores()
            self.threads = dict(await asyncio.wait_for(asked, SILENT_S))
        except (TimeoutError, OSError):
            return
        self._heard = monotonic()
        if self.threads:
            self._staffed = self._heard


def scheduler_of(client: Any) -> str:
    """Return the address of the scheduler of a client."""
    return str(getattr(client.scheduler, "address", "an unknown address"))


def lost(scheduler: str, said: str = "a lost connection") -> ClusterError:
    """Return the error for a scheduler that is no longer there."""
    return ClusterError(
        f"The scheduler at {scheduler}",
        "stay there until the end",
        got=said,
        remedy="Start it again, with workers, and resume the run.",
    )


def silent(scheduler: str, patience_s: float) -> ClusterError:
    """Return the error for workers that are there, of which none answers."""
    return ClusterError(
        f"A worker of the cluster of {scheduler}",
        "answer",
        got=f"nothing from any for {patience_s:g} s",
        remedy="Look what they do, or start others; then resume the run.",
    )


def unable(worker: str, reply: Any) -> ClusterError:
    """Return the error for a worker whose reply is an error, or the description of one."""
    if not isinstance(reply, BaseException):
        said = reply.get("exception_text", "an error")
    elif type(reply) is Exception:  # in which Dask wraps what it cannot send
        said = str(reply)
    else:
        said = cause(reply)
    return ClusterError(
        f"The worker {worker}",
        "do what it is asked for",
        got=said,
        remedy="Look whether it has the same packages, and memory enough; its log says more.",
    )


def in_words(error: BaseException) -> str:
    """Return what an error of a connection means, without what Dask calls its connections.

    Examples
    --------
    >>> in_words(TimeoutError("in <TCP (closed)>"))
    'no answer'
    >>> in_words(ConnectionResetError(104, "reset"))
    'a connection that was closed'
    >>> in_words(ValueError("a port"))
    'ValueError: a port'
    """
    if isinstance(error, TimeoutError):
        return "no answer"
    said = re.sub(r"in <.*?>: ?", "", cause(error)).removeprefix("CommClosedError: ")
    is_of_dask = said != cause(error)
    if not is_of_dask and not isinstance(error, ConnectionError):
        return said
    if "refused" in said:
        return "a connection that was refused"
    return said if re.search("SSL|certificate", said) else "a connection that was closed"


def translated(scheduler: str, error: Exception) -> Exception:
    """Return the error for a scheduler that is lost if a connection failed, else the same."""
    return lost(scheduler, in_words(error)) if isinstance(error, OSError) else error


def _wait(future: "Future[None]", timeout_s: float) -> None:
    try:
        future.result(timeout_s)
    except TimeoutError:
        return
