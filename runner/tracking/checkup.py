"""What is well, what is not, and what was mended in a record of runs."""

import warnings
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from runner.errors import RunnerError
from runner.redaction import redacted
from runner.tracking.client import connect, reported
from runner.tracking.mending import end_orphans, mend
from runner.tracking.process import Process
from runner.tracking.record import find_all
from runner.tracking.spool import FILE_NAME, abandoned, check_runs_folder, read, runs_folder
from runner.tracking.store import Store, preflight, resolve
from runner.tracking.tags import PROCESS

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOST_NAMED = 10
_OURS = "attributes.status = 'RUNNING' AND tags.`runner.version` IS NOT NULL"


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is as it should be, and what a person should know of it."""

    name: str
    ok: bool
    told: str


def check_record(uri: str | None = None) -> list[Finding]:
    """Look at the project's folder and its store, and mend what can be mended.

    Runs that were killed get what they had not sent, and a true status. A store that is not there
    yet is not made.

    Parameters
    ----------
    uri : str or None
        The store; the project's own when not given.
    """
    findings = [_project()]
    try:
        store = resolve(uri)
        preflight(store)
        if store.file is not None and not store.file.exists():
            return [*findings, Finding("store", True, f"{store} is made by the first run")]
        client = connect(store)
        findings.append(Finding("store", True, f"{store} can be written"))
        findings += [_folders(client, store), _killed(client, store), _unsent()]
        findings.append(_running(client, store))
    except RunnerError as error:
        findings.append(Finding("store", False, str(error)))
    return findings


def _project() -> Finding:
    try:
        check_runs_folder()
    except RunnerError as error:
        return Finding("project", False, str(error))
    return Finding("project", True, f"{runs_folder().parent.parent} can be written")


def _folders(client: "MlflowClient", store: Store) -> Finding:
    """See that the artifacts of each experiment are where the store says."""
    lost = []
    with reported(store):
        experiments = list(client.search_experiments())
        for experiment in experiments:
            folder = _local(str(experiment.artifact_location))
            if folder is not None and not folder.is_dir() and _has_runs(client, experiment):
                lost.append(f"{experiment.name} in {folder}")
    if lost:
        told = f"the artifacts are not there of {_named(lost)}; move them back, or forget these"
        return Finding("experiments", False, told)
    return Finding("experiments", True, f"{len(experiments)}, each with its artifacts")


def _local(location: str) -> Path | None:
    parts = urlsplit(location)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None


def _has_runs(client: "MlflowClient", experiment: Any) -> bool:
    return bool(client.search_runs([experiment.experiment_id], max_results=1))


def _killed(client: "MlflowClient", store: Store) -> Finding:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        mended = mend(client, store)
    told = f"{len(mended)} mended: {_named(mended)}" if mended else "none to mend"
    trouble = [redacted(str(each.message)) for each in said]
    return Finding("killed runs", not trouble, " ".join([told, *trouble]))


def _unsent() -> Finding:
    """See what is left of runs whose store is another one."""
    stores = dict.fromkeys(read(folder / FILE_NAME).store for folder in abandoned())
    if not stores:
        return Finding("unsent", True, "nothing")
    told = f"something in {runs_folder()} is for {_named(list(stores))}; it is sent when a run "
    return Finding("unsent", False, f"{told}starts there, or this check is made there")


def _running(client: "MlflowClient", store: Store) -> Finding:
    """End the runs whose process is provably gone; name those of which that cannot be seen."""
    with reported(store):
        running = list(find_all(client, store, _OURS))
        ended, unknown = end_orphans(client, running)
    open_runs = len(running) - len(ended) - len(unknown)
    told = [f"{open_runs} open"]
    if ended:
        told.append(f"{len(ended)} whose process is gone marked as killed: {_named(ended)}")
    if unknown:
        elsewhere = {run.run_id: _host(run.tags.get(PROCESS)) for run in running}
        names = _named([f"{run_id} ({elsewhere[run_id]})" for run_id in unknown])
        told.append(f"{len(unknown)} whose process cannot be seen from here, left alone: {names}")
    return Finding("running runs", not unknown, "; ".join(told))


def _host(text: str | None) -> str:
    process = Process.parse(text)
    return (
        "of an unknown process" if process is None else f"process {process.pid} on {process.host}"
    )


def _named(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    shown = ", ".join(islice(names, MOST_NAMED))
    return f"{shown} and {more} more" if more > 0 else shown
