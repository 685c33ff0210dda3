"""Members that share their blocks, learning from them in one pass."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite, nan

from runner.base import Block, Progress, Split
from runner.callbacks.progress_bar import ProgressBar
from runner.errors import Terminated
from runner.experiment import Experiment, run_together
from runner.fit.interruption import GIVEN_UP
from runner.fit.loop import Fits
from runner.fit.processes import Processes
from runner.fit.threads import Threads
from runner.preprocessing.stages import Stages
from runner.sweeps.plan import Built, Group
from runner.sweeps.race import Race
from runner.sweeps.standing import Follower
from runner.sweeps.trials import entry_of, outcome_of
from runner.trial import Trial, TrialAudience


class FailFast(Terminated):
    """One member failed, and was to end the others."""


def run_group(
    group: Group,
    standing: Follower,
    *,
    threads: int | None = None,
    fail_fast: bool = False,
    in_processes: bool = True,
) -> None:
    """Let the members of a group learn from each block, which is read once for all of them.

    Each ends with the bits that it would have alone. One that fails does so alone.

    Parameters
    ----------
    group : Group
        Members that have not ended.
    standing : Follower
        Told of each that ends, at once.
    threads : int, optional
        How many members learn at the same time; as many as there are cores, if not given.
    fail_fast : bool
        Whether the first that fails ends the others, too.
    in_processes : bool
        Whether members may learn in processes, where threads would wait for each other.

    Raises
    ------
    FailFast
        If one failed and was to end the others.
    """
    trials = [_trial(built, standing) for built in group.built]
    with (
        Threads(threads) as each,
        Processes(each.n_threads if in_processes else 1) as processes,
    ):
        audience = _Watch(group.built, trials, standing, processes, fail_fast=fail_fast)
        if group.tournament is not None:
            by_number = {b.member.number: t for b, t in zip(group.built, trials, strict=True)}
            audience.race = Race(group.tournament, by_number, each)
        try:
            run_together(trials, each, audience, group.split)
        finally:
            audience.close()
        audience.check()


def _trial(built: Built, standing: Follower) -> Trial:
    entry = entry_of(built.member.called, standing.run, built.resumed)
    return Trial(_quiet(built.experiment), built.recipe, entry)


def _quiet(experiment: Experiment) -> Experiment:
    """Return the experiment without a progress bar of its own: the group has one."""
    callbacks = experiment.callbacks.items()
    kept = {name: each for name, each in callbacks if not isinstance(each, ProgressBar)}
    return replace(experiment, callbacks=kept)


def bar_of(built: Sequence[Built]) -> ProgressBar | None:
    """Return the progress bar that one of the members asks for."""
    callbacks = [each for one in built for each in one.experiment.callbacks.values()]
    return next((each for each in callbacks if isinstance(each, ProgressBar)), None)


class _Watch(TrialAudience):
    """Shows how far a group has come, and tells of each member that ends."""

    race: Race | None = None

    def __init__(
        self,
        built: Sequence[Built],
        trials: Sequence[Trial],
        standing: Follower,
        processes: Processes,
        *,
        fail_fast: bool,
    ) -> None:
        self._processes = processes
        self._built = built
        self._trials = trials
        self._standing = standing
        self._fail_fast = fail_fast
        self._told: set[int] = set()
        self._failed: list[str] = []
        self._bar = bar_of(built)
        self._is_shown = False
        self._progress = Progress()

    def on_begin(self, trials: list[Trial], split: Split, stages: Stages) -> None:
        """Start the bar, and the race if there is one."""
        self._tell()
        self.check()
        self._progress.total_rows = max((t.progress.total_rows or 0 for t in trials), default=0)
        if self._bar is not None:
            self._is_shown = True
            self._bar.on_fit_begin(self._progress, None)
        if self.race is not None:
            self.race.on_begin(trials, split, stages)

    def on_block_end(self, fits: Fits, block: Block) -> None:
        """Move the bar, and let go of the block."""
        self._processes.release()
        progress = self._progress
        progress.rows += block.n_rows
        progress.blocks += 1
        progress.scores = _best(fits)
        if self._bar is not None:
            self._bar.on_block_end(progress, block)

    def between_blocks(self, fits: Fits) -> None:
        """Let the race stop some, and see whether processes are worth it.

        All are stopped, with their states kept, where nobody waits for them any more.
        """
        if not self._standing.is_wanted:
            for fit in fits:
                fit.interrupt(GIVEN_UP)
        self._processes.adopt(fits)
        if self.race is not None:
            self.race.between_blocks(fits)

    def on_end(self, fits: Fits, *, others_go_on: bool) -> None:
        """Tell of the members that have ended."""
        if not others_go_on:
            self._end_bar()
        if self.race is not None:
            self.race.on_end(fits)
        self._tell()
        self.check()

    def close(self) -> None:
        """End the bar and tell of every member that has ended, however the pass did."""
        self._end_bar()
        self._tell()

    def check(self) -> None:
        """See whether a member has failed.

        Raises
        ------
        FailFast
            If one has, and was to end the others.
        """
        if self._fail_fast and self._failed:
            raise FailFast(f"member {self._failed[0]} failed")

    def _end_bar(self) -> None:
        if self._bar is not None and self._is_shown:
            self._bar.on_fit_end(self._progress)
        self._bar = None

    def _tell(self) -> None:
        """Tell of each member that has ended, once."""
        for built, trial in zip(self._built, self._trials, strict=True):
            number = built.member.number
            if not trial.is_over or number in self._told:
                continue
            self._told.add(number)
            if isinstance(trial.error, Exception | SystemExit):
                trial.record_refusal()
            outcome = outcome_of(built.member.called, trial)
            if self.race is not None:
                outcome = replace(outcome, rung=self.race.rung_of(number))
            self._standing.ended(outcome)
            if outcome.status == "FAILED":
                self._failed.append(outcome.name)


def _best(fits: Fits) -> dict[str, float]:
    """Return the best progressive score of those that go on, of the first scorer."""
    scores = [fit.progress.scores for fit in fits if fit.progress.scores]
    if not scores:
        return {}
    name = next(iter(scores[0]))
    defined = [each[name] for each in scores if isfinite(each.get(name, nan))]
    return {f"best {name}": max(defined)} if defined else {}
