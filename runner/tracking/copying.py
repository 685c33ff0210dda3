"""Runs copied from a store on this machine to another store, whole, and each of them once.

A copy says by the tag ``runner.copied_from`` which run it is of, and is marked as unfinished by
``runner.copying`` until all is there. Whatever interrupts it, the next attempt finds it and sends
all again, which doubles nothing: points keep their time, files and tags replace themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from runner.tracking.away import STORE
from runner.tracking.client import experiment_id
from runner.tracking.copied_model import COPIED_FROM, copy_models
from runner.tracking.copied_view import copy_view, renamed
from runner.tracking.dataset import log_datasets
from runner.tracking.outbox import send
from runner.tracking.process import Process
from runner.tracking.spool import Point
from runner.tracking.store import Store, local_folder
from runner.tracking.tags import KIND, PARENT, PROCESS, SWEEP, VIEW

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run, RunInfo

COPYING = "runner.copying"
_TEXT = (".csv", ".html", ".json", ".md", ".txt", ".yaml")
_MOST_TEXT = 10_000_000  # bytes of a file that is looked into for names


@dataclass(frozen=True)
class Opened:
    """A store and its client."""

    store: Store
    client: "MlflowClient"


def copy(source: Opened, target: Opened, runs: Sequence["Run"]) -> dict[str, str]:
    """Copy runs that have ended: params, tags, points, artifacts, datasets, models and status.

    Parameters
    ----------
    source : Opened
        Where they are; its artifacts are on this machine.
    target : Opened
        Where they are to be.
    runs : sequence of mlflow.entities.Run
        A run, or a sweep and its members, the sweep first. Where one tells the id of another
        in a tag or a text, the copy tells that of its copy.

    Returns
    -------
    dict of str to str
        The ids of the copies, by those of the runs.
    """
    copies: dict[str, RunInfo] = {}
    unfinished = []
    for run in runs:
        known = {old: info.run_id for old, info in copies.items()}
        info, is_whole = _begun(source, target, run, known)
        copies[run.info.run_id] = info
        if not is_whole:
            unfinished.append(run)
    ids = {old: info.run_id for old, info in copies.items()}
    names = {**ids, str(source.store): str(target.store)}
    for run in reversed(unfinished):
        info = copies[run.info.run_id]
        pages = [f"#/experiments/{each.experiment_id}/runs/" for each in (run.info, info)]
        _fill(source, target, run, info, dict([pages]) | names)
    return ids


def _begun(
    source: Opened, target: Opened, run: "Run", ids: Mapping[str, str]
) -> tuple["RunInfo", bool]:
    """Return the copy of a run, begun if need be, and whether it is whole."""
    name = source.client.get_experiment(run.info.experiment_id).name
    experiment = experiment_id(target.client, target.store, name)
    asked = f"tags.`{COPIED_FROM}` = '{run.info.run_id}'"
    copies = target.client.search_runs([experiment], asked)
    found = sorted(copies, key=lambda each: COPYING in each.data.tags)
    for stray in found[1:]:  # an answer that got lost, to a request that was made twice
        if COPYING in stray.data.tags:
            target.client.delete_run(stray.info.run_id)
    own, parent = run.data.tags, run.data.tags.get(PARENT)
    tags = {key: own[key] for key in (KIND, "mlflow.user") if key in own}
    tags |= {COPIED_FROM: run.info.run_id, COPYING: "unfinished"}
    if parent is not None:
        tags[PARENT] = ids.get(parent, parent)
    process = Process.current()
    if process is not None:
        tags[PROCESS] = str(process)
    if not found:
        made = target.client.create_run(
            experiment, run.info.start_time, tags, run_name=run.info.run_name
        )
        return made.info, False
    info = found[0].info
    is_whole = COPYING not in found[0].data.tags
    if not is_whole:
        send(target.client, info.run_id, (), tags)
        target.client.update_run(info.run_id, status="RUNNING")
    return info, is_whole


def _fill(
    source: Opened, target: Opened, run: "Run", info: "RunInfo", names: dict[str, str]
) -> None:
    """Send all of a run to its copy, and mark that as whole."""
    from mlflow.entities import Param

    client, new = target.client, info.run_id
    params = [Param(key, value) for key, value in run.data.params.items()]
    if params:
        client.log_batch(new, params=params)
    for key in run.data.metrics:
        history = source.client.get_metric_history(run.info.run_id, key)
        send(client, new, [Point(m.key, m.value, m.timestamp, m.step) for m in history])
    if run.inputs and run.inputs.dataset_inputs:
        log_datasets(client, new, run.inputs.dataset_inputs)
    names |= copy_models(source.client, client, run, info, names)
    _send_files(client, new, local_folder(str(run.info.artifact_uri)), names)
    if run.data.tags.get(KIND) == SWEEP and VIEW in run.data.tags:
        copy_view(source.client, client, run.info, info)
    tags = {key: renamed(value, names) for key, value in run.data.tags.items()}
    tags.pop(STORE, None)
    process = tags.pop(PROCESS, "")
    send(client, new, (), tags)
    client.set_terminated(new, run.info.status, run.info.end_time)
    if process:
        client.set_tag(new, PROCESS, process)
    client.delete_tag(new, COPYING)


def _send_files(
    client: "MlflowClient", run_id: str, folder: Path | None, names: Mapping[str, str]
) -> None:
    if folder is None or not folder.is_dir():
        return
    client.log_artifacts(run_id, str(folder))
    with TemporaryDirectory() as temporary:
        for file, text in _mentioning(folder, names):
            place = file.relative_to(folder).parent.as_posix()
            changed = Path(temporary) / file.name
            changed.write_text(renamed(text, names), encoding="utf-8")
            client.log_artifact(run_id, str(changed), None if place == "." else place)


def _mentioning(folder: Path, names: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Yield the texts in a folder in which there is one of some names."""
    for file in sorted(folder.rglob("*")):
        if file.suffix in _TEXT and file.is_file() and file.stat().st_size <= _MOST_TEXT:
            with suppress(UnicodeDecodeError):
                text = file.read_text(encoding="utf-8")
                if any(name in text for name in names):
                    yield file, text
