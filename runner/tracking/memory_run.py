"""A run in memory, for tests and notebooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.base import Callback, Part, Progress, Remark
from runner.errors import TrackingError
from runner.records import Evaluated, Recipe
from runner.tracking.fingerprints import content_tags, has_labels, ledger_tags, model_tags
from runner.tracking.ledger import Ledger
from runner.tracking.outbox import by_step
from runner.tracking.recorder import Curves, Recorder
from runner.tracking.spool import Point, points_of
from runner.tracking.tags import (
    BAD_BLOCKS,
    ENDING,
    RESUMED,
    RESUMED_AT,
    rows_resumed_at,
    times_resumed,
)
from runner.tracking.termination import status_of

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class MemoryRun:
    """One run, every part of which is an attribute.

    Attributes
    ----------
    name, command : str
        What was asked for.
    status : {"RUNNING", "FINISHED", "FAILED", "KILLED"}
        How the run stands.
    error : BaseException or None
        What ended it.
    recipe, source, parts, evaluated, model, progress
        What was logged.
    points : list of Point
        The metrics, in the order in which they were logged.
    ledger : pyarrow.Table or None
        One row per learned block.
    remarks : list of Remark
        What a person should know.
    labels : sequence of mapping of label to int
        The counts of the labels of each target, where they were counted.
    content : mapping of str to str
        The hash of what the data hold, by part.
    tags : dict of str to str
        Words about the run; those of a member name its sweep.
    run_id : str
        Which member of which sweep this is; else empty, because no store knows the run.
    """

    name: str
    command: str = ""
    status: str = "RUNNING"
    error: BaseException | None = None
    recipe: Recipe | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)
    evaluated: Evaluated | None = None
    model: Any = None
    progress: Progress | None = None
    points: list[Point] = field(default_factory=list)
    ledger: "pa.Table | None" = None
    remarks: list[Remark] = field(default_factory=list)
    labels: Sequence[Mapping[Any, int]] = ()
    content: Mapping[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    run_id: str = ""
    _kept: Mapping[tuple[str, int], Point] = field(default_factory=dict, repr=False)
    _recorder: Recorder | None = field(default=None, repr=False)
    _ledger: Ledger | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Empty: there is no page."""
        return ""

    @property
    def curves(self) -> Curves:
        """Step and value of each metric, by name."""
        curves: Curves = {}
        for point in self.points:
            curves.setdefault(point.key, []).append((point.step, point.value))
        return curves

    def log_params(self, recipe: Recipe) -> None:
        """Keep what was asked."""
        self.recipe = recipe

    def log_dataset(self, name: str, source: Mapping[str, Any], parts: Mapping[str, Part]) -> None:
        """Keep what the data are."""
        self.source, self.parts = {"name": name, **source}, parts

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Keep words about the run."""
        self.tags |= tags

    def callbacks(self) -> dict[str, Callback]:
        """Return, by name, what keeps the curves and the order of the blocks."""
        self._recorder = Recorder(self._log)
        self._ledger = Ledger(self._keep_ledger, counts_labels=has_labels(self.parts))
        return {"recorder": self._recorder, "ledger": self._ledger}

    def log_resumed(self, rows: int) -> None:
        """Keep that the run goes on from a saved state, after so many learned rows."""
        every = (*rows_resumed_at(self.tags), rows)
        self.tags[RESUMED_AT] = ",".join(map(str, every))

    def log_content(self, hashes: Mapping[str, str]) -> None:
        """Keep what the data hold: a hash by part, such as "train" or "all"."""
        self.content = dict(hashes)
        self.tags |= content_tags(hashes)

    def log_remark(self, remark: Remark) -> None:
        """Keep what a person should know of this run."""
        if remark not in self.remarks or not times_resumed(self.tags):
            self.remarks.append(remark)

    def log_labels(self, counts: Sequence[Mapping[Any, int]]) -> None:
        """Keep how many training rows hold each label, for each target."""
        self.labels = counts

    def log_scores(self, evaluated: Evaluated) -> None:
        """Keep the final scores."""
        self.evaluated = evaluated
        self._log({f"holdout/{name}": score for name, score in evaluated.scores.items()}, 0)

    def log_model(self, model: Any, part: Part, progress: Progress) -> None:
        """Keep the fitted model itself, and its hash."""
        self.model, self.progress = model, progress
        self.tags |= model_tags(model)

    def reopen(self) -> None:
        """Go on with a run that had ended.

        Raises
        ------
        TrackingError
            If it still runs, or finished.
        """
        if self.status in ("RUNNING", "FINISHED"):
            raise TrackingError(
                f"The run {self.run_id or self.name}",
                "have been ended before it was finished, to be resumed",
                got="a run that runs" if self.status == "RUNNING" else self.status,
                remedy="Wait for it, or begin another one.",
            )
        self.status, self.error = "RUNNING", None
        self.tags[RESUMED] = str(times_resumed(self.tags) + 1)
        for name in ENDING:
            self.tags.pop(name, None)
        self._kept = by_step(self.points)

    def end(self, error: BaseException | None = None) -> None:
        """Give the run the status that its error, or none, says."""
        self.status = "FINISHED" if error is None else status_of(error)
        self.error = error
        progress = self._recorder.progress if self._recorder is not None else None
        if progress is not None and progress.bad_blocks:
            self.tags[BAD_BLOCKS] = str(progress.bad_blocks)
            self._log({"progress/bad_blocks": progress.bad_blocks}, 0)

    def _log(self, values: Mapping[str, float], step: int) -> list[Point]:
        points = points_of(values, step)
        self.points += [point for point in points if (point.key, step) not in self._kept]
        return [self._kept.get((point.key, step), point) for point in points]

    def _keep_ledger(self, table: "pa.Table") -> None:
        self.ledger = table
        if self._ledger is not None:
            self.tags |= ledger_tags(self._ledger)
