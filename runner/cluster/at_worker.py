"""What runs on a worker: one piece of work, with one core, and with everything it says kept."""

import asyncio
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from runner.cluster.files import check_seen
from runner.cluster.layouts import dumps, loads
from runner.cluster.outcomes import Outcome
from runner.cluster.told import recorded
from runner.cluster.versions import Versions, check_here
from runner.errors import cause

_lock = threading.Lock()
_here = threading.local()
_blas: list[Any] = []


@dataclass
class Shared:
    """What all tasks of a pass share, and the packages and files that they expect."""

    value: Any
    expected: Versions
    paths: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Go from worker to worker with the arrays as they were."""
        return shared, (dumps(self.value), self.expected, self.paths)


def shared(content: bytes, expected: Versions, paths: tuple[str, ...] = ()) -> Shared:
    """Return what all tasks share, from bytes that the scheduler need not understand."""
    return Shared(loads(content), expected, paths)


def perform(given: Shared, content: bytes) -> Outcome:
    """Do one piece of work: ``content`` is ``(work, task)``."""

    def performed() -> Any:
        check_here(given.expected, address())
        check_seen(given.paths, address())
        work, task = loads(content)
        return work(given.value, task)

    return _outcome(performed)


def call(function: Callable[[Any], Any], task: Any) -> Any:
    """Call a function that is shared by all tasks."""
    return function(task)


def ask(held: Outcome, content: bytes) -> Outcome:
    """Apply a function to what a worker holds: ``content`` is ``(function, arguments)``."""
    if held.error is not None:
        return Outcome(error=held.error, told=held.told, worker=held.worker)

    def asked() -> Any:
        function, arguments = loads(content)
        return function(held.value, *arguments)

    return _outcome(asked)


def look(held: Outcome, content: bytes) -> Outcome:
    """Apply a function, and return also what was told, and how long it took, to make it."""
    outcome = ask(held, content)
    if held.error is None:
        outcome.told, outcome.seconds = [*held.told, *outcome.told], held.seconds
    return outcome


async def ask_there(
    key: str, function: Callable[[Outcome, bytes], Outcome], content: bytes, dask_worker: Any
) -> Outcome | None:
    """Apply ``ask`` or ``look`` at once, beside the task under way; None if nothing is held."""
    held = dask_worker.data.get(key)
    if held is None:
        return None
    beside = dask_worker.executors["actor"]
    outcome = await asyncio.get_running_loop().run_in_executor(beside, function, held, content)
    outcome.worker = dask_worker.address
    return outcome


def refused(content: bytes) -> tuple[str, str]:
    """Return the name of this host, and why the bytes mean nothing here, "" if they do."""
    try:
        loads(content)
    except Exception as error:  # noqa: BLE001  (told to whoever asks)
        return socket.gethostname(), cause(error)
    return socket.gethostname(), ""


def tell(topic: str, message: Any) -> None:
    """Send a small message of plain values to the process that listens, while work goes on.

    It may arrive after the result of the task does. Nothing happens outside a worker.
    """
    worker = _worker()
    if worker is not None:
        worker.log_event(topic, message)


def address() -> str:
    """Return the address of this worker, "" outside one."""
    worker = _worker()
    return str(worker.address) if worker is not None else ""


def _worker() -> Any:
    from distributed import get_worker

    try:
        return get_worker()
    except ValueError:
        return None


def _outcome(call: Callable[[], Any]) -> Outcome:
    began, outcome = perf_counter(), Outcome(worker=address())
    with recorded() as outcome.told:
        try:
            _use_one_core()
            outcome.value = call()
        except BaseException as error:  # noqa: BLE001  (a member may call sys.exit)
            outcome.error = error
    outcome.seconds = perf_counter() - began
    return outcome


def _use_one_core() -> None:
    # Here, as the scheduler imports this module too, and what is numerical takes seconds.
    from threadpoolctl import ThreadpoolController

    from runner.one_core import one_core_here

    with _lock:
        if not _blas:
            _blas.append(ThreadpoolController().limit(limits=1))
    if not getattr(_here, "is_limited", False):
        one_core_here()
        _here.is_limited = True
