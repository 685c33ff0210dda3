"""Reading the record back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from runner.base import Scores
from runner.errors import TrackingError
from runner.tracking.client import connect, reported
from runner.tracking.links import run_page, runs_page
from runner.tracking.store import Store, resolve

PAGE = 200
CONFIG = "config/config.yaml"
_SECTION = "holdout/"


@dataclass(frozen=True)
class RecordedRun:
    """One run as the record holds it.

    ``scores`` are the final scores by scorer; ``duration_s`` is in seconds, None while the run
    goes on; ``params`` are texts.
    """

    run_id: str
    name: str
    status: str
    started: datetime
    duration_s: float | None
    scores: Scores
    params: dict[str, str]
    experiment_id: str


def recent_runs(uri: str | None = None, limit: int = 20) -> list[RecordedRun]:
    """Return the latest runs of all experiments of a store, the newest first.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    """
    return list(islice(_runs(resolve(uri), ""), limit))


def find_run(prefix: str, uri: str | None = None) -> RecordedRun:
    """Return the one run whose id begins so.

    Raises
    ------
    TrackingError
        If there is none, or more than one; or if the store cannot be used.
    """
    store = resolve(uri)
    filter_string = f"attributes.run_id LIKE '{prefix}%'"
    found = list(islice(_runs(store, filter_string), 2)) if prefix.isalnum() else []
    if len(found) == 1:
        return found[0]
    several = ", ".join(run.run_id for run in found)
    raise TrackingError(
        f"The run {prefix!r}",
        f"be the beginning of one run's id in {store}",
        got=f"several: {several}" if found else "none",
        remedy="Give more of the id." if found else "See `runner runs` for the ids.",
    )


def kept_config(run: RecordedRun, uri: str | None = None) -> str:
    """Return the composed config of a run, as YAML.

    Raises
    ------
    TrackingError
        If the run keeps none; or if the store cannot be used.
    """
    store = resolve(uri)
    client = connect(store)
    folder, _, _ = CONFIG.partition("/")
    with reported(store), TemporaryDirectory() as local:
        if CONFIG in [file.path for file in client.list_artifacts(run.run_id, folder)]:
            file = Path(client.download_artifacts(run.run_id, CONFIG, local))
            return file.read_text(encoding="utf-8")
    raise TrackingError(
        f"The run {run.run_id}",
        f"keep {CONFIG}",
        got="none",
        remedy="Name a run of `runner run`; see `runner runs`.",
    )


def run_link(base_url: str, run: RecordedRun | None = None, uri: str | None = None) -> str:
    """Return the address of a run's page; without a run, of the table with the latest one."""
    if run is not None:
        return run_page(base_url, run.experiment_id, run.run_id)
    latest = recent_runs(uri, limit=1)
    return runs_page(base_url, latest[0].experiment_id) if latest else base_url


def _runs(store: Store, filter_string: str) -> Iterator[RecordedRun]:
    if store.file is not None and not store.file.exists():
        return
    client = connect(store)
    with reported(store):
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        token = None
        while experiments:
            page = client.search_runs(
                experiments,
                filter_string,
                max_results=PAGE,
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )
            yield from map(_recorded, page)
            token = page.token
            if not token:
                return


def _recorded(run: Any) -> RecordedRun:
    started, ended = run.info.start_time, run.info.end_time
    metrics = run.data.metrics
    return RecordedRun(
        run_id=run.info.run_id,
        name=str(run.info.run_name),
        status=run.info.status,
        started=datetime.fromtimestamp(started / 1000).astimezone(),
        duration_s=(ended - started) / 1000 if ended else None,
        scores={
            key.removeprefix(_SECTION): value
            for key, value in metrics.items()
            if key.startswith(_SECTION)
        },
        params=dict(run.data.params),
        experiment_id=run.info.experiment_id,
    )
