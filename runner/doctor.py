"""Whether this installation, this project and its record are well."""

import platform
import re
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from runner.tracking.checkup import Finding, check_record

PACKAGE = "incremental-runner"


def examine(uri: str | None = None) -> list[Finding]:
    """Look at everything that a run leans on, and mend the record where it can be mended.

    Parameters
    ----------
    uri : str or None
        The tracking store; ``$MLFLOW_TRACKING_URI`` or the project's own when not given.

    Returns
    -------
    list of Finding
        Python, the libraries, the project's folder, and of the store: whether it can be written
        and has the right schema, the folders of its experiments, runs that were killed and are
        mended now, what is left unsent, and runs that go on.
    """
    return [_python(), _libraries(), *check_record(uri)]


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
