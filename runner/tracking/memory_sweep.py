"""A sweep's run in memory, for tests and notebooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from runner.errors import TrackingError
from runner.records import Outcome, Recipe
from runner.tracking.members import outcome
from runner.tracking.memory_run import MemoryRun
from runner.tracking.tags import KEY, SUPERSEDED
from runner.tracking.termination import status_of


@dataclass
class MemorySweep:
    """One sweep, every part of which is an attribute.

    Attributes
    ----------
    name, command : str
        What was asked for.
    run_id : str
        By which it is resumed.
    status : {"RUNNING", "FINISHED", "FAILED", "KILLED"}
        How the sweep stands.
    error : BaseException or None
        What ended it.
    recipe, files
        What was asked of all members.
    outcomes : sequence of Outcome
        How the members stand.
    is_final : bool
        Whether the outcomes were the last ones.
    runs : list of MemoryRun
        Every run of a member.
    tags : dict of str to str
        Further words about it.
    """

    name: str
    command: str = ""
    run_id: str = ""
    status: str = "RUNNING"
    error: BaseException | None = None
    recipe: Recipe | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    outcomes: Sequence[Outcome] = ()
    is_final: bool = False
    runs: list[MemoryRun] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Empty: there is no page."""
        return ""

    def log_sweep(self, recipe: Recipe, files: Mapping[str, str]) -> None:
        """Keep what was asked of all members, and further texts by path."""
        self.recipe, self.files = recipe, dict(files)

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Keep words about the sweep."""
        self.tags |= tags

    def log_leaderboard(self, outcomes: Sequence[Outcome], *, final: bool) -> None:
        """Keep how the members stand."""
        self.outcomes, self.is_final = tuple(outcomes), final

    def members(self) -> dict[str, Outcome]:
        """Return how the members that began stand, by the key of their config."""
        counting = [run for run in self.runs if SUPERSEDED not in run.tags]
        known = [_outcome(run) for run in counting if KEY in run.tags]
        finished = [outcome for outcome in known if outcome.status == "FINISHED"]
        return {outcome.key: outcome for outcome in (*known, *finished)}

    def reopen(self) -> None:
        """Go on with a sweep that had ended.

        Raises
        ------
        TrackingError
            If it still runs.
        """
        if self.status == "RUNNING":
            raise TrackingError(
                f"The sweep {self.run_id}",
                "have ended before it is resumed",
                got="a sweep that runs",
                remedy="Wait for it, or end it.",
            )
        self.status, self.error = "RUNNING", None

    def end(self, error: BaseException | None = None) -> None:
        """Give the sweep the status that its error, or else its members, say."""
        self.status = "FINISHED" if error is None else status_of(error)
        self.error = error
        if self.status == "FINISHED" and any(o.status != "FINISHED" for o in self.outcomes):
            self.status = "FAILED"


def _outcome(run: MemoryRun) -> Outcome:
    known = outcome(run.run_id, run.name, run.status, run.tags)
    scores = {} if run.evaluated is None else dict(run.evaluated.scores)
    rows = run.curves.get("progress/rows", [(0, 0)])[-1][1]
    error = None if run.error is None else str(run.error)
    return replace(known, scores=scores, rows=int(rows), error=error)
