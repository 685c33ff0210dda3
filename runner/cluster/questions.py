"""Ask every worker, before there is work: which packages it has, and which files it sees."""

import asyncio
from collections.abc import Sequence
from typing import Any

from distributed.protocol.pickle import dumps, loads

from runner.cluster.at_worker import refused
from runner.cluster.files import missing, unseen
from runner.cluster.health import in_words, lost, scheduler_of, unable
from runner.cluster.versions import OF_SCHEDULER, PACKAGES, check_same, of_reply, versions_here
from runner.errors import ClusterError

SCHEDULER_S = 15.0
MOST_S = 40.0  # a patience for workers to come may be longer


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


def check_files(client: Any, paths: Sequence[str], patience_s: float) -> None:
    """Refuse a worker that does not see files.

    Raises
    ------
    ClusterError
    """
    if not paths:
        return
    args = dumps((list(paths),))
    asked = {"op": "run", "function": dumps(missing), "args": args, "kwargs": dumps({})}
    for worker, reply in _ask(client, asked, patience_s)[1].items():
        host, path = reply["result"]
        if path:
            raise unseen(worker, host, path)


def check_loads(client: Any, content: bytes, patience_s: float) -> None:
    """Refuse a worker that cannot make of bytes what was pickled here.

    Raises
    ------
    ClusterError
    """
    asked = {"op": "run", "function": dumps(refused), "args": dumps((content,))}
    for worker, reply in _ask(client, asked | {"kwargs": dumps({})}, patience_s)[1].items():
        host, said = reply["result"]
        if said:
            raise ClusterError(
                f"The worker {worker} on {host}",
                "be able to import what the estimator and the stages are made of",
                got=said,
                remedy="Install it there, or put it on the worker's PYTHONPATH.",
            )


def _ask(client: Any, message: dict[str, Any], patience_s: float) -> tuple[Any, dict[str, Any]]:
    """Return the answers of the scheduler, where it has one, and of each worker."""
    within_s = min(patience_s, MOST_S)
    answers = _answers(client, message, within_s)
    asking = asyncio.run_coroutine_threadsafe(answers, client.loop.asyncio_loop)
    try:
        scheduler, replies = asking.result(SCHEDULER_S + within_s + 1)
    except OSError as error:
        asking.cancel()
        raise lost(scheduler_of(client), in_words(error)) from error
    # One that cannot be reached has left meanwhile.
    there = {worker: reply for worker, reply in replies.items() if not isinstance(reply, OSError)}
    for worker, reply in there.items():
        if isinstance(reply, Exception) or "exception" in reply:
            raise unable(worker, reply)
    return scheduler, there


async def _answers(client: Any, message: dict[str, Any], within_s: float) -> tuple[Any, Any]:
    async def of_worker(worker: str) -> Any:
        asked = client.scheduler.broadcast(msg=message, workers=[worker], on_error="return_pickle")
        try:
            reply = (await asyncio.wait_for(asked, within_s))[worker]
        except TimeoutError:
            raise _silent(worker, within_s) from None
        return loads(reply) if isinstance(reply, bytes) else reply

    async def of_scheduler() -> tuple[Any, list[str]]:
        scheduler = None
        if message["op"] == "versions":
            scheduler = await client.scheduler.versions(packages=message["packages"])
        return scheduler, list(await client.scheduler.ncores())

    scheduler, workers = await asyncio.wait_for(of_scheduler(), SCHEDULER_S)
    replies = await asyncio.gather(*map(of_worker, workers))
    return scheduler, dict(zip(workers, replies, strict=True))


def _silent(worker: str, patience_s: float) -> ClusterError:
    return ClusterError(
        f"The worker {worker}",
        "answer",
        got=f"nothing for {patience_s:g} s",
        remedy="Look what it does, or end it.",
    )
