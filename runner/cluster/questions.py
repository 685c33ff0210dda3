"""Ask every worker, before there is work: which packages it has, and which files it sees."""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from distributed.protocol.pickle import dumps

from runner.cluster.health import lost, scheduler_of
from runner.cluster.versions import OF_SCHEDULER, PACKAGES, check_same, of_reply, versions_here
from runner.errors import ClusterError

MOST_PATHS = 100


def check_versions(client: Any, patience_s: float) -> None:
    """Refuse a scheduler or a worker whose packages differ from those of this process.

    Raises
    ------
    ClusterError
    """
    here = dict(versions_here())
    asked = {"op": "versions", "packages": list(PACKAGES)}
    scheduler, replies = _ask(client, asked, patience_s)
    where = f"The scheduler at {scheduler_of(client)}"
    check_same(where, of_reply(scheduler), {name: here[name] for name in OF_SCHEDULER})
    for worker, reply in replies.items():
        check_same(f"The worker {worker}", of_reply(reply), here)


def check_files(client: Any, paths: Iterable[str | Path], patience_s: float) -> None:
    """Refuse a worker that does not see local files, or a sample of them where they are many.

    Raises
    ------
    ClusterError
    """
    some = sample(paths)
    if not some:
        return
    asked = {"op": "run", "function": dumps(missing), "args": dumps((some,)), "kwargs": dumps({})}
    for worker, reply in _ask(client, asked, patience_s)[1].items():
        host, path = reply["result"]
        if path:
            raise ClusterError(
                f"The worker {worker} on {host}",
                "see the files that this process reads",
                got=f"no {path}",
                remedy="Put the data where all workers see them at the same path, or start the "
                "workers where they are.",
            )


def missing(paths: Sequence[str]) -> tuple[str, str]:
    """Return the name of this host, and the first path that is not there, or ""."""
    return socket.gethostname(), next((path for path in paths if not Path(path).exists()), "")


def sample(paths: Iterable[str | Path]) -> list[str]:
    """Return the absolute paths to look for: of many, their folders and some that are spread.

    Examples
    --------
    >>> sample(["/data/a.csv", "s3://rows/b.csv", "file:///data/c.csv"])
    ['/data/a.csv', '/data/c.csv']
    >>> len(sample(f"/data/{i}.csv" for i in range(100_000)))
    101
    """
    texts = (str(path).removeprefix("file://") for path in paths)
    local = [str(Path(text).absolute()) for text in texts if "://" not in text]
    if len(local) <= MOST_PATHS:
        return local
    folders = list(dict.fromkeys(str(Path(path).parent) for path in local))
    return [*_spread(folders), *_spread(local)]


def _spread(paths: list[str]) -> list[str]:
    most = min(len(paths), MOST_PATHS)
    return [paths[i * len(paths) // most] for i in range(most)]


def _ask(client: Any, message: dict[str, Any], patience_s: float) -> tuple[Any, dict[str, Any]]:
    """Return the answers of the scheduler, where it has one, and of each worker."""

    async def of_worker(worker: str) -> Any:
        asked = client.scheduler.broadcast(msg=message, workers=[worker], on_error="ignore")
        try:
            replies = await asyncio.wait_for(asked, patience_s)
        except TimeoutError:
            raise _silent(worker, patience_s) from None
        return replies.get(worker)

    async def of_all() -> tuple[Any, dict[str, Any]]:
        scheduler = None
        if message["op"] == "versions":
            scheduler = await client.scheduler.versions(packages=message["packages"])
        workers = list(await client.scheduler.ncores())
        replies = await asyncio.gather(*map(of_worker, workers))
        # One without an answer has left meanwhile.
        return scheduler, {w: reply for w, reply in zip(workers, replies, strict=True) if reply}

    asking = asyncio.run_coroutine_threadsafe(of_all(), client.loop.asyncio_loop)
    try:
        return asking.result(3 * patience_s)
    except (OSError, TimeoutError) as error:
        asking.cancel()
        raise lost(scheduler_of(client), "no answer") from error


def _silent(worker: str, patience_s: float) -> ClusterError:
    return ClusterError(
        f"The worker {worker}",
        "answer",
        got=f"nothing for {patience_s:g} s",
        remedy="Look what it does, or end it.",
    )
