"""What MLflow's registry says of a version of a model."""

from collections.abc import Iterable
from shlex import quote
from typing import TYPE_CHECKING

from runner.redaction import redacted
from runner.tracking.markdown import code, fenced, plain
from runner.tracking.record import RecordedRun
from runner.tracking.tags import CONTENT, MODEL_HASH

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput
    from mlflow.entities.model_registry import ModelVersion

SCORE = "runner.score."
STATUS = "runner.status"
MOST_NAME = 120  # characters


def version_tags(run: RecordedRun) -> dict[str, str]:
    """Return the tags of a version: the hashes of its data and model, the scores, the status."""
    kept = {k: v for k, v in run.tags.items() if k == MODEL_HASH or k.startswith(CONTENT)}
    scores = {f"{SCORE}{name}": f"{score!r}" for name, score in run.scores.items()}
    return {**kept, **scores, STATUS: run.status}


def version_note(
    version: "ModelVersion", run: RecordedRun, datasets: "Iterable[DatasetInput]"
) -> str:
    """Write the description of a version, in Markdown.

    Parameters
    ----------
    version : mlflow.entities.model_registry.ModelVersion
        The version.
    run : RecordedRun
        The run whose model it is.
    datasets : iterable of mlflow.entities.DatasetInput
        What the run learned from.
    """
    scores = "\n".join(f"| {key} | {score:.6g} |" for key, score in run.scores.items())
    data = "\n".join(
        f"- {each.tags[0].value if each.tags else 'data'}: {code(each.dataset.name, MOST_NAME)}, "
        f"digest `{each.dataset.digest}`"
        for each in datasets
    )
    uri = f"models:/{version.name}/{version.version}"
    load = f'import mlflow\n\nmodel = mlflow.pyfunc.load_model("{uri}")'
    register = f"runner register {run.run_id[:8]} {quote(version.name)}"
    parts = [
        f"**{plain(run.name, MOST_NAME)}**, the model of the run `{run.run_id}` ({run.status}), "
        f"which learned {run.rows:,} rows",
        f"| on held-out rows | |\n|---|---|\n{scores}" if scores else "",
        data,
        f"To repeat the run:\n\n{fenced('sh', run.command)}" if run.command else "",
        f"To load it, by this version's number or by an alias:\n\n{fenced('python', load)}",
        f"Registered by:\n\n{fenced('sh', register)}",
    ]
    return redacted("\n\n".join(part for part in parts if part))
