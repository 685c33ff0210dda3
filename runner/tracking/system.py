"""How busy the machine and this process are while a long fit goes on."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from runner.base import Block, Callback, Progress

EVERY_S = 2.0
POINTS = 200
_MB = 1e6


class Reading(NamedTuple):
    """What the counters of the system say: seconds, and bytes since the system started."""

    at: float
    process_cpu_s: float
    disk_bytes: int
    network_bytes: int


class SystemMetrics(Callback):
    """Log processor, memory, disk and network of a fit that takes long, over the rows seen.

    They are sampled between blocks, at most every two seconds and the more rarely the longer it
    goes on, so that a curve has hundreds of points rather than thousands; each value is the mean
    since the point before. A fit takes long once it has, or as soon as the rows that are left
    promise it. Without psutil, and where the system tells nothing, nothing is logged.

    Parameters
    ----------
    log : callable
        Takes the metrics and their step.
    after_s : float
        How many seconds are long.
    clock : callable
        Returns seconds.
    """

    def __init__(
        self,
        log: Callable[[Mapping[str, float], int], object],
        after_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._after_s = after_s
        self._every_s = min(EVERY_S, after_s / 5)
        self._clock = clock
        self._began = (0, 0.0)
        self._due = 0.0
        self._before: Reading | None = None

    def on_fit_begin(self, progress: Progress, estimator: Any) -> None:
        """Start the clock."""
        now = self._clock()
        self._began = (progress.rows, now)
        self._due = now + self._every_s
        self._before = None

    def on_block_end(self, progress: Progress, block: Block) -> None:
        """Log a point when one is due."""
        now = self._clock()
        if now < self._due:
            return
        elapsed = now - self._began[1]
        self._due = now + max(self._every_s, elapsed / POINTS)
        if self._is_long(progress, elapsed):
            try:
                self._sample(progress.rows)
            except Exception:  # noqa: BLE001  (no psutil, or a system that does not tell)
                self._due = float("inf")

    def _is_long(self, progress: Progress, elapsed: float) -> bool:
        learned = progress.rows - self._began[0]
        left = max((progress.total_rows or 0) - progress.rows, 0)
        return elapsed + elapsed * left / max(learned, 1) >= self._after_s

    def _sample(self, rows: int) -> None:
        import psutil  # type: ignore[import-untyped]

        if self._before is None:  # what follows is the mean since now
            psutil.cpu_percent()
            self._before = self._reading(psutil)
            return
        now, before = self._reading(psutil), self._before
        self._before = now
        seconds = max(now.at - before.at, 1e-9)
        memory, process = psutil.virtual_memory(), psutil.Process()
        values = {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "process_cpu_percentage": 100 * (now.process_cpu_s - before.process_cpu_s) / seconds,
            "system_memory_usage_percentage": memory.percent,
            "process_memory_megabytes": process.memory_info().rss / _MB,
            "disk_megabytes_per_second": (now.disk_bytes - before.disk_bytes) / seconds / _MB,
            "network_megabytes_per_second": (now.network_bytes - before.network_bytes)
            / seconds
            / _MB,
        }
        self._log({f"system/{name}": value for name, value in values.items()}, rows)

    def _reading(self, psutil: Any) -> Reading:
        disk, network = psutil.disk_io_counters(), psutil.net_io_counters()
        return Reading(
            self._clock(),
            sum(psutil.Process().cpu_times()[:2]),
            disk.read_bytes + disk.write_bytes if disk else 0,
            network.bytes_recv + network.bytes_sent if network else 0,
        )
