"""Go on with what did not finish: a run from its saved state, a sweep with the members left."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from runner.base import Split
from runner.checks import check
from runner.config.job import build
from runner.config.rebuilt import check_hidden, rebuilt
from runner.config.unedited import check_unedited
from runner.errors import ConfigError
from runner.experiment import Experiment, run_together
from runner.fit.threads import Threads
from runner.preprocessing.stages import Stages
from runner.records import Recipe, says_where
from runner.saved import Resumed, read
from runner.sweeps.job import Job
from runner.sweeps.resume import resume as resume_sweep
from runner.tracking.client import connect
from runner.tracking.mending import mend
from runner.tracking.record import RecordedRun, find_run, kept_config
from runner.tracking.store import resolve
from runner.tracking.tags import KIND, MEMBER, PARENT, SWEEP
from runner.trial import Entry, Trial, TrialAudience


def resume(
    name: str,
    job: Job,
    overrides: Sequence[str] = (),
    *,
    only_failed: bool = False,
    is_forced: bool = False,
    uri: str | None = None,
) -> None:
    """Go on with a run or a sweep that did not finish.

    A run goes on from its latest saved state, or from its beginning where none was saved yet, in
    the run of the record that it has; what comes of it is what would have come of it without the
    interruption, bit for bit.

    Parameters
    ----------
    name : str
        The id of the run, or its beginning.
    job : Job
        Is told what came of it.
    overrides : sequence of str
        What a run's record hides, and the cluster, such as ``cluster=none``; nothing else, as on
        the command line. Of a sweep the cluster alone. Where nothing is said of it, it goes on
        where it began.
    only_failed : bool
        Of a sweep: leave members aside that never ended, or were interrupted.
    is_forced : bool
        Go on although the config, the data or the libraries are not what they were.
    uri : str or None
        The store of the record.

    Raises
    ------
    RunnerError
        If there is no such run, a process still has it, it finished, or something is not as it
        was and that is not forced.
    """
    store = resolve(uri)
    mend(connect(store), store)  # it may have ended without having told the store
    run = find_run(name, uri)
    if run.tags.get(KIND) == SWEEP:
        _check_where(run, overrides)
        resume_sweep(
            run.run_id, job, overrides, only_failed=only_failed, is_forced=is_forced, uri=uri
        )
        return
    _check_resumable(run, only_failed=only_failed)
    experiment, recipe = _rebuilt(run, overrides, is_forced, uri)
    resumed = Resumed(run.run_id, read(run.run_id), is_forced)
    if job.dry_run:
        _check(experiment, job)
        job.teller.on_resumed(resumed)
        return
    trial = Trial(experiment, recipe, Entry(name=run.name, resumed=resumed))
    run_together([trial], Threads(1), _Begun(job, resumed))
    job.teller.on_result(experiment, trial.outcome())


class _Begun(TrialAudience):
    """Tells from where a run goes on, once nothing refuses it any more."""

    def __init__(self, job: Job, resumed: Resumed) -> None:
        self._job = job
        self._resumed = resumed

    def on_begin(self, trials: list[Trial], split: Split, stages: Stages) -> None:
        """Tell it."""
        if trials:
            self._job.teller.on_resumed(self._resumed)


def _check_where(run: RecordedRun, overrides: Sequence[str]) -> None:
    keys = [text.partition("=")[0].lstrip("+") for text in overrides]
    others = [key for key in keys if not says_where(key)]
    if others:
        raise ConfigError(
            f"The sweep {run.run_id}",
            "be resumed as it was, without overrides but those of the cluster",
            got=", ".join(others),
            remedy="Leave them out, or start a new sweep; cluster=none runs what is left here.",
        )


def _check_resumable(run: RecordedRun, *, only_failed: bool) -> None:
    if run.tags.get(KIND) == MEMBER:
        raise ConfigError(
            f"The run {run.run_id}",
            "be a run of its own, or a sweep, to be resumed",
            got=f"{run.name}, a member of a sweep",
            remedy=f"Run `runner resume {run.tags.get(PARENT, '')[:8]}`.",
        )
    if only_failed:
        raise ConfigError(
            "--failed",
            "be given with a sweep, because it chooses among members",
            got=f"{run.name}, which is one run",
            remedy=f"Run `runner resume {run.run_id[:8]}`.",
        )
    if run.status == "FINISHED":
        raise ConfigError(
            f"The run {run.run_id}",
            "be one that did not finish",
            got="one that has",
            remedy=f"`runner reproduce {run.run_id[:8]}` runs it again and compares.",
        )


def _rebuilt(
    run: RecordedRun, overrides: Sequence[str], is_forced: bool, uri: str | None
) -> tuple[Experiment, Recipe]:
    """Build the experiment that the run keeps, to be recorded where the run is."""
    text, command = kept_config(run, uri), run.command
    check_hidden(text, overrides)
    check_unedited(run.run_id, command, text, is_forced=is_forced)
    experiment, recipe = build(rebuilt(text, overrides))
    tracking: Any = experiment.tracking
    experiment.tracking = replace(tracking, uri=resolve(uri).uri)
    return experiment, replace(recipe, command=command)


def _check(experiment: Experiment, job: Job) -> None:
    experiment.tracking.check()
    split = experiment.dataset.split()
    check(experiment, split)
    job.teller.on_dry_run(experiment, split)
