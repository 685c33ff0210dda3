"""A run in memory, for tests and notebooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.base import Callback, Part, Progress, Remark
from runner.records import Evaluated, Recipe
from runner.tracking.ledger import Ledger
from runner.tracking.recorder import Curves, Recorder
from runner.tracking.spool import Point, points_of

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
    tags: dict[str, str] = field(default_factory=dict)
    run_id: str = ""

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
        return {"recorder": Recorder(self._log), "ledger": Ledger(self._keep_ledger)}

    def log_remark(self, remark: Remark) -> None:
        """Keep what a person should know of this run."""
        self.remarks.append(remark)

    def log_labels(self, counts: Sequence[Mapping[Any, int]]) -> None:
        """Keep how many training rows hold each label, for each target."""
        self.labels = counts

    def log_scores(self, evaluated: Evaluated) -> None:
        """Keep the final scores."""
        self.evaluated = evaluated
        self._log({f"holdout/{name}": score for name, score in evaluated.scores.items()}, 0)

    def log_model(self, model: Any, part: Part, progress: Progress) -> None:
        """Keep the fitted model itself."""
        self.model, self.progress = model, progress

    def _log(self, values: Mapping[str, float], step: int) -> list[Point]:
        points = points_of(values, step)
        self.points += points
        return points

    def _keep_ledger(self, table: "pa.Table") -> None:
        self.ledger = table
