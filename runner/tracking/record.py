"""Reading the record back."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from runner.base import Scores
from runner.errors import TrackingError
from runner.tracking.client import connect, reported
from runner.tracking.links import run_page, runs_page, view_page
from runner.tracking.search import experiment_ids, understood
from runner.tracking.store import Store, resolve
from runner.tracking.tags import KEY, KIND, MEMBERS, NUMBER, PARENT, SUPERSEDED, SWEEP, VIEW
from runner.tracking.views import members_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

PAGE = 200
CONFIG = "config/config.yaml"
_SECTION = "holdout/"
_ROWS = "progress/rows"
_COMMAND, _COMMIT = "mlflow.source.name", "mlflow.source.git.commit"
_ALONE = f"tags.`{PARENT}` IS NULL"


@dataclass(frozen=True)
class RecordedRun:
    """One run as the record holds it.

    ``scores`` are the final scores by scorer; ``duration_s`` is in seconds, None while the run
    goes on; ``params`` are texts; ``tags`` are our own, and the parent's id; ``rows`` is how many
    rows were learned; ``command`` is what was typed, ``commit`` git's, "" where there was none.
    """

    run_id: str
    name: str
    status: str
    started: datetime
    duration_s: float | None
    scores: Scores
    params: dict[str, str]
    experiment_id: str
    tags: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    command: str = ""
    commit: str = ""

    @property
    def is_sweep(self) -> bool:
        """Whether the run stands for a sweep."""
        return self.tags.get(KIND) == SWEEP

    @property
    def members(self) -> int:
        """How many members a sweep has, as far as it told; 0 for any other run."""
        told = self.tags.get(MEMBERS, "")
        return int(told) if told.isdecimal() else 0


def recent_runs(
    uri: str | None = None,
    limit: int = 20,
    *,
    parents_only: bool = True,
    experiment: str | None = None,
    filter_string: str = "",
) -> list[RecordedRun]:
    """Return the latest runs of a store, the newest first.

    Parameters
    ----------
    uri : str or None
        The store; the project's own when not given.
    limit : int
        How many runs, at most.
    parents_only : bool
        Whether a sweep is one run, without its members.
    experiment : str or None
        The name of the one experiment to look in; all when not given.
    filter_string : str
        What they must fulfil, as MLflow's search has it.

    Raises
    ------
    ConfigError
        If there is no such experiment, or the filter is none.
    TrackingError
        If the store cannot be used.
    """
    asked = " AND ".join(filter(None, [_ALONE if parents_only else "", filter_string.strip()]))
    with understood(filter_string):
        return list(islice(_runs(resolve(uri), asked, experiment), limit))


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


def children(run: RecordedRun, uri: str | None = None) -> list[RecordedRun]:
    """Return the members of a sweep that began, each of them once, by their number.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    """
    store = resolve(uri)
    return _by_number(current(children_of(connect(store), store, run.run_id)))


def children_of(client: "MlflowClient", store: Store, run_id: str) -> list[RecordedRun]:
    """Return every run of a sweep's members that was not superseded, the newest first.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    """
    return list(find_all(client, store, members_of(run_id)))


def current(runs: Iterable[RecordedRun]) -> list[RecordedRun]:
    """Choose, of several runs of the same member, the one that finished, else the newest.

    Parameters
    ----------
    runs : iterable of RecordedRun
        The newest first.
    """
    chosen: dict[str, RecordedRun] = {}
    for run in runs:
        if SUPERSEDED not in run.tags:
            known = chosen.setdefault(run.tags.get(KEY, run.run_id), run)
            if known.status != "FINISHED" and run.status == "FINISHED":
                chosen[run.tags[KEY]] = run
    return list(chosen.values())


def _by_number(runs: Iterable[RecordedRun]) -> list[RecordedRun]:
    def place(run: RecordedRun) -> tuple[int, datetime]:
        number = run.tags.get(NUMBER, "")
        return (int(number) if number.isdecimal() else 0, run.started)

    return sorted(runs, key=place)


def kept_config(run: RecordedRun, uri: str | None = None) -> str:
    """Return the composed config of a run, as YAML.

    Raises
    ------
    TrackingError
        If the run keeps none; or if the store cannot be used.
    """
    return kept_file(run, CONFIG, uri)


def kept_file(run: RecordedRun, path: str, uri: str | None = None) -> str:
    """Return an artifact of a run, as text.

    Parameters
    ----------
    run : RecordedRun
        The run.
    path : str
        Such as ``config/config.yaml``.
    uri : str or None
        The store; the project's own when not given.

    Raises
    ------
    TrackingError
        If the run keeps none; or if the store cannot be used.
    """
    content = kept_bytes(run.run_id, path, uri)
    if content is not None:
        return content.decode("utf-8")
    raise TrackingError(
        f"The run {run.run_id}",
        f"keep {path}",
        got="none",
        remedy="Name a run of `runner run`; see `runner runs`.",
    )


def kept_bytes(run_id: str, path: str, uri: str | None = None) -> bytes | None:
    """Return an artifact of a run, None if it keeps none of that path.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    """
    store = resolve(uri)
    client = connect(store)
    folder = path.rpartition("/")[0] or None
    with reported(store), TemporaryDirectory() as local:
        if path not in [file.path for file in client.list_artifacts(run_id, folder)]:
            return None
        return Path(client.download_artifacts(run_id, path, local)).read_bytes()


def run_link(base_url: str, run: RecordedRun | None = None, uri: str | None = None) -> str:
    """Return the address of a run's page, or of a sweep's table of members.

    Without a run it is that of the table with the latest one.
    """
    if run is not None:
        if VIEW in run.tags:
            return view_page(base_url, run.experiment_id, run.tags[VIEW])
        return run_page(base_url, run.experiment_id, run.run_id)
    latest = recent_runs(uri, limit=1)
    return runs_page(base_url, latest[0].experiment_id) if latest else base_url


def find_all(
    client: "MlflowClient", store: Store, filter_string: str, experiment: str | None = None
) -> Iterator[RecordedRun]:
    """Yield the runs that a filter finds, of all experiments or of one, the newest first.

    Raises
    ------
    ConfigError
        If there is no experiment of that name.
    TrackingError
        If the store cannot be used.
    """
    with reported(store):
        experiments = experiment_ids(client, experiment)
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


def _runs(
    store: Store, filter_string: str, experiment: str | None = None
) -> Iterator[RecordedRun]:
    if store.file is not None and not store.file.exists():
        return
    yield from find_all(connect(store), store, filter_string, experiment)


def _recorded(run: Any) -> RecordedRun:
    started, ended = run.info.start_time, run.info.end_time
    metrics = run.data.metrics
    return RecordedRun(
        run_id=run.info.run_id,
        name=str(run.info.run_name),
        status=run.info.status,
        started=datetime.fromtimestamp(started / 1000).astimezone(),
        duration_s=(ended - started) / 1000 if ended and run.info.status != "RUNNING" else None,
        scores={
            key.removeprefix(_SECTION): value
            for key, value in metrics.items()
            if key.startswith(_SECTION)
        },
        params=dict(run.data.params),
        experiment_id=run.info.experiment_id,
        tags={
            key: value
            for key, value in run.data.tags.items()
            if key.startswith("runner.") or key == PARENT
        },
        rows=int(metrics.get(_ROWS, 0)),
        command=run.data.tags.get(_COMMAND, ""),
        commit=run.data.tags.get(_COMMIT, ""),
    )
