"""Reach what tasks left on workers: fetch it, or have a function applied to it there."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from time import monotonic
from typing import Any
from uuid import uuid4

from dask.config import set as dask_config
from distributed.protocol.pickle import dumps
from distributed.worker import get_data_from_worker

from runner.cluster.at_worker import ask_there
from runner.cluster.health import EVERY_S, Health, lost, scheduler_of, unable
from runner.cluster.outcomes import Outcome
from runner.errors import ClusterError, cause

_ask = dumps(ask_there)


class Reaching:
    """Reaches results, in the loop of the client; its methods are coroutines but for ``submit``.

    Parameters
    ----------
    client : distributed.Client
    health : Health
        Tells which workers are there.
    """

    def __init__(self, client: Any, health: Health) -> None:
        self._client = client
        self._health = health
        self._name = uuid4().hex
        self._numbers = count()

    def submit(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Hand a task to the scheduler under a key of its own, and return its future."""
        # Tasks of one name are queued by the scheduler, and given to whatever worker is free.
        key = (f"{function.__name__}-{self._name}", next(self._numbers))
        # Bytes of any size are one argument here, not a graph that has swallowed data.
        with dask_config({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
            return self._client.submit(
                function, *arguments, key=key, pure=False, retries=0, **options
            )

    async def fetched(self, future: Any) -> Outcome:
        """Return the result of a task, from whoever has it, as often as it is computed anew."""
        while True:
            await self.settled(future)
            began = monotonic()
            outcome = await self._from_anyone(future)
            if outcome is not None:
                outcome.seconds += monotonic() - began
                return outcome
            self._wait_anew(future)
            await asyncio.sleep(0.05)

    async def asked(
        self, future: Any, function: Callable[[Any, bytes], Outcome], content: bytes
    ) -> Outcome:
        """Return ``function(result, content)`` from the worker that has the result.

        It is not a task: as one, it would wait there for the block under way, or be taken by an
        idle worker, which the result would have to be sent to. If the worker goes away, the result
        is computed anew, and the function applied where it is then.
        """
        call = {"function": _ask, "args": dumps((future.key, function, content))}
        while True:
            await self.settled(future)
            for holder in await self.holders(future):
                outcome = await self._while_there(holder, self._run(holder, call))
                if outcome is not None:
                    return outcome
            self._wait_anew(future)
            await asyncio.sleep(0.05)

    async def settled(self, future: Any) -> None:
        """Wait for the end of a task.

        Raises
        ------
        ClusterError
            If it killed its workers, or was lost with the scheduler.
        """
        state = future._state  # noqa: SLF001  (what the client itself waits for)
        await state.wait()
        if state.status == "cancelled":
            raise lost(scheduler_of(self._client))
        if state.status == "error":
            raise _failed(state.exception)

    async def whereabouts(self) -> dict[str, set[str]]:
        """Return the keys that each worker computes or is to compute."""
        processing = await self._client.scheduler.processing()
        return {worker: set(keys) for worker, keys in processing.items()}

    async def frozen(self, timeout_s: float = 1.0) -> set[str]:
        """Return the workers that do not answer at once."""

        async def is_frozen(worker: str) -> bool:
            asked = self._client.scheduler.broadcast(
                msg={"op": "identity"}, workers=[worker], on_error="ignore"
            )
            try:
                await asyncio.wait_for(asked, timeout_s)
            except TimeoutError:
                return True
            return False

        workers = list(self._health.threads)
        answers = await asyncio.gather(*map(is_frozen, workers))
        return {worker for worker, is_so in zip(workers, answers, strict=True) if is_so}

    async def holders(self, *futures: Any) -> set[str]:
        """Return the workers that have the result of one of these tasks."""
        told = await self._client.scheduler.who_has(keys=[future.key for future in futures])
        return set().union(*told.values())

    async def is_only_at(
        self, workers: set[str], future: Any, places: dict[str, set[Any]]
    ) -> bool:
        """Say whether one of these workers computes it, or nobody else has it.

        ``places`` are the ``whereabouts``.
        """
        if any(future.key in places.get(worker, ()) for worker in workers):
            return True
        holders = await self.holders(future)
        return bool(holders) and workers.issuperset(holders)

    async def _from_anyone(self, future: Any) -> Outcome | None:
        for holder in await self.holders(future):
            outcome = await self._while_there(holder, self._from(holder, future.key))
            if outcome is not None:
                return outcome
        return None

    async def _from(self, holder: str, key: Any) -> Outcome | None:
        try:
            reply: Any = await get_data_from_worker(self._client.rpc, [key], holder)
            while reply["status"] == "busy":
                await asyncio.sleep(0.05)
                reply = await get_data_from_worker(self._client.rpc, [key], holder)
        except OSError:
            # Where this process cannot reach the workers, the scheduler passes their results on.
            await self._health.look()
            if holder not in self._health.threads:
                return None
            reply = await self._client.scheduler.gather(keys=[key])
        outcome: Outcome | None = (await self._answered(holder, reply)).get("data", {}).get(key)
        return outcome

    async def _run(self, holder: str, call: dict[str, bytes]) -> Outcome | None:
        try:
            reply: Any = await self._client.rpc(holder).run(**call)
        except OSError:
            await self._health.look()
            if holder not in self._health.threads:
                return None
            replies = await self._client.scheduler.broadcast(
                msg={"op": "run", **call}, workers=[holder], on_error="ignore"
            )
            reply = replies.get(holder, {})
        outcome: Outcome | None = (await self._answered(holder, reply)).get("result")
        return outcome

    async def _answered(self, holder: str, reply: dict[str, Any]) -> dict[str, Any]:
        """Return a reply; nothing if it is an error of a worker that goes away."""
        if "exception" not in reply:
            return reply
        await asyncio.sleep(EVERY_S)
        await self._health.look()
        if holder not in self._health.threads:
            return {}
        raise unable(holder, reply)

    async def _while_there(
        self, holder: str, reaching: Coroutine[Any, Any, Outcome | None]
    ) -> Outcome | None:
        # Dask tries for long to connect to one that is gone.
        trying = asyncio.ensure_future(reaching)
        try:
            while not trying.done():
                await asyncio.wait([trying], timeout=EVERY_S)
                if holder not in self._health.threads and not trying.done():
                    return None
            return trying.result()
        finally:
            trying.cancel()

    def _wait_anew(self, future: Any) -> None:
        # The client believes that a result is there until it is told that it is lost.
        self._client._send_to_scheduler({"op": "report-key", "key": future.key})  # noqa: SLF001
        future._state.reset()  # noqa: SLF001


def _failed(error: BaseException) -> ClusterError:
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return ClusterError(
            "A task",
            "leave its worker alive",
            got=f"{error.allowed_failures + 1} workers that died while they worked on it",
            remedy="Look whether it needs more memory than a worker has; its log says more.",
        )
    return ClusterError(
        "A task",
        "be something that the scheduler and the workers understand",
        got=cause(error),
        remedy="Install the same packages on all of them.",
    )
