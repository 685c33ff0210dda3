"""The model of a run that is copied to another store."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from runner.tracking.copied_view import renamed
from runner.tracking.store import local_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run, RunInfo

COPIED_FROM = "runner.copied_from"


def copy_models(
    source: "MlflowClient",
    target: "MlflowClient",
    run: "Run",
    copy: "RunInfo",
    names: Mapping[str, str],
) -> dict[str, str]:
    """Copy the models that a run kept whole, linked to the copy of the run.

    What is there already is completed, not doubled. A server that is too old for entries of
    models gets the files as artifacts of the run, which is where ``runner predict`` looks next.

    Parameters
    ----------
    source, target : MlflowClient
        Of the two stores.
    run : mlflow.entities.Run
        The run in the source, whose artifacts are on this machine.
    copy : mlflow.entities.RunInfo
        The run in the target.
    names : mapping of str to str
        What texts are to call things, by what they are called in the source.

    Returns
    -------
    dict of str to str
        The ids of the copies, by those of the models.
    """
    from mlflow.exceptions import MlflowException

    copies: dict[str, str] = {}
    for output in run.outputs.model_outputs if run.outputs else ():
        entry = source.get_logged_model(output.model_id)
        folder = local_folder(str(entry.artifact_location))
        if entry.status != "READY" or folder is None:
            continue
        try:
            made = _entry(target, entry, copy)
        except MlflowException as error:
            if error.error_code != "ENDPOINT_NOT_FOUND":
                raise
            target.log_artifacts(copy.run_id, str(folder), "model")
        else:
            copies[entry.model_id] = made.model_id
            if made.status != "READY":
                known = {**names, **copies}
                tags = {key: renamed(value, known) for key, value in entry.tags.items()}
                target.set_logged_model_tags(made.model_id, tags)
                _fill(target, entry, made, folder)
            _link(target, made.model_id, copy.run_id, output.step)
    return copies


def _entry(target: "MlflowClient", entry: "LoggedModel", copy: "RunInfo") -> "LoggedModel":
    """Return the copy's entry of a model, made if need be."""
    asked = f"tags.`{COPIED_FROM}` = '{entry.model_id}'"
    found = target.search_logged_models([copy.experiment_id], filter_string=asked)
    own = [each for each in found if each.source_run_id == copy.run_id]
    if own:
        return target.get_logged_model(own[0].model_id)
    return target.create_logged_model(
        copy.experiment_id,
        name=entry.name,
        source_run_id=copy.run_id,
        tags={COPIED_FROM: entry.model_id},
        params=dict(entry.params),
        model_type=entry.model_type,
    )


def _fill(target: "MlflowClient", entry: "LoggedModel", made: "LoggedModel", folder: Path) -> None:
    """Send the files of a model, its MLmodel telling where it is now, and its scores."""
    from mlflow.entities import LoggedModelStatus, Metric
    from mlflow.models import Model

    run_id = str(made.source_run_id)
    with TemporaryDirectory() as temporary:
        moved = Path(temporary) / "model"
        shutil.copytree(folder, moved)
        described = Model.load(str(moved))
        described.run_id = run_id
        described.model_id = described.model_uuid = made.model_id
        described.artifact_path = made.artifact_location
        described.save(str(moved / "MLmodel"))
        target.log_model_artifacts(made.model_id, str(moved))
    known = {(m.key, m.timestamp, m.step) for m in made.metrics or ()}
    metrics = [
        Metric(
            *(m.key, m.value, m.timestamp, m.step),
            model_id=made.model_id,
            dataset_name=m.dataset_name,
            dataset_digest=m.dataset_digest,
            run_id=run_id,
        )
        for m in entry.metrics or ()
        if (m.key, m.timestamp, m.step) not in known
    ]
    if metrics:
        target.log_batch(run_id, metrics=metrics)
    target.finalize_logged_model(made.model_id, LoggedModelStatus.READY)


def _link(target: "MlflowClient", model_id: str, run_id: str, step: int) -> None:
    from mlflow.entities import LoggedModelOutput

    outputs = target.get_run(run_id).outputs
    if model_id not in {each.model_id for each in (outputs.model_outputs if outputs else ())}:
        target.log_outputs(run_id, [LoggedModelOutput(model_id, step)])
