"""Which process keeps a run, so that another can see whether it is gone."""

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_ENDED = ("Z", "X")


@dataclass(frozen=True)
class Process:
    """A process, told apart from all others.

    Attributes
    ----------
    host : str
        The machine's name, for people.
    boot : str
        Which start of which machine; no two are alike.
    namespace : str
        Which numbering of processes on it; a container has its own.
    pid : int
        The process's number.
    started : int
        When it began, in clock ticks since the machine's start; numbers are used again.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    started: int

    @classmethod
    def current(cls) -> Self | None:
        """Return this process; None where the system does not tell."""
        try:
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
            namespace = str(Path("/proc/self/ns/pid").readlink())
        except OSError:
            return None
        pid = os.getpid()
        started = _started(pid)
        if started is None:
            return None
        return cls(platform.node().replace("/", "-"), boot, namespace, pid, started)

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read what ``str`` wrote; None of anything else.

        Examples
        --------
        >>> Process.parse("here/5e-1/pid:[40]/17/2900").pid, Process.parse("here")
        (17, None)
        """
        with suppress(ValueError):
            host, boot, namespace, pid, started = (text or "").split("/")
            return cls(host, boot, namespace, int(pid), int(started))
        return None

    def __str__(self) -> str:
        """Write all of it in one word."""
        return f"{self.host}/{self.boot}/{self.namespace}/{self.pid}/{self.started}"

    def is_gone(self) -> bool | None:
        """Say whether the process has ended; None where that cannot be seen from here."""
        here = type(self).current()
        if here is None or (here.boot, here.namespace) != (self.boot, self.namespace):
            return None
        return _started(self.pid) != self.started


def _started(pid: int) -> int | None:
    """Return when a process began; None if there is none, or one that only waits to be buried."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = status.rpartition(")")[2].split()  # the program's name before it may hold anything
    return None if fields[0] in _ENDED else int(fields[19])
