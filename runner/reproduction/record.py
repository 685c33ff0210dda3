"""What the record keeps of a run that another run can be compared by."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from runner.tracking.curves import curves
from runner.tracking.record import RecordedRun, kept_bytes
from runner.tracking.start_files import DIFF, ENVIRONMENT, REQUIREMENTS
from runner.tracking.tags import PARENT

if TYPE_CHECKING:
    import pyarrow as pa

LEDGER = "ledger/blocks.parquet"

Curve = list[tuple[int, float]]


@dataclass(frozen=True)
class Kept:
    """A run as the record keeps it.

    Parameters
    ----------
    run : RecordedRun
        Its tags and final scores.
    curves : mapping of str to list of (int, float)
        The scores on the way over the rows seen.
    ledger : pyarrow.Table, optional
        One row per learned block.
    environment : mapping
        What ran where.
    requirements : mapping of str to str
        The version of every installed distribution.
    diff : str
        What differed from the commit.
    """

    run: RecordedRun
    curves: Mapping[str, Curve] = field(default_factory=dict)
    ledger: "pa.Table | None" = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    requirements: Mapping[str, str] = field(default_factory=dict)
    diff: str = ""


def kept(run: RecordedRun, uri: str | None = None) -> Kept:
    """Read what the record keeps of a run; a sweep keeps the environment of its members.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    """
    owner = run.run_id
    environment = kept_bytes(owner, ENVIRONMENT, uri)
    if environment is None and PARENT in run.tags:
        owner = run.tags[PARENT]
        environment = kept_bytes(owner, ENVIRONMENT, uri)
    return Kept(
        run,
        curves=curves(run.run_id, uri),
        ledger=_table(kept_bytes(run.run_id, LEDGER, uri)),
        environment=json.loads(environment or b"{}"),
        requirements=versions((kept_bytes(owner, REQUIREMENTS, uri) or b"").decode()),
        diff=(kept_bytes(owner, DIFF, uri) or b"").decode(errors="replace"),
    )


def versions(requirements: str) -> dict[str, str]:
    r"""Return the version of each requirement.

    Examples
    --------
    >>> versions("numpy==2.1\nscipy==1.14\n")
    {'numpy': '2.1', 'scipy': '1.14'}
    """
    pairs = (line.partition("==") for line in requirements.splitlines())
    return {name: version for name, found, version in pairs if found}


def _table(content: bytes | None) -> "pa.Table | None":
    if content is None:
        return None
    from pyarrow.parquet import read_table

    return read_table(BytesIO(content))
