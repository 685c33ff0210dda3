"""What is well, what is not, and what was mended in a record of runs."""

import warnings
from typing import TYPE_CHECKING, Any

from runner.errors import RunnerError
from runner.redaction import one_line, redacted
from runner.tracking.away import stand_ins
from runner.tracking.client import connect, reported
from runner.tracking.finding import MOST_NAMED, Finding, named
from runner.tracking.health import check_database, check_space
from runner.tracking.mending import end_orphans, mend
from runner.tracking.process import Process
from runner.tracking.record import find_all
from runner.tracking.saved_states import check_states, saved_states
from runner.tracking.spool import check_runs_folder, runs_folder
from runner.tracking.store import Store, local_folder, preflight, resolve
from runner.tracking.sync import COMMAND, sync, waiting
from runner.tracking.tags import PROCESS

if TYPE_CHECKING:
    from mlflow import MlflowClient


_OURS = "attributes.status = 'RUNNING' AND tags.`runner.version` IS NOT NULL"


def check_record(uri: str | None = None, *, send: bool = False) -> list[Finding]:
    """Look at the project's folder and its store, and mend what can be mended.

    Runs that were killed get what they had not sent, and a true status; saved states that nobody
    needs are removed. A store that is not there yet is not made.

    Parameters
    ----------
    uri : str or None
        The store; the project's own when not given.
    send : bool
        Whether to send what waits for stores that did not answer; else it is only told.
    """
    findings = [_project()]
    store = client = None
    try:
        store = resolve(uri)
        client = _opened(store)
        findings.append(_stored(store))
        if client is not None:
            findings += _looked_at(client, store)
    except RunnerError as error:
        findings.append(Finding("store", False, str(error)))
    findings += _database(store)
    findings += sync(uri) if send else []
    findings += [_unsent(), _states(client)]
    states = saved_states()
    return [*findings, check_space(store, states[0].nbytes if states else 0)]


def _opened(store: Store) -> "MlflowClient | None":
    """Open a store that is there; its schema is looked at, and not changed."""
    preflight(store)
    return None if store.file is not None and not store.file.exists() else connect(store)


def _stored(store: Store) -> Finding:
    if store.file is not None and not store.file.exists():
        return Finding("store", True, f"{store} is made by the first run")
    told = "answers" if store.file is None else "can be written"
    return Finding("store", True, f"{store} {told}, and has the schema of this MLflow")


def _looked_at(client: "MlflowClient", store: Store) -> list[Finding]:
    return [_folders(client, store), _killed(client, store), _running(client, store)]


def _database(store: Store | None) -> list[Finding]:
    if store is None or store.file is None or not store.file.is_file():
        return []
    return [check_database(store.file)]


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
            folder = local_folder(str(experiment.artifact_location))
            if folder is not None and not folder.is_dir() and _has_runs(client, experiment):
                lost.append(f"{experiment.name} in {folder}")
    if lost:
        told = f"the artifacts are not there of {named(lost)}; move them back, or forget these"
        return Finding("experiments", False, told)
    return Finding("experiments", True, f"{len(experiments)}, each with its artifacts")


def _has_runs(client: "MlflowClient", experiment: Any) -> bool:
    return bool(client.search_runs([experiment.experiment_id], max_results=1))


def _killed(client: "MlflowClient", store: Store) -> Finding:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        mended = mend(client, store)
    told = f"{len(mended)} mended: {named(mended)}" if mended else "none to mend"
    trouble = [redacted(str(each.message)) for each in said]
    return Finding("killed runs", not trouble, " ".join([told, *trouble]))


def _unsent() -> Finding:
    """See what waits in the project for a store."""
    found = waiting()
    if not found:
        return Finding("unsent", True, "nothing")
    told = [f"{' and '.join(what)} for {name}" for name, what in found.items()]
    more = len(told) - MOST_NAMED
    told = [*told[:MOST_NAMED], *([f"{more} more stores"] if more > 0 else [])]
    return Finding("unsent", False, f"{'; '.join(told)}; `{COMMAND}` sends it")


def _states(client: "MlflowClient | None") -> Finding:
    """See to the saved states; while the store does not answer, nothing is removed."""
    stood_in = [connect(away.store) for away in stand_ins()] if client else []
    try:
        return check_states([client, *stood_in] if client else [])
    except Exception as error:  # noqa: BLE001  (the rest is looked at all the same)
        return Finding("saved states", False, one_line(error))


def _running(client: "MlflowClient", store: Store) -> Finding:
    """End the runs whose process is provably gone; name those of which that cannot be seen."""
    with reported(store):
        running = list(find_all(client, store, _OURS))
        ended, unknown = end_orphans(client, running)
    open_runs = len(running) - len(ended) - len(unknown)
    told = [f"{open_runs} open"]
    if ended:
        told.append(f"{len(ended)} whose process is gone marked as killed: {named(ended)}")
    if unknown:
        elsewhere = {run.run_id: _host(run.tags.get(PROCESS)) for run in running}
        names = named([f"{run_id} ({elsewhere[run_id]})" for run_id in unknown])
        told.append(f"{len(unknown)} whose process cannot be seen from here, left alone: {names}")
    return Finding("running runs", not unknown, "; ".join(told))


def _host(text: str | None) -> str:
    process = Process.parse(text)
    return (
        "of an unknown process" if process is None else f"process {process.pid} on {process.host}"
    )
