"""One run in MLflow, open for writing."""

import json
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any

from runner.base import Callback, Part, Progress, Remark
from runner.errors import RunnerWarning
from runner.records import Evaluated, Recipe
from runner.redaction import redacted
from runner.tracking.asked import class_tags, shapes
from runner.tracking.client import reported
from runner.tracking.dataset import dataset_entity, log_datasets
from runner.tracking.fingerprints import content_tags, has_labels, ledger_tags, model_tags
from runner.tracking.ledger import Ledger, parquet
from runner.tracking.ledger_summary import BLOCKS, TABLE_TAGS, blocks_table, epochs_text
from runner.tracking.linked import linked
from runner.tracking.links import run_page
from runner.tracking.model import PackedModel, create_logged_model, pack, upload
from runner.tracking.open_run import OpenRun
from runner.tracking.params import as_begun, params_as_text
from runner.tracking.plots.drawn import Pictures, of_model, of_scores
from runner.tracking.recorder import Recorder
from runner.tracking.report import Story, model_note, note, report
from runner.tracking.resuming import Sittings
from runner.tracking.session import Session
from runner.tracking.spool import Claim, Point
from runner.tracking.start_files import asked_files, environment_files
from runner.tracking.system import SystemMetrics
from runner.tracking.tags import (
    BAD_BLOCKS,
    ERROR,
    NOTE,
    PARENT,
    REMARK,
    RESUMED_AT,
    STOP_REASON,
    rows_resumed_at,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from mlflow.entities import Dataset, Run

# Drawing and packing change the filters of warnings for all threads.
_ALONE = RLock()
_MODEL_TAGS = ("mlflow.user", "mlflow.source.")


class MlflowRun(OpenRun):
    """One run of the record.

    What is logged before the fit raises when the store refuses it. From the first block on
    nothing raises: what cannot be sent waits in the run's folder, and a warning says so.

    Parameters
    ----------
    session : Session
        The open store.
    started : mlflow.entities.Run
        The run as the store made it.
    command : str
        What repeats the run.
    keep_model : bool
        Whether to keep the fitted model.
    flush_every_s : float
        The longest time in seconds between two batches of metrics.
    in_sweep : bool
        Whether a sweep of this process keeps the environment of all its members.
    system_metrics_after_s : float or None
        How many seconds a fit takes whose machine is watched; None for no fit.
    earlier : Sittings, optional
        What the store holds of a run that is gone on with; then ``reopen`` it first.
    claimed : Claim, optional
        The lock of such a run.
    """

    def __init__(
        self,
        session: Session,
        started: "Run",
        *,
        command: str,
        keep_model: bool,
        flush_every_s: float,
        in_sweep: bool = False,
        system_metrics_after_s: float | None = None,
        earlier: Sittings | None = None,
        claimed: Claim | None = None,
    ) -> None:
        super().__init__(
            session, started, flush_every_s=flush_every_s, earlier=earlier, claimed=claimed
        )
        self._tags = tags = dict(started.data.tags)
        self._keep_model = keep_model
        self._in_sweep, self._is_member = in_sweep, PARENT in tags
        self._watch_after_s = None if self._is_member else system_metrics_after_s
        self._recorder = Recorder(self._outbox.log)
        self._story = Story(
            name=str(started.info.run_name),
            command=redacted(command) or tags.get("mlflow.source.name", ""),
            run_id=self.run_id,
            resumed_by=tags.get(PARENT, self.run_id),
            page=run_page("", started.info.experiment_id, self.run_id).lstrip("/"),
            store=str(self._store),
            files=self._files,
        )
        self._params = dict(started.data.params)
        self._ledger: Ledger | None = None
        self._counts_labels = False
        self._datasets: dict[str, Dataset] = {}
        self._final: list[Point] = []

    def reopen(self, tags: Mapping[str, str]) -> None:
        """Go on with a run that had ended: it runs again, and what ended it is forgotten.

        Raises
        ------
        TrackingError
            If the store refuses it.
        """
        self._open_again(self._tags, tags)
        story = self._story
        story.recipe = Recipe(story.name, self._params)
        story.remarks = [
            Remark(key.removeprefix(REMARK), text)
            for key, text in self._tags.items()
            if key.startswith(REMARK)
        ]
        story.resumed, story.resumed_at = self._before.resumed + 1, rows_resumed_at(self._tags)

    def log_params(self, recipe: Recipe) -> None:
        """Keep what was asked: params, the composed config, the environment.

        Of a run that is gone on with they are kept already; the environment of a later sitting
        is added, and what was asked if that is something else by now.

        Raises
        ------
        TrackingError
            If the store refuses them.
        """
        from mlflow.entities import Param, RunTag

        self._story.recipe = recipe
        texts = as_begun(params_as_text(recipe.params), self._params)
        changed = bool(self._params) and texts != self._params
        params = [Param(key, text) for key, text in texts.items() if key not in self._params]
        self._params = texts | self._params
        asked = asked_files(recipe)
        if not changed:
            asked = {path: text for path, text in asked.items() if path not in self._files}
        around = {} if self._in_sweep else environment_files(self._session.git)
        with reported(self._store):
            told = {NOTE: note(self._story), **class_tags(recipe.params)}
            tags = [RunTag(*tag) for tag in told.items()]
            self._client.log_batch(self.run_id, params=params, tags=tags)
            self._log_texts({self._free(path): text for path, text in (asked | around).items()})

    def _free(self, path: str) -> str:
        """Return the path of a file of this sitting, where an earlier one has such a file."""
        folder, _, name = path.rpartition("/")
        return f"{folder}/resumed-{self._story.resumed}/{name}" if path in self._files else path

    def log_dataset(self, name: str, source: Mapping[str, Any], parts: Mapping[str, Part]) -> None:
        """Keep what the data are; ``parts`` by context, "train" and "holdout".

        Raises
        ------
        TrackingError
            If the store refuses it.
        """
        from mlflow.entities import DatasetInput, InputTag

        self._counts_labels, self._story.sides = has_labels(parts), shapes(parts)
        held_out = parts["holdout"].n_rows if "holdout" in parts else 0
        self._datasets = {
            context: dataset_entity(
                redacted(name), source, part, context=context, held_out_rows=held_out
            )
            for context, part in parts.items()
        }
        inputs = [
            DatasetInput(entity, [InputTag("mlflow.data.context", context)])
            for context, entity in self._datasets.items()
        ]
        with reported(self._store):
            log_datasets(self._client, self.run_id, inputs)
            if not self._is_member:  # its description is of interest while it runs
                self._client.set_tag(self.run_id, NOTE, note(self._story))

    def callbacks(self) -> dict[str, Callback]:
        """Return, by name, what keeps the curves, the order of the blocks, and the machine."""
        self._ledger = Ledger(self._keep_ledger, counts_labels=self._counts_labels)
        kept: dict[str, Callback] = {"recorder": self._recorder, "ledger": self._ledger}
        if self._watch_after_s is not None:
            kept["system"] = SystemMetrics(self._outbox.log, self._watch_after_s)
        return kept

    def log_resumed(self, rows: int) -> None:
        """Keep that the run goes on from a saved state, after so many learned rows."""
        self._story.resumed_at += (rows,)
        self._outbox.tag({RESUMED_AT: ",".join(map(str, self._story.resumed_at))})

    def log_content(self, hashes: Mapping[str, str]) -> None:
        """Keep what the data hold: a hash by part, such as "train" or "all"."""
        self._put("dataset/content.json", lambda: _json(dict(hashes)))
        self._outbox.tag(content_tags(hashes), can_wait=True)

    def log_remark(self, remark: Remark) -> None:
        """Keep what a person should know of this run, as a tag that can be searched for."""
        remarks, text = self._story.remarks, redacted(remark.text)
        told = " ".join(each.text for each in remarks if each.name == remark.name)
        if self._story.resumed and text in told:  # by an earlier sitting
            return
        remarks.append(Remark(remark.name, text))
        self._outbox.tag({f"{REMARK}{remark.name}": redacted(f"{told} {text}".strip())})

    def log_labels(self, counts: Sequence[Mapping[Any, int]]) -> None:
        """Keep how many training rows hold each label, for each target."""
        named = [{str(label): n for label, n in target.items()} for target in counts]
        self._put("dataset/labels.json", lambda: _json(named), at_once=True)

    def log_scores(self, evaluated: Evaluated) -> None:
        """Keep the final scores and their pictures."""
        self._outbox.recover()
        self._story.scores, self._story.held_out_rows = dict(evaluated.scores), evaluated.n_rows
        scores = {f"holdout/{name}": score for name, score in evaluated.scores.items()}
        self._final = self._outbox.log(scores, 0, can_wait=True)
        self._draw(of_scores(evaluated, self._recorder, None if self._is_member else self._ledger))

    def _draw(self, pictures: Pictures) -> None:
        with _ALONE:
            for name, draw in pictures.items():
                self._put(f"plots/{name}", draw)

    def log_model(self, model: Any, part: Part, progress: Progress) -> None:
        """Keep the fitted model, which predicts from rows as ``part`` holds them, and its hash."""
        self._outbox.tag(model_tags(model), can_wait=True)
        if not self._is_member:
            self._draw(of_model(model, part))
        if not self._keep_model:
            return
        with _ALONE:
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
            send = partial(self._log_packed, packed, part, progress.best_rows or progress.rows)
            if not self._outbox.attempt(send):
                self._put("model/model.skops", lambda: packed.content)

    def _log_packed(self, packed: PackedModel, part: Part, rows_seen: int) -> None:
        progress = self._recorder.progress
        tags = {key: text for key, text in self._tags.items() if key.startswith(_MODEL_TAGS)}
        logged = create_logged_model(
            self._client, self._identity, packed.model, params=self._params, tags=tags
        )
        is_latest = progress is None or progress.best_rows is None
        points = self._final + (self._recorder.latest if is_latest else [])
        self._outbox.deliver(linked(points, self.run_id, logged.model_id, self._datasets))
        upload(self._client, logged, packed, part, rows_seen)
        self._story.model, self._story.progress = logged.model_uri, progress
        self._client.set_logged_model_tags(logged.model_id, {NOTE: model_note(self._story)})

    def _tell_ending(self, status: str, error: BaseException | None) -> None:
        story, progress = self._story, self._recorder.progress
        story.status, story.progress, story.seconds = status, progress, self._seconds()
        tags = self._ending_tags(status, error)
        story.error, story.interruption = tags.get(ERROR), tags.get(STOP_REASON)
        if status == "FINISHED" and progress is not None and progress.stop_reason:
            tags[STOP_REASON] = redacted(progress.stop_reason)
        if progress is not None and progress.bad_blocks:
            tags[BAD_BLOCKS] = str(progress.bad_blocks)
            self._outbox.log({"progress/bad_blocks": progress.bad_blocks}, 0)
        self._log_cost()
        self._put("report.md", lambda: report(story, self.url, self._files).encode())
        self._outbox.tag({NOTE: note(story), **tags}, can_wait=True)

    def _keep_ledger(self, table: "pa.Table") -> None:
        self._put("ledger/blocks.parquet", lambda: parquet(table))
        if not self._is_member:
            self._story.epochs = epochs_text(table)
            self._put(BLOCKS, lambda: json.dumps(blocks_table(table)).encode())
            self._outbox.tag(TABLE_TAGS, can_wait=True)
        if self._ledger is not None:
            self._outbox.tag(ledger_tags(self._ledger), can_wait=True)


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2).encode()
