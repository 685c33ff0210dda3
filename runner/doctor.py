"""Whether this installation, this project and its record are well."""

import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from runner.project import builtin
from runner.tracking.checkup import check_record
from runner.tracking.environment import environment
from runner.tracking.finding import Finding, named

PACKAGE = "incremental-runner"
LOCK = Path("requirements") / "run.txt"


def examine(uri: str | None = None, *, send: bool = False) -> list[Finding]:
    """Look at everything that a run leans on, and mend the record where it can be mended.

    Parameters
    ----------
    uri : str or None
        The tracking store; ``$MLFLOW_TRACKING_URI`` or the project's own when not given.
    send : bool
        Whether to send what waits in the project for stores that did not answer.

    Returns
    -------
    list of Finding
        Python, the libraries and their locked versions, the threads, the project's folder, and of
        the store: whether it can be written, is whole and has the right schema, the folders of
        its experiments, runs that were killed and are mended now, runs that go on, what is sent
        or waits, the saved states, and the free space.
    """
    return [_python(), _libraries(), _locked(), _threads(), *check_record(uri, send=send)]


def _python() -> Finding:
    asked = str(metadata(PACKAGE)["Requires-Python"] or "")
    found = platform.python_version()
    fits = SpecifierSet(asked).contains(found, prereleases=True)
    return Finding("python", fits, found if fits else f"{found}, where {asked} is asked for")


def _libraries() -> Finding:
    asked = [Requirement(re.sub(r"\s+", " ", text)) for text in requires(PACKAGE) or ()]
    needed = [each for each in asked if each.marker is None or each.marker.evaluate({"extra": ""})]
    wrong = [told for each in needed if (told := _misfit(each))]
    told = f"{len(needed)}, each of a version that fits"
    return Finding("libraries", not wrong, "; ".join(wrong) or told)


def _misfit(asked: Requirement) -> str:
    """Say what is wrong with an installed library; nothing if it fits.

    Examples
    --------
    >>> _misfit(Requirement("numpy>=1")), _misfit(Requirement("no-such-library>=1"))
    ('', 'no-such-library is not there; run: pip install "no-such-library>=1"')
    """
    remedy = f'run: pip install "{asked.name}{asked.specifier}"'
    try:
        found = version(asked.name)
    except PackageNotFoundError:
        return f"{asked.name} is not there; {remedy}"
    if asked.specifier.contains(found, prereleases=True):
        return ""
    return f"{asked.name} is {found}, where {asked.specifier} is asked for; {remedy}"


def _locked() -> Finding:
    """Tell which versions are others than those that everything was tested with."""
    file = builtin("conf").parent / LOCK
    if not file.is_file():
        return Finding("lock", True, "none came along, so any versions that fit will do")
    wanted = dict(_pins(file.read_text(encoding="utf-8")))
    found = {name: _version(name) for name in wanted}
    others = [
        f"{name} {found[name]} for {asked}"
        for name, asked in wanted.items()
        if found[name] not in (None, asked)
    ]
    told = f"{len(others)} of {len(wanted)} versions differ: {named(others)}"
    return Finding("lock", True, told if others else f"{len(wanted)} versions, none differs")


def _pins(text: str) -> Iterator[tuple[str, str]]:
    r"""Yield the packages that a lock file pins here, with their versions.

    Examples
    --------
    >>> list(_pins("a==1.2 \\\n    --hash=sha256:00\nb==3 ; python_version < '3'\n"))
    [('a', '1.2')]
    """
    for line in text.splitlines():
        with suppress(InvalidRequirement):
            asked = Requirement(line.rstrip("\\ "))
            if asked.marker is None or asked.marker.evaluate():
                yield asked.name, str(asked.specifier).removeprefix("==")


def _threads() -> Finding:
    """Tell what decides how many threads the numerical libraries use."""
    import scipy.linalg  # noqa: F401  (only what is loaded is found)

    here = environment()
    told = [f"{here['cpus']} cpus"]
    wrong = {}
    for name, value in here["variables"].items():
        if name.endswith("_THREADS"):
            told.append(f"{name}={value}")
            if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", value):
                wrong[name] = value
    for pool in here["threads"]:
        library = f"{pool['internal_api']} {pool['version'] or ''}".strip()
        told.append(f"{library} with {pool['num_threads']} {_plural(pool['num_threads'])}")
    told += [f"{name} must be a number above 0, or unset" for name in wrong]
    return Finding("threads", not wrong, ", ".join(dict.fromkeys(told)))


def _plural(n: int) -> str:
    return "thread" if n == 1 else "threads"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
