"""One run in MLflow, open for writing."""

import json
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from runner.base import Callback, Evaluated, Part, Progress, Recipe, Remark
from runner.errors import RunnerError, RunnerWarning
from runner.redaction import one_line, redacted
from runner.tracking.client import reported
from runner.tracking.dataset import dataset_entity
from runner.tracking.environment import environment, peak_mb, requirements
from runner.tracking.git import GitState
from runner.tracking.ledger import Ledger, parquet
from runner.tracking.links import run_page
from runner.tracking.model import PackedModel, create_logged_model, pack, upload
from runner.tracking.outbox import Outbox
from runner.tracking.params import params_as_text
from runner.tracking.plots import plots
from runner.tracking.recorder import Recorder
from runner.tracking.report import Story, note, report
from runner.tracking.spool import Point
from runner.tracking.store import Store
from runner.tracking.termination import interruption, status_of

if TYPE_CHECKING:
    import pyarrow as pa
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, Run

NOTE_TAG = "mlflow.note.content"
_MODEL_TAGS = ("mlflow.user", "mlflow.source.name", "mlflow.source.type")


class MlflowRun:
    """One run of the record.

    What is logged before the fit raises when the store refuses it. From the first block on
    nothing raises: what cannot be sent waits in the run's folder, and a warning says so.

    Parameters
    ----------
    client : MlflowClient
        How to reach the store.
    store : Store
        Where the run is kept.
    started : mlflow.entities.Run
        The run as the store made it.
    command : str
        What repeats the run.
    git : GitState or None
        Which code runs.
    keep_model : bool
        Whether to keep the fitted model.
    flush_every_s : float
        The longest time in seconds between two batches of metrics.
    """

    def __init__(
        self,
        client: "MlflowClient",
        store: Store,
        started: "Run",
        *,
        command: str,
        git: GitState | None,
        keep_model: bool,
        flush_every_s: float,
    ) -> None:
        self._client = client
        self._store = store
        self._identity = started.info
        tags = started.data.tags
        self._model_tags = {key: tags[key] for key in _MODEL_TAGS if key in tags}
        self._git = git
        self._keep_model = keep_model
        self._began = time.perf_counter()
        self._outbox = Outbox(client, store, self.run_id, flush_every_s)
        self._recorder = Recorder(self._outbox.log)
        self._story = Story(name=str(started.info.run_name), command=redacted(command))
        self._params: dict[str, str] = {}
        self._datasets: dict[str, Dataset] = {}
        self._final: list[Point] = []
        self._files: list[str] = []

    @property
    def run_id(self) -> str:
        """The run's identifier in its store."""
        return str(self._identity.run_id)

    @property
    def url(self) -> str:
        """The run's page on the server, or the store where there is no server."""
        if self._store.base_url is None:
            return str(self._store)
        return run_page(self._store.base_url, self._identity.experiment_id, self.run_id)

    def log_params(self, recipe: Recipe) -> None:
        """Keep what was asked: params, the composed config, the environment.

        Raises
        ------
        TrackingError
            If the store refuses them.
        """
        from mlflow.entities import Param, RunTag

        self._story.recipe = recipe
        self._params = params_as_text(recipe.params)
        params = [Param(key, value) for key, value in self._params.items()]
        with reported(self._store):
            tags = [RunTag(NOTE_TAG, note(self._story))]
            self._client.log_batch(self.run_id, params=params, tags=tags)
            for path, text in start_files(recipe, self._git).items():
                self._client.log_text(self.run_id, text, path)
                self._files.append(path)

    def log_dataset(self, name: str, source: Mapping[str, Any], parts: Mapping[str, Part]) -> None:
        """Keep what the data are; ``parts`` by context, "train" and "holdout".

        Raises
        ------
        TrackingError
            If the store refuses it.
        """
        from mlflow.entities import DatasetInput, InputTag

        held_out = parts["holdout"].n_rows if "holdout" in parts else 0
        self._datasets = {
            context: dataset_entity(name, source, part, context=context, held_out_rows=held_out)
            for context, part in parts.items()
        }
        inputs = [
            DatasetInput(entity, [InputTag("mlflow.data.context", context)])
            for context, entity in self._datasets.items()
        ]
        with reported(self._store):
            self._client.log_inputs(self.run_id, inputs)

    def callbacks(self) -> dict[str, Callback]:
        """Return, by name, what keeps the curves and the order of the blocks."""
        return {"recorder": self._recorder, "ledger": Ledger(self._keep_ledger)}

    def log_remark(self, remark: Remark) -> None:
        """Keep what a person should know of this run, as a tag that can be searched for."""
        remarks = self._story.remarks
        remarks.append(remark)
        told = " ".join(each.text for each in remarks if each.name == remark.name)
        self._outbox.tag({f"runner.remark.{remark.name}": redacted(told)})

    def log_labels(self, counts: Sequence[Mapping[Any, int]]) -> None:
        """Keep how many training rows hold each label, for each target."""
        named = [{str(label): n for label, n in target.items()} for target in counts]
        self._put("dataset/labels.json", lambda: json.dumps(named, indent=2).encode())

    def log_scores(self, evaluated: Evaluated) -> None:
        """Keep the final scores and their pictures."""
        self._outbox.recover()
        self._story.scores, self._story.held_out_rows = dict(evaluated.scores), evaluated.n_rows
        scores = {f"holdout/{name}": score for name, score in evaluated.scores.items()}
        self._final = self._outbox.log(scores, 0)
        recorder = self._recorder
        for name, draw in plots(evaluated, recorder.curves, recorder.validation).items():
            self._put(f"plots/{name}", draw)

    def log_model(self, model: Any, part: Part, progress: Progress) -> None:
        """Keep the fitted model, which predicts from rows as ``part`` holds them."""
        if not self._keep_model:
            return
        try:
            packed = pack(model)
        except Exception as error:  # noqa: BLE001  (the scores are worth more than the model)
            warnings.warn(
                f"The record keeps no model, because {redacted(str(error))}",
                RunnerWarning,
                stacklevel=2,
            )
            return
        self._outbox.recover()
        if not self._outbox.attempt(
            partial(self._log_packed, packed, part, progress.best_rows or progress.rows)
        ):
            self._put("model/model.skops", packed.content)

    def end(self, error: BaseException | None = None) -> None:
        """Send what waits and end the run with the status that its error, or none, says."""
        status = "FINISHED" if error is None else status_of(error)
        try:
            self._tell_ending(status, error)
        except Exception as failure:  # noqa: BLE001  (how a run went is not how it is told)
            warnings.warn(
                f"The record of the run {self.run_id} lacks its ending ({one_line(failure)}).",
                RunnerWarning,
                stacklevel=2,
            )
        except BaseException:
            status = "KILLED"
            raise
        finally:
            self._outbox.close(status)

    def _log_packed(self, packed: PackedModel, part: Part, rows_seen: int) -> None:
        logged = create_logged_model(
            self._client,
            self._identity,
            packed.model,
            params=self._params,
            tags=self._model_tags,
        )
        self._link(logged.model_id)
        upload(self._client, logged, packed, part, rows_seen)
        self._story.model = logged.model_uri

    def _link(self, model_id: str) -> None:
        """Log the last scores again, now as scores of a model on a dataset; the run has them."""
        from mlflow.entities import Metric

        metrics = []
        progress = self._recorder.progress
        is_latest = progress is None or progress.best_rows is None
        for point in self._final + (self._recorder.latest if is_latest else []):
            dataset = self._datasets.get(point.key.partition("/")[0])
            metric = Metric(
                *point,
                model_id=model_id,
                dataset_name=dataset.name if dataset else None,
                dataset_digest=dataset.digest if dataset else None,
                run_id=self.run_id,
            )
            metrics.append(metric)
        self._client.log_batch(self.run_id, metrics=metrics)

    def _tell_ending(self, status: str, error: BaseException | None) -> None:
        story, progress = self._story, self._recorder.progress
        story.status, story.progress = status, progress
        tags = {}
        if status == "FAILED" and error is not None:
            told = str(error) if isinstance(error, RunnerError) else one_line(error)
            story.error = tags["runner.error"] = redacted(" ".join(told.split()))
            trace = "".join(traceback.format_exception(error))
            self._put("logs/error.txt", lambda: redacted(trace).encode())
        elif status == "KILLED":
            tags["runner.stop_reason"] = interruption(error)
        elif progress is not None and progress.stop_reason:
            tags["runner.stop_reason"] = progress.stop_reason
        seconds = time.perf_counter() - self._began
        self._outbox.log({"time/total_s": seconds, "memory/peak_mb": peak_mb()}, 0)
        self._outbox.tag({NOTE_TAG: note(story), **tags})
        self._put("report.md", lambda: report(story, self.url, self._files).encode())

    def _keep_ledger(self, table: "pa.Table") -> None:
        self._put("ledger/blocks.parquet", lambda: parquet(table))

    def _put(self, path: str, make: Callable[[], bytes]) -> None:
        try:
            content = make()
        except Exception as error:  # noqa: BLE001  (a picture is not worth a run)
            warnings.warn(
                f"The record has no {path}, because it could not be made ({one_line(error)}).",
                RunnerWarning,
                stacklevel=2,
            )
            return
        self._files.append(path)
        self._outbox.put(path, content)


def start_files(recipe: Recipe, git: GitState | None) -> dict[str, str]:
    """Return the artifacts that say what was asked and where it runs, by path.

    Examples
    --------
    >>> print(start_files(Recipe("a", {}, overrides=("seed=1",)), None)["config/overrides.yaml"])
    - "seed=1"
    <BLANKLINE>
    """
    overrides = "".join(f"- {json.dumps(text)}\n" for text in recipe.overrides) or "[]\n"
    surroundings = {**environment(), "git": None if git is None else git.summary()}
    files = {
        "config/config.yaml": redacted(recipe.config),
        "config/overrides.yaml": redacted(overrides),
        "environment/environment.json": json.dumps(surroundings, indent=2),
        "environment/requirements.txt": requirements(),
        "environment/git.diff": git.diff if git is not None else "",
    }
    return {path: text for path, text in files.items() if text}
