"""Worker processes on this machine."""

import logging
import os
import signal
from asyncio import gather
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from runner.cluster.client import CLOSE_S
from runner.cluster.heard import Heard
from runner.cluster.plain import BYTES
from runner.cluster.security import is_loopback, require_allowed, split_address
from runner.cluster.started import ScalableCluster
from runner.rules import boolean, integer, null, one_of, text

if TYPE_CHECKING:
    from distributed import Client

HOST = "127.0.0.1"
NO_PAGES = {"dashboard": False, "dashboard_address": f"{HOST}:0"}  # only whether it is alive
AUTO = "auto"
GRACE_S = 0.5  # for a worker that is told to end


@dataclass(kw_only=True)
class LocalCluster(ScalableCluster):
    """Processes on this machine, each with one thread, that listen on 127.0.0.1 only.

    Parameters
    ----------
    n_workers : int or None
        How many processes; None for as many as there are cores.
    memory_limit : str or None
        Bytes for each, above which Dask writes to disk, waits, and in the end starts the process
        anew; ``auto`` for an equal share of the machine's, None for no limit.
    tls : bool
        Whether they talk by TLS, with keys of this run: without it, whoever has an account on
        this machine can run code in the workers.
    dashboard : str or None
        Where to show Dask's pages, such as ``127.0.0.1:8787``; None for nowhere. They need Bokeh.
    """

    kind: ClassVar[str] = "local"

    n_workers: Annotated[int | None, integer(1) | null()] = None
    memory_limit: Annotated[str | None, one_of(AUTO) | BYTES | null()] = AUTO
    tls: Annotated[bool, boolean()] = True
    dashboard: Annotated[str | None, text(300) | null()] = None

    def __post_init__(self) -> None:
        """Refuse settings that are not what they should be, and pages for the whole network."""
        super().__post_init__()
        if self.dashboard is not None:
            _, host = split_address("cluster.dashboard", self.dashboard)
            if not is_loopback(host):
                require_allowed("cluster.dashboard", self.dashboard, "be on 127.0.0.1")

    @contextmanager
    def connected(self, heard: Heard) -> "Iterator[Client]":
        """Yield a client; the environment of this process is as before when it is closed."""
        with _as_before(), super().connected(heard) as client:
            yield client

    @property
    def shows_pages(self) -> bool:
        """Whether they were asked for."""
        return self.dashboard is not None

    def start(self) -> Any:
        """Start the scheduler, in a thread of this process, and the workers."""
        from distributed import LocalCluster as DaskLocalCluster
        from distributed import Security

        pages = {"dashboard": True, "dashboard_address": self.dashboard}
        cluster = DaskLocalCluster(
            n_workers=0,
            threads_per_worker=1,
            processes=True,
            host=HOST,
            dashboard_address=None,
            scheduler_kwargs=NO_PAGES if self.dashboard is None else pages,
            security=Security.temporary() if self.tls else Security(require_encryption=False),
            protocol="tls://" if self.tls else "tcp://",
            memory_limit=self._memory(),
            silence_logs=logging.CRITICAL,
        )
        cluster.sync(_hear_no_ctrl_c)
        cluster.scale(self._begins_with())
        return cluster

    def stop(self, cluster: Any) -> None:
        """End the workers, also those that are at work, without waiting for that."""
        with suppress(Exception):  # what is left is ended, or told, with the scheduler
            cluster.sync(_end_workers, cluster, callback_timeout=CLOSE_S)
        super().stop(cluster)

    def left(self, cluster: Any) -> str:
        """Say that the workers end by themselves."""
        return "What is left of its processes ends with this one."

    def _begins_with(self) -> int:
        from dask.system import CPU_COUNT

        if self.adaptive is not None and self.n_workers is None:
            return self.adaptive["minimum"]
        return self.n_workers or int(CPU_COUNT)

    def _memory(self) -> Any:
        if self.memory_limit != AUTO:
            return self.memory_limit
        most = 0 if self.adaptive is None else self.adaptive["maximum"]
        return 1 / max(most, self._begins_with())  # a share of what the machine has


async def _end_workers(cluster: Any) -> None:
    await gather(*(nanny.close(timeout=GRACE_S) for nanny in cluster.workers.values()))


@contextmanager
def _as_before() -> Iterator[None]:
    """Set back what Dask sets here too when it starts a worker: the threads of libraries."""
    import dask.config

    names = {"PYTHONHASHSEED", *dask.config.get("distributed.nanny.pre-spawn-environ")}
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


async def _hear_no_ctrl_c() -> None:
    """Let what this thread starts hear no Ctrl-C: of a terminal all processes get it at once.

    It is this process that decides what then becomes of the workers.
    """
    resource_tracker.ensure_running()  # the thread that starts it would hear Ctrl-C again
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
