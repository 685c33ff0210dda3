"""What keeps the record, and states: protocols, so that the main path knows no store."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from runner.base import Callback, Part, Progress, Remark
from runner.records import Evaluated, Outcome, Recipe


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

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Keep words about the run that can be searched for."""

    def log_resumed(self, rows: int) -> None:
        """Keep that the run goes on from a saved state, after so many learned rows."""

    def log_content(self, hashes: Mapping[str, str]) -> None:
        """Keep what the data hold: a hash by part, such as "train" or "all"."""

    def callbacks(self) -> dict[str, Callback]:
        """Return, by name, what keeps the curves and the order of the blocks."""

    def log_labels(self, counts: Sequence[Mapping[Any, int]]) -> None:
        """Keep how many training rows hold each label, for each target."""

    def log_scores(self, evaluated: Evaluated) -> None:
        """Keep the final scores and their pictures."""

    def log_model(self, model: Any, part: Part, progress: Progress) -> None:
        """Keep the fitted model, which predicts from rows as ``part`` holds them, and its hash."""


class SweepRun(Protocol):
    """The one run that stands for a sweep, open for writing; its members are runs of their own."""

    @property
    def run_id(self) -> str:
        """The sweep's identifier in its store."""

    @property
    def url(self) -> str:
        """Where the sweep can be looked at, or how to get there."""

    def log_sweep(self, recipe: Recipe, files: Mapping[str, str]) -> None:
        """Keep what was asked of all members, and further texts by path."""

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Keep words about the sweep that can be searched for."""

    def log_leaderboard(self, outcomes: Sequence[Outcome], *, final: bool) -> None:
        """Keep how the members stand, each of them once; with ``final`` nothing more will change.

        The status of the sweep follows from the latest outcomes: all must be finished.
        """

    def members(self) -> dict[str, Outcome]:
        """Return how the members that began stand in the record, by the key of their config."""


class Tracker(Protocol):
    """A record of runs."""

    def check(self) -> None:
        """Say within seconds, before any data are read, that no run can be kept."""

    def start_run(
        self,
        name: str,
        *,
        command: str = "",
        parent: SweepRun | str | None = None,
        tags: Mapping[str, str] | None = None,
        resumed: str | None = None,
    ) -> AbstractContextManager[Run]:
        """Open a run, of a sweep where a parent is given; leaving it ends it with a true status.

        A member that runs in another process than its sweep gets the sweep's id as parent. With
        the id of a run that did not finish in ``resumed`` that one is gone on with, and keeps
        what it was told before.
        """

    def start_sweep(
        self, name: str, *, command: str = "", resumed: str | None = None
    ) -> AbstractContextManager[SweepRun]:
        """Open the run of a sweep, or reopen it; leaving it ends it with a true status."""


class Checkpoint(Protocol):
    """What keeps the state of a fit, now and then."""

    def is_due(self) -> bool:
        """Whether it is time to keep it."""

    def keep(self, state: Callable[[], bytes]) -> None:
        """Keep the state that is returned; nothing is raised."""

    def keep_last(self, state: Callable[[], bytes] | None) -> None:
        """Keep the state in which a fit ends that did not finish, or else the latest known."""
