"""What keeps the record: protocols, so that the main path knows no store."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from runner.base import Callback, Evaluated, Part, Progress, Recipe, Remark


class Run(Protocol):
    """One run of the record, open for writing."""

    @property
    def run_id(self) -> str:
        """The run's identifier in its store."""

    @property
    def url(self) -> str:
        """Where the run can be looked at, or how to get there."""

    def log_params(self, recipe: Recipe) -> None:
        """Keep what was asked: params, the composed config, the environment."""

    def log_dataset(self, name: str, source: Mapping[str, Any], parts: Mapping[str, Part]) -> None:
        """Keep what the data are; ``parts`` by context: "train", "validation", "holdout"."""

    def log_remark(self, remark: Remark) -> None:
        """Keep what a person should know of this run."""

    def callbacks(self) -> dict[str, Callback]:
        """Return, by name, what keeps the curves and the order of the blocks."""

    def log_labels(self, counts: Sequence[Mapping[Any, int]]) -> None:
        """Keep how many training rows hold each label, for each target."""

    def log_scores(self, evaluated: Evaluated) -> None:
        """Keep the final scores and their pictures."""

    def log_model(self, model: Any, part: Part, progress: Progress) -> None:
        """Keep the fitted model, which predicts from rows as ``part`` holds them."""


class Tracker(Protocol):
    """A record of runs."""

    def check(self) -> None:
        """Say within seconds, before any data are read, that no run can be kept."""

    def start_run(self, name: str, *, command: str = "") -> AbstractContextManager[Run]:
        """Open a run; leaving the context ends it with a true status."""
