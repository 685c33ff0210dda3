"""The record's twin in memory, for tests and notebooks."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from runner.errors import TrackingError
from runner.protocols import SweepRun
from runner.rules import anything, check, list_of
from runner.tracking.memory_run import MemoryRun
from runner.tracking.memory_sweep import MemorySweep
from runner.tracking.tags import KEY, KIND, MEMBER, PARENT, RUN, SUPERSEDED
from runner.tracking.termination import terminated_by_signal

LIST = list_of(anything(), least=0)


@dataclass
class MemoryTracker:
    """Keep runs in ``runs``, in this process only.

    Examples
    --------
    >>> tracker = MemoryTracker()
    >>> with tracker.start_run("quickstart") as run:
    ...     run.status
    'RUNNING'
    >>> tracker.runs[-1].status
    'FINISHED'
    """

    runs: Annotated[list[MemoryRun], LIST] = field(default_factory=list)
    sweeps: Annotated[list[MemorySweep], LIST] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse what are no lists."""
        check("tracking", self)

    def check(self) -> None:
        """Find nothing wrong: a process can always keep its own runs."""

    @contextmanager
    def start_run(
        self,
        name: str,
        *,
        command: str = "",
        parent: SweepRun | str | None = None,
        tags: Mapping[str, str] | None = None,
        resumed: str | None = None,
    ) -> Iterator[MemoryRun]:
        """Open a run, of a sweep where a parent is given; leaving ends it with a true status.

        Parameters
        ----------
        name, command, parent, tags
            As of any tracker.
        resumed : str or None
            The id of a member, or the name of another run, which did not finish.

        Raises
        ------
        TrackingError
            If there is no such sweep, or no such run to go on with, or it finished or still runs.
        """
        if resumed is not None:
            run = self._run(resumed)
            run.reopen()
            run.log_tags(tags or {})
        else:
            run = MemoryRun(name, command, tags={KIND: RUN, **(tags or {})})
            self.runs.append(run)
            if isinstance(parent, MemorySweep):  # it may be of another tracker of this process
                self._join(parent, run)
            elif parent is not None:
                self._join(self._sweep(str(parent)), run)
        with terminated_by_signal():
            try:
                yield run
            except BaseException as error:
                run.end(error)
                raise
        run.end()

    @contextmanager
    def start_sweep(
        self, name: str, *, command: str = "", resumed: str | None = None
    ) -> Iterator[MemorySweep]:
        """Open the run of a sweep, or reopen it; leaving it ends it with a true status.

        Raises
        ------
        TrackingError
            If there is no such sweep to go on with, or it still runs.
        """
        if resumed is None:
            sweep = MemorySweep(name, command, run_id=f"sweep-{len(self.sweeps) + 1}")
            self.sweeps.append(sweep)
        else:
            sweep = self._sweep(resumed)
            sweep.reopen()
        with terminated_by_signal():
            try:
                yield sweep
            except BaseException as error:
                sweep.end(error)
                raise
        sweep.end()

    def _join(self, sweep: MemorySweep, run: MemoryRun) -> None:
        run.run_id = f"{sweep.run_id}-member-{len(sweep.runs) + 1}"
        run.tags |= {KIND: MEMBER, PARENT: sweep.run_id}
        for earlier in sweep.runs:
            if earlier.status != "FINISHED" and earlier.tags.get(KEY) == run.tags.get(KEY):
                earlier.tags[SUPERSEDED] = run.run_id
        sweep.runs.append(run)

    def _run(self, called: str) -> MemoryRun:
        for run in reversed(self.runs):
            if called in (run.run_id, run.name):
                return run
        raise TrackingError(
            f"The run {called!r}",
            "be a run of this tracker",
            got="none",
            remedy="See its `runs`.",
        )

    def _sweep(self, run_id: str) -> MemorySweep:
        for sweep in self.sweeps:
            if sweep.run_id == run_id:
                return sweep
        raise TrackingError(
            f"The run {run_id!r}",
            "be a sweep of this tracker",
            got="none",
            remedy="See its `sweeps`.",
        )
