"""A whole command in a project of its own, and the memory of all its processes."""

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.turns import LAST_CHARACTERS, ContenderError, environment

SAMPLED_S, SEEN_OFTEN = 0.03, 3


class Memory(threading.Thread):
    """Watches the memory of a process and its children, as long as it lives."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._largest: dict[int, int] = {}
        self._seen: dict[int, int] = {}
        self.start()

    def run(self) -> None:
        """Keep the largest resident size of each process until the first has ended."""
        import psutil

        try:
            root = psutil.Process(self._pid)
            while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
                for process in (root, *root.children(recursive=True)):
                    self._look_at(process)
                time.sleep(SAMPLED_S)
        except psutil.NoSuchProcess:
            return

    def _look_at(self, process: Any) -> None:
        import psutil

        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            size = process.memory_info().rss
            self._largest[process.pid] = max(size, self._largest.get(process.pid, 0))
            self._seen[process.pid] = self._seen.get(process.pid, 0) + 1

    def peak_mb(self) -> float:
        """Return the sum over the processes, without those that were gone at once."""
        self.join()
        kept = (pid for pid, times in self._seen.items() if times >= SEEN_OFTEN)
        return sum(self._largest[pid] for pid in kept) / 1e6


@dataclass
class Ended:
    """A command that has ended well, and the project that it recorded to."""

    wall: float
    memory: float
    said: str
    project: Path

    def forget(self) -> None:
        """Remove the project."""
        shutil.rmtree(self.project)


def watched(words: Sequence[str], scratch: Path) -> Ended:
    """Run a command in a new project, whose store already has the schema.

    Raises
    ------
    ContenderError
        If its exit code is not 0.
    """
    project = Path(tempfile.mkdtemp(prefix="project-", dir=scratch))
    shutil.copy(scratch / "schema.db", project / "mlflow.db")
    output = project / "output.txt"
    with output.open("w") as file:
        started = time.perf_counter()
        process = subprocess.Popen(
            words,
            env=environment(project),
            cwd=project,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        memory = Memory(process.pid)
        code = process.wait()
        wall = time.perf_counter() - started
    said = output.read_text(errors="replace")
    if code:
        raise ContenderError(f"exit code {code}\n{said[-LAST_CHARACTERS:].strip()}")
    return Ended(wall, memory.peak_mb(), said, project)
