"""Models of runs under a name of their own, in MLflow's registry."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.base import Scores
from runner.errors import ConfigError, TrackingError
from runner.tracking.client import connect, reported
from runner.tracking.markdown import code
from runner.tracking.record import RecordedRun, find_run
from runner.tracking.store import URI_VARIABLE, Store, resolve
from runner.tracking.tags import BEST_RUN
from runner.tracking.version_note import version_note, version_tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

MOST_NAME, MOST_ALIAS = 256, 255
_NAME = re.compile(rf"(?!\.\.|\.$)[^/:@?]{{1,{MOST_NAME}}}")  # / : @ ? end it in an address
_VERSIONS = "mlflow.modelVersions"  # of an entry of a model: MLflow's pages lead on by it


@dataclass(frozen=True)
class Registered:
    """A model of a run as a version of a registered model.

    ``aliases`` were asked for; ``moved`` tells which version had one of them before; ``is_new``
    is false where the model had that name already; ``sweep`` is whose best member the run is.
    """

    name: str
    version: int
    aliases: tuple[str, ...]
    run_id: str
    run_name: str
    status: str
    model: str
    scores: Scores
    store: str
    is_new: bool
    moved: Mapping[str, int]
    sweep: str | None = None

    @property
    def uri(self) -> str:
        """The address by which MLflow loads and serves it: by alias where there is one."""
        if self.aliases:
            return f"models:/{self.name}@{self.aliases[0]}"
        return f"models:/{self.name}/{self.version}"


def register(
    run: str, name: str, aliases: Sequence[str] = (), uri: str | None = None
) -> Registered:
    """Register the model of a run as a new version of a name, and let aliases point to it.

    A sweep stands for its best member. A model that is a version of that name already stays that
    version.

    Parameters
    ----------
    run : str
        The beginning of the run's id.
    name : str
        Of the registered model, which is made if need be.
    aliases : sequence of str
        Such as ``champion``; one that another version has is taken from it.
    uri : str or None
        The store; the project's own when not given.

    Raises
    ------
    ConfigError
        If MLflow takes no such name or alias.
    TrackingError
        If there is no such run, it has not ended, or it keeps no model; or if the store cannot be
        used. Nothing is written then.
    """
    check_name(name)
    aliases = tuple(dict.fromkeys(aliases))
    for alias in aliases:
        check_alias(alias)
    store = resolve(uri)
    found = find_run(run, uri)
    chosen = _best(found, uri) if found.is_sweep else found
    client = connect(store)
    logged = _model_of(client, store, chosen)
    with reported(store):
        version, is_new = _version(client, store, name, chosen, logged)
        moved = _point(client, name, int(version.version), aliases)
    return Registered(
        name=name,
        version=int(version.version),
        aliases=aliases,
        run_id=chosen.run_id,
        run_name=chosen.name,
        status=chosen.status,
        model=logged.model_uri,
        scores=chosen.scores,
        store=str(store),
        is_new=is_new,
        moved=moved,
        sweep=found.run_id if found.is_sweep else None,
    )


def check_name(name: str) -> None:
    """Refuse a name that MLflow's registry takes not, or that no address could hold.

    Raises
    ------
    ConfigError
        With a name that would do.

    Examples
    --------
    >>> check_name("digits")
    >>> check_name("team/digits")
    Traceback (most recent call last):
    runner.errors.ConfigError: The name of a registered model must have 1 to 256 printable \
characters, none of them / : @ or ?, no space around it, and neither be a dot nor begin with two; \
got 'team/digits'. Write 'team-digits'.
    """
    if _NAME.fullmatch(name) and name.isprintable() and name == name.strip():
        return
    fit = re.sub("[/:@?]", "-", "".join(filter(str.isprintable, name))).strip(" .-")
    raise ConfigError(
        "The name of a registered model",
        f"have 1 to {MOST_NAME} printable characters, none of them / : @ or ?, no space around "
        "it, and neither be a dot nor begin with two",
        got=repr(name),
        remedy=f"Write {fit[:MOST_NAME].strip() or 'my-model'!r}.",
    )


def check_alias(alias: str) -> None:
    """Refuse an alias that MLflow's registry takes not.

    Raises
    ------
    ConfigError
        If it has other characters, or means something else.

    Examples
    --------
    >>> check_alias("champion")
    >>> check_alias("v1")
    Traceback (most recent call last):
    runner.errors.ConfigError: --alias must be none of those that MLflow keeps for itself: \
latest, v1, v2, ...; got 'v1'. Write --alias champion.
    """
    rule, fit = "", "champion"
    if not re.fullmatch(rf"[\w-]{{1,{MOST_ALIAS}}}", alias):
        rule = f"have 1 to {MOST_ALIAS} characters: letters, digits, _ and -"
        fit = re.sub(r"[^\w-]+", "-", alias)[:MOST_ALIAS].strip("-") or fit
    elif re.fullmatch(r"latest|v\d+", alias, re.IGNORECASE):
        rule = "be none of those that MLflow keeps for itself: latest, v1, v2, ..."
    if rule:
        raise ConfigError("--alias", rule, got=repr(alias), remedy=f"Write --alias {fit}.")


def _best(sweep: RecordedRun, uri: str | None) -> RecordedRun:
    best = sweep.tags.get(BEST_RUN)
    if sweep.status != "RUNNING" and best:
        return find_run(best, uri)
    short = sweep.run_id[:8]
    raise TrackingError(
        f"The sweep {short}",
        "have ended, with a best member",
        got=f"the status {sweep.status}" if best else f"none, and the status {sweep.status}",
        remedy=f"Go on with it: `runner resume {short}`; or name one of its members.",
    )


def _model_of(client: "MlflowClient", store: Store, run: RecordedRun) -> "LoggedModel":
    """Return the entry of the latest model that a run which ended kept whole."""
    short, again = run.run_id[:8], "Run it again with tracking.log_model=true."
    if run.status != "FINISHED" and run.params.get("tracking.log_model") != "false":
        again = f"Go on with it: `runner resume {short}`."
    if run.status == "RUNNING":
        raise TrackingError(
            f"The run {short}",
            "have ended",
            got="the status RUNNING",
            remedy="Wait for it; if it was killed, `runner doctor` says so in the record.",
        )
    with reported(store):
        outputs = client.get_run(run.run_id).outputs
        for output in sorted(outputs.model_outputs if outputs else (), key=lambda o: -o.step):
            entry = client.get_logged_model(output.model_id)
            if entry.status == "READY":
                return entry
    raise TrackingError(
        f"The run {short}",
        "keep a model, as an entry of MLflow's",
        got=f"none, and the status {run.status}",
        remedy=again,
    )


def _version(
    client: "MlflowClient", store: Store, name: str, run: RecordedRun, logged: "LoggedModel"
) -> tuple["ModelVersion", bool]:
    """Return the version of a name that a model is, made if need be, and whether it was."""
    from mlflow.exceptions import MlflowException

    for found in client.search_model_versions(f"run_id = '{run.run_id}'"):
        if (found.name, found.source) == (name, logged.model_uri):
            if not found.description:  # it was interrupted
                _tell(client, found, run, logged)
            return found, False
    try:
        client.create_registered_model(name, description=f"Models of {code(run.name, MOST_NAME)}.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    with _as_only_store(store):
        made = client.create_model_version(
            name,
            logged.model_uri,
            run.run_id,
            tags=version_tags(run),
            await_creation_for=0,  # a store of ours has it at once, and MLflow would say it waits
            model_id=logged.model_id,
        )
    _tell(client, made, run, logged)
    return made, True


def _tell(
    client: "MlflowClient", version: "ModelVersion", run: RecordedRun, logged: "LoggedModel"
) -> None:
    """Say of a version what it is, and of the model that it has one; that comes first."""
    _lead_on(client, logged.model_id, version.name, version.version)
    inputs = client.get_run(run.run_id).inputs
    described = version_note(version, run, inputs.dataset_inputs if inputs else ())
    client.update_model_version(version.name, version.version, described)


@contextmanager
def _as_only_store(store: Store) -> Iterator[None]:
    """Let MLflow's registry of a database find a model's entry, which it looks for globally."""
    from mlflow.tracking._tracking_service.utils import _use_tracking_uri

    before = os.environ.get(URI_VARIABLE)
    try:
        with _use_tracking_uri(store.uri):
            yield
    finally:
        if before is None:
            os.environ.pop(URI_VARIABLE, None)
        else:
            os.environ[URI_VARIABLE] = before


def _lead_on(client: "MlflowClient", model_id: str, name: str, version: Any) -> None:
    """Let the pages of the model and of its run show the version; a server does so by itself."""
    told = client.get_logged_model(model_id).tags.get(_VERSIONS)
    known = json.loads(told) if told else []
    if not any((k["name"], str(k["version"])) == (name, str(version)) for k in known):
        known.append({"name": name, "version": version})
        client.set_logged_model_tags(model_id, {_VERSIONS: json.dumps(known)})


def _point(
    client: "MlflowClient", name: str, version: int, aliases: Sequence[str]
) -> dict[str, int]:
    """Let aliases point to a version; return which of them another version had."""
    had: Mapping[str, Any] = client.get_registered_model(name).aliases
    for alias in aliases:
        client.set_registered_model_alias(name, alias, str(version))
    return {a: int(had[a]) for a in aliases if a in had and int(had[a]) != version}
