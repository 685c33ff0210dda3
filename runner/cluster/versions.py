"""The packages that decide about bits, and about what can be sent, and their versions."""

import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeAlias

from runner.errors import ClusterError

PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "pyarrow",
    "dask",
    "distributed",
    "cloudpickle",
    "incremental-runner",
)
OF_SCHEDULER = ("python", "dask", "distributed", "cloudpickle", "incremental-runner")
Versions: TypeAlias = tuple[tuple[str, str | None], ...]


@cache
def versions_here() -> Versions:
    """Return the version of Python and of each of ``PACKAGES`` in this process."""
    return (
        ("python", ".".join(map(str, sys.version_info[:3]))),
        *((name, _installed(name)) for name in PACKAGES),
    )


def check_here(expected: Versions, where: str) -> None:
    """Refuse to work in a process whose packages differ from those of the client.

    Raises
    ------
    ClusterError
    """
    if expected != versions_here():
        check_same(f"The worker {where}", dict(versions_here()), dict(expected))


def check_same(subject: str, there: dict[str, str | None], here: dict[str, str | None]) -> None:
    """Refuse what differs; ``here`` are the packages that count.

    Raises
    ------
    ClusterError
        About the first package that differs.

    Examples
    --------
    >>> check_same("The worker w", {"scipy": "1.1"}, {"scipy": "1.2"})
    Traceback (most recent call last):
        ...
    runner.errors.ClusterError: The worker w must have scipy 1.2 as this process has; got 1.1. ...
    """
    for package in sorted(here, key=lambda name: name != "incremental-runner"):
        if there.get(package) != here[package]:
            raise ClusterError(
                subject,
                f"have {package} {here[package] or 'left out'} as this process has",
                got=there.get(package) or f"no {package}",
                remedy="Use the same environment on both sides.",
            )


def of_reply(reply: dict[str, Any]) -> dict[str, str | None]:
    """Return the versions in an answer to Dask's own question for them.

    Examples
    --------
    >>> of_reply({"host": {}, "packages": {"python": "3.11.9.final.0", "numpy": "2.4.6"}})
    {'python': '3.11.9', 'numpy': '2.4.6'}
    """
    packages = dict(reply["packages"])
    packages["python"] = ".".join(packages["python"].split(".")[:3])
    return packages


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
