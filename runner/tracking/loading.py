"""Read back the model that a run keeps, without running code that it brings along."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from runner.errors import TrackingError
from runner.redaction import one_line
from runner.tracking.client import connect, reported
from runner.tracking.record import RecordedRun
from runner.tracking.store import Store, resolve
from runner.tracking.tags import BEST_RUN
from runner.tracking.trust import is_trusted

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

FILE = "model.skops"
SCHEMA = "schema.json"
MOST_BYTES = 1_000_000_000
MOST_SCHEMA = 100_000_000
MOST_POSITION = 624  # of NumPy's MT19937, which would read beyond its memory


@dataclass(frozen=True)
class RecordedModel:
    """A model as the record keeps it.

    ``feature_names`` are those of the rows that it learned, where they had names.
    """

    model: Any
    uri: str
    feature_names: tuple[str, ...] | None = None


def load_model(run: RecordedRun, uri: str | None = None) -> RecordedModel:
    """Load the model of a run, from skops' format and never from a pickle.

    Raises
    ------
    TrackingError
        If the run keeps no model, or one that cannot or must not be loaded.
    """
    store = resolve(uri)
    client = connect(store)
    with TemporaryDirectory() as folder:
        with reported(store):
            logged = _entry(client, run.run_id)
        if logged is not None:
            return _of_entry(store, logged, folder)
        with reported(store):
            path = f"model/{FILE}"
            files = [file.path for file in client.list_artifacts(run.run_id, "model")]
            if path in files:
                file = Path(client.download_artifacts(run.run_id, path, folder))
                return RecordedModel(read_skops(file), f"runs:/{run.run_id}/{path}")
    if run.is_sweep:
        best = run.tags.get(BEST_RUN)
        raise TrackingError(
            f"The run {run.run_id}",
            "be one with a model",
            got=f"the sweep {run.name!r}, whose members have them",
            remedy=f"Name its best member, {best}." if best else "Name one of its members.",
        )
    raise TrackingError(
        f"The run {run.run_id}",
        "keep a model",
        got=f"none, and the status {run.status}",
        remedy="Name a run that ended well, with tracking.log_model=true; one whose model could "
        "not be kept said why.",
    )


def read_skops(file: Path, declared: Collection[str] | None = None) -> Any:
    """Load an object from a skops file.

    A record may come from a stranger, and could declare anything; so of what skops does not know
    only scikit-learn's classes are trusted, and functions that do nothing but compute.

    Parameters
    ----------
    file : Path
    declared : collection of str, optional
        The types that the record says are in it; by default any of those libraries.

    Raises
    ------
    TrackingError
        If there are other types in it, it is too large, or it cannot be read.
    """
    import skops.io

    try:
        _check(file)
        unknown = skops.io.get_untrusted_types(file=file)
        known = unknown if declared is None else declared
        foreign = [name for name in unknown if name not in known or not is_trusted(name)]
        if not foreign:
            return skops.io.load(file, trusted=unknown)
    except TrackingError:
        raise
    except Exception as error:
        raise TrackingError(
            "The run's model",
            "be readable by the skops and scikit-learn that are installed here",
            got=one_line(error),
            remedy="Install the versions that its requirements.txt names.",
        ) from error
    raise TrackingError(
        "The run's model",
        "hold only types of scikit-learn, NumPy and SciPy, as its MLmodel file declares them",
        got=", ".join(foreign),
        remedy="Learn it again here with `runner run`, if you trust where it comes from.",
    )


def _check(file: Path) -> None:
    """Refuse what would fill the memory, or reach beyond it, before anything is built."""
    with ZipFile(file) as opened:
        sizes = {entry.filename: entry.file_size for entry in opened.infolist()}
        for name in sizes:
            if name.startswith("/") or ".." in name.split("/"):
                raise _refusal("hold files of its own alone", repr(name))
        _check_size(sum(sizes.values()), MOST_BYTES)
        _check_size(sizes.get(SCHEMA, 0), MOST_SCHEMA)
        read = [0]  # an entry may be read many times

        def note(node: dict[str, Any]) -> dict[str, Any]:
            read[0] += sizes.get(str(node.get("file")), 0)
            if isinstance(node.get("pos"), dict) and "key" in node:
                _check_position(node["pos"].get("content"))
            if node.get("__loader__") == "RandomStateNode":
                _check_state(node.get("content"))
            return node

        json.loads(opened.read(SCHEMA), object_hook=note)
        _check_size(read[0], MOST_BYTES)


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise _refusal(f"take at most {most:,} bytes", f"{size:,}")


def _check_position(content: Any) -> None:
    position = json.loads(str(content))
    if not isinstance(position, int) or not 0 <= position <= MOST_POSITION:
        rule = f"have random generators at a position up to {MOST_POSITION}"
        raise _refusal(rule, str(position)[:60])


def _check_state(content: Any) -> None:
    loader = content.get("__loader__") if isinstance(content, dict) else None
    if loader != "DictNode":  # any other way to write it hides the position
        raise _refusal("have random generators as NumPy writes them", str(loader))


def _refusal(rule: str, got: str) -> TrackingError:
    remedy = "Learn it again here with `runner run`, if you trust where it comes from."
    return TrackingError("The run's model", rule, got=got, remedy=remedy)


def _entry(client: "MlflowClient", run_id: str) -> "LoggedModel | None":
    """Return the entry of the latest model of a run that was kept whole."""
    outputs = client.get_run(run_id).outputs
    found = [] if outputs is None else outputs.model_outputs
    for output in sorted(found, key=lambda output: output.step, reverse=True):
        entry = client.get_logged_model(output.model_id)
        if entry.status == "READY":
            return entry
    return None


def _of_entry(store: Store, logged: "LoggedModel", folder: str) -> RecordedModel:
    with reported(store):
        from mlflow.artifacts import download_artifacts
        from mlflow.models import Model

        path = download_artifacts(
            artifact_uri=logged.artifact_location, dst_path=folder, tracking_uri=store.uri
        )
        described = Model.load(path)
    flavor = _mapping(_mapping(described.flavors).get("sklearn"))
    if flavor.get("serialization_format") != "skops":
        raise TrackingError(
            f"The model {logged.model_uri}",
            "be kept in skops' format, because a pickle can run any code",
            got=str(flavor.get("serialization_format") or "no flavor of scikit-learn"),
            remedy="Name a run of `runner run`.",
        )
    names = _mapping(described.metadata).get("feature_names")
    declared = flavor.get("skops_trusted_types")
    return RecordedModel(
        read_skops(Path(path) / FILE, declared if isinstance(declared, list) else []),
        logged.model_uri,
        tuple(map(str, names)) if isinstance(names, list) else None,
    )


def _mapping(found: Any) -> Mapping[str, Any]:
    """Return what a file should hold as a mapping, empty where it holds anything else."""
    return found if isinstance(found, Mapping) else {}
