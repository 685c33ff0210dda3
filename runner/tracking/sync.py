"""What waits for a store that did not answer is sent to it."""

import os
import subprocess
import sys
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.errors import RunnerError, TrackingError
from runner.redaction import REDACTED, one_line, redacted
from runner.tracking.away import Away, alone, stand_ins
from runner.tracking.client import connect, reported
from runner.tracking.copying import Opened, copy
from runner.tracking.finding import Finding, named
from runner.tracking.mending import end_orphans, mend
from runner.tracking.record import find_all
from runner.tracking.saved_states import move_state
from runner.tracking.spool import FILE_NAME, abandoned, is_open, read
from runner.tracking.store import URI_VARIABLE, preflight, resolve
from runner.tracking.tags import PARENT

if TYPE_CHECKING:
    from mlflow.entities import Run

COMMAND = "runner doctor --sync"
Family = list["Run"]


def waiting() -> dict[str, list[str]]:
    """Return what waits, in words, by the store that it is for."""
    found: dict[str, list[str]] = {}
    by_name = {str(away.store): away.name for away in stand_ins()}
    for name, n in _left().items():
        found.setdefault(by_name.get(name, name), []).append(_some(n, "unsent rest"))
    for away in stand_ins():
        n = sum(len(family) for family in families(_open(away)))
        if n:
            found.setdefault(away.name, []).append(f"{_some(n, 'run')} kept in the project")
    return found


def sync(uri: str | None = None) -> list[Finding]:
    """Send all that waits in this project to the stores that it is for, as far as they answer.

    What is interrupted is completed the next time, and nothing is sent twice.

    Parameters
    ----------
    uri : str or None
        The store by which credentials come back, which are kept nowhere; chosen as for a run.

    Returns
    -------
    list of Finding
        One for each store that something waits for.
    """
    aways = {away.name: away for away in stand_ins()}
    for away in aways.values():
        _mended(Opened(away.store, connect(away.store)))
    names = dict.fromkeys([*_left(), *(name for name in waiting() if name in aways)])
    return [_sent(name, aways.get(name), uri) for name in names]


def families(opened: Opened) -> list[Family]:
    """Return the runs of a store on this machine, each sweep with its members behind it."""
    recorded = list(find_all(opened.client, opened.store, ""))
    ids = {run.run_id for run in recorded}
    grouped: dict[str, list[str]] = {}
    for run in reversed(recorded):
        parent = run.tags.get(PARENT)
        members = grouped.setdefault(parent if parent in ids else run.run_id, [])
        members.append(run.run_id)
    with reported(opened.store):
        return [
            [opened.client.get_run(each) for each in sorted(members, key=lambda m: m != head)]
            for head, members in grouped.items()
        ]


@dataclass
class _Report:
    """What became of what waits for one store."""

    name: str
    sent: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def finding(self) -> Finding:
        sent = f"sent {', '.join(self.sent)}" if self.sent else "nothing sent"
        kept = f"; kept: {'; '.join(self.kept)}" if self.kept else ""
        return Finding("sync", not self.kept, f"{sent} to {self.name}{kept}")


def _sent(name: str, away: Away | None, uri: str | None) -> Finding:
    """Send what waits for one store, and tell what became of it."""
    report = _Report(name)
    try:
        target = _reached(name, uri)
        mended, trouble = _mended(target)
        report.kept += trouble
        if mended:
            report.sent.append(_some(len(mended), "unsent rest"))
        if away is not None:
            _empty(away, target, report)
    except Exception as error:  # noqa: BLE001  (what waits for another store is sent all the same)
        told = str(error) if isinstance(error, RunnerError) else one_line(error)
        report.kept.append(redacted(told))
    return report.finding()


def _reached(name: str, uri: str | None) -> Opened:
    """Open the store of a name, with the credentials of the one that is chosen now."""
    chosen = resolve(uri)
    store = chosen if str(chosen) == name else None
    if store is None and REDACTED in name:
        raise TrackingError(
            f"The tracking store {name}",
            "be given with its credentials, which are kept nowhere",
            got=f"{chosen} as the store",
            remedy=f"Set {URI_VARIABLE} to it and write `{COMMAND}` again.",
        )
    store = store or resolve(name)
    preflight(store)
    if store.file is not None and not store.file.exists():
        raise TrackingError(
            f"The tracking store {name}",
            "be there",
            got="no such file",
            remedy="Put it back, or remove what waits for it from .runner.",
        )
    return Opened(store, connect(store))


def _empty(away: Away, target: Opened, report: _Report) -> None:
    """Copy the runs of a stand-in to the store that they are for, and remove those that are."""
    with alone(away) as is_mine:
        if not is_mine:
            report.kept.append(f"what is in {away.folder}, which another process is sending")
            return
        source, sent = _open(away), 0
        try:
            for family in families(source):
                sent += _moved(source, target, family, report)
        finally:
            if sent:
                report.sent.append(_some(sent, "run"))
                _free(away)


def _moved(source: Opened, target: Opened, family: Family, report: _Report) -> int:
    """Move a run, or a sweep with its members, and return how many runs that are."""
    if going_on := [run.info.run_id for run in family if _goes_on(run)]:
        report.kept.append(f"{named(going_on)}, which may go on")
        return 0
    try:
        _move(source, target, family)
    except Exception as error:  # noqa: BLE001  (one run must not keep back the others)
        told = str(error) if isinstance(error, RunnerError) else one_line(error)
        report.kept.append(f"{family[0].info.run_id} ({redacted(told)})")
        preflight(target.store)
        return 0
    return len(family)


def _move(source: Opened, target: Opened, family: Family) -> None:
    ids = copy(source, target, family)
    for run in reversed(family):
        old = run.info.run_id
        move_state(old, ids[old])
        for output in run.outputs.model_outputs if run.outputs else ():
            source.client.delete_logged_model(output.model_id)
        source.client.delete_run(old)


def _goes_on(run: "Run") -> bool:
    return run.info.status == "RUNNING" or is_open(run.info.run_id)


def _free(away: Away) -> None:
    """Let MLflow's own command remove for good what is marked as deleted; it may fail."""
    uri = away.store.uri
    subprocess.run(  # noqa: S603  (our own interpreter, on a fixed module)
        [
            *(sys.executable, "-m", "mlflow", "gc"),
            *("--backend-store-uri", uri, "--tracking-uri", uri),
        ],
        env=os.environ.copy(),
        capture_output=True,
        check=False,
    )


def _mended(opened: Opened) -> tuple[list[str], list[str]]:
    """Send what killed runs left for a store; return their ids, and what went wrong."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        mended = mend(opened.client, opened.store)
    if any(away.store == opened.store for away in stand_ins()):
        running = find_all(opened.client, opened.store, "attributes.status = 'RUNNING'")
        end_orphans(opened.client, list(running))
    return mended, [redacted(str(each.message)) for each in said]


def _open(away: Away) -> Opened:
    return Opened(away.store, connect(away.store))


def _left() -> dict[str, int]:
    """Count the folders of runs whose process is gone, by the store that they are for."""
    found: dict[str, int] = {}
    for folder in abandoned():
        name = read(folder / FILE_NAME).store
        found[name] = found.get(name, 0) + 1
    return found


def _some(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
