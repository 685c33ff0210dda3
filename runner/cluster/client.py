"""A client of a Dask cluster, while it is connected."""

import asyncio
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from runner.cluster.health import in_words
from runner.cluster.heard import Heard
from runner.errors import ClusterError, RunnerError

if TYPE_CHECKING:
    from distributed import Client

ANSWER_S = 8.0  # within which a scheduler answers
CLOSE_S = 5.0


@contextmanager
def client_of(target: Any, **settings: Any) -> "Iterator[Client]":
    """Yield a client; it becomes no default, and a version that differs is not told here.

    Parameters
    ----------
    target : str or Cluster of Dask
        A scheduler's address, or what has one.
    **settings
        Further keywords of ``distributed.Client``.

    Raises
    ------
    ClusterError
        If no scheduler answers within a few seconds.
    """
    from distributed import Client
    from distributed.versions import VersionMismatchWarning

    at = target if isinstance(target, str) else getattr(target, "scheduler_address", "")
    before = set(Client._instances)  # noqa: SLF001  (one that is made by half has no other name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VersionMismatchWarning)
            if isinstance(target, str):
                _greet(target, settings["security"])
            client = Client(target, timeout=ANSWER_S, set_as_default=False, **settings)
    except BaseException as error:  # Ctrl-C too
        for begun in set(Client._instances) - before:  # noqa: SLF001
            _close(begun)
        if not isinstance(error, Exception):
            raise
        raise ClusterError(
            f"The scheduler at {at}",
            f"answer within {ANSWER_S:.0f} seconds",
            got=in_words(error.__cause__ or error),
            remedy="Check the address, that the scheduler runs, and whether it wants TLS.",
        ) from error
    try:
        yield client
    finally:
        _close(client)


def _close(client: "Client") -> None:
    with suppress(Exception):  # a scheduler that is gone cannot be told
        client.close(timeout=CLOSE_S)


def _greet(address: str, security: Any) -> None:
    with ThreadPoolExecutor(1) as pool:  # this thread may have a loop, as in a notebook
        pool.submit(asyncio.run, _asked(address, security)).result()


async def _asked(address: str, security: Any) -> None:
    """Ask a scheduler who it is: for an answer to its greeting a client waits for ever."""
    from distributed import rpc

    arguments = security.get_connection_args("client")
    async with rpc(address, connection_args=arguments, timeout=ANSWER_S) as scheduler:
        await asyncio.wait_for(scheduler.identity(), ANSWER_S)


def wait_for_a_worker(client: "Client", patience_s: float, heard: Heard) -> None:
    """Wait until there is a worker.

    Raises
    ------
    ClusterError
        If there is none in time, or the scheduler is lost meanwhile.
    """
    try:
        client.wait_for_workers(1, timeout=patience_s)
    except Exception as error:
        said = f"; it said: {heard.told}" if heard.told else ""
        if not said and not isinstance(error, TimeoutError):
            said = "; the connection was closed"  # Dask stumbles over what it then lacks
        raise ClusterError(
            "The cluster",
            f"have a worker within {patience_s:g} seconds",
            got=f"none{said}",
            remedy="Start a worker, or wait longer by cluster.patience_s.",
        ) from error


def could_not_start(kind: str, error: Exception, heard: Heard) -> RunnerError:
    """Return what is said of a cluster that could not be made, an error of ours as it is."""
    if isinstance(error, RunnerError):
        return error
    said = f"; {heard.told}" if heard.told else ""
    return ClusterError(
        f"The cluster {kind}",
        "start",
        got=f"{in_words(error)}{said}",
        remedy="Check the settings under cluster, and that what it starts on can be reached.",
    )
