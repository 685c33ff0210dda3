"""What ran where: versions, threads, processors and memory."""

import os
import platform
import re
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

MODEL_PACKAGES = ("scikit-learn", "numpy", "scipy", "skops")
_PACKAGES = (
    *("incremental-runner", "dask", "hydra-core", "mlflow", "omegaconf", "pandas", "pyarrow"),
    *MODEL_PACKAGES,
)
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONHASHSEED")


def environment() -> dict[str, Any]:
    """Return what another machine may do differently, as plain values.

    ``threads`` are the numerical libraries that are loaded, as threadpoolctl finds them, with the
    number of threads that each uses at this moment.

    Examples
    --------
    >>> sorted(environment())
    ['cpu', 'cpus', 'packages', 'platform', 'python', 'threads', 'variables']
    """
    shown = ("user_api", "internal_api", "version", "architecture", "threading_layer")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "cpus": len(os.sched_getaffinity(0)),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "threads": [
            {"num_threads": pool["num_threads"]} | {key: pool.get(key) for key in shown}
            for pool in threadpool_info()
        ],
        "variables": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
    }


@cache
def cpu_model() -> str:
    """Return what the processor calls itself, or its architecture where it does not say."""
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
        if found := re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE):
            return found[1].strip()
    return platform.processor() or platform.machine()


def pinned(names: tuple[str, ...]) -> list[str]:
    """Return the requirements that ask for exactly the installed versions of some packages.

    Examples
    --------
    >>> [text.partition("==")[0] for text in pinned(("numpy", "no-such-package"))]
    ['numpy']
    """
    return [f"{name}=={found}" for name in names if (found := _version(name))]


@cache
def requirements() -> str:
    """Return every installed distribution with its version, one a line, in order."""
    found = {f"{name}=={package.version}" for package in distributions() if (name := package.name)}
    return "\n".join(sorted(found, key=str.lower)) + "\n"


def peak_mb() -> float:
    """Return the most memory that was resident so far, in MB of 10^6 bytes.

    Linux counts it per program; what ``getrusage`` says would include the process that started
    this one.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 / 1e6 if found else float("nan")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
