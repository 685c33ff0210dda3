"""One experiment on its way: from its checks, through what it learns, to its record."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from runner.base import Part, Progress, Remark, Scores, Split
from runner.checks import Asked, check, say
from runner.contents import Contents
from runner.errors import FitError, TrackingError
from runner.fit.held_out import ReadBlocks
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.interruption import CTRL_C
from runner.fit.loop import Audience
from runner.joining import Shared, checkpoint_of, joined
from runner.kinds import last_step
from runner.preprocessing.stages import Stages
from runner.protocols import Run, SweepRun
from runner.records import Evaluated, Recipe
from runner.saved import (
    Resumed,
    Saved,
    check_unchanged,
    forget,
    header_of,
    restore,
    writing,
)


@dataclass(frozen=True)
class Result:
    """What came out of a run.

    ``model`` predicts from rows as the dataset holds them; ``estimator`` is its last stage.
    """

    run_id: str
    url: str
    scores: Scores
    progress: Progress
    estimator: Any
    model: Any


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Where a run belongs in the record: what it is called, below which sweep, with which tags.

    ``resumed`` is the run that is gone on with, where it is no new one.
    """

    name: str
    parent: SweepRun | str | None = None
    tags: Mapping[str, str] | None = None
    resumed: Resumed | None = None


class Trial:
    """An experiment and its run in the record, step by step.

    What fails in a step is kept as ``error`` and ends this trial: its run says FAILED and why.

    Parameters
    ----------
    experiment : Asked
        What to do.
    recipe : Recipe
        What was asked, for the record.
    entry : Entry, optional
        Where its run belongs; not given, it is a run of its own with the experiment's name.

    Attributes
    ----------
    fit : IncrementalFit
        What learns, from ``prepare`` on.
    run : Run
        The run in the record, from ``open`` on.
    result : Result or None
        What came out, once it has finished.
    error : BaseException or None
        What ended it instead.
    """

    fit: IncrementalFit
    run: Run

    def __init__(self, experiment: Asked, recipe: Recipe, entry: Entry | None = None) -> None:
        self.experiment = experiment
        self.recipe = recipe
        self.entry = entry or Entry(name=experiment.name)
        self.result: Result | None = None
        self.error: BaseException | None = None
        self._exits = ExitStack()
        self._remarks: list[Remark] = []
        self._split: Split
        self._header: dict[str, Any] = {}
        self._stages: Stages
        self._contents: Contents

    @property
    def is_over(self) -> bool:
        """Whether it has a result or an error."""
        return self.result is not None or self.error is not None

    @property
    def is_recorded(self) -> bool:
        """Whether it has a run in the record."""
        return "run" in vars(self)

    @property
    def progress(self) -> Progress:
        """How far it came; nowhere if it failed before it could learn."""
        return self.fit.progress if "fit" in vars(self) else Progress()

    def outcome(self) -> Result:
        """Return the result, or raise what ended it."""
        if self.error is not None:
            raise self.error
        assert self.result is not None, "a trial is asked for its result when it is over"  # noqa: S101
        return self.result

    def check_record(self) -> None:
        """See that a run can be kept, before any data are read."""
        with self._guarded():
            self.experiment.tracking.check()

    def open(self, split: Split, surroundings: Mapping[str, Any]) -> None:
        """Check what can be known before the first block, and open the run.

        The surroundings must be as they were, in a run that goes on.
        """
        experiment, recipe, entry = self.experiment, self.recipe, self.entry
        with self._guarded():
            self._split = split
            self._header = header_of(recipe, surroundings)
            forced = None
            if entry.resumed is not None:
                forced = check_unchanged(entry.resumed, self._header, split.train)
            self._remarks = check(experiment, split)
            if forced is not None:
                say([forced], strict=False)
                self._remarks.append(forced)
            self.run = self._exits.enter_context(
                experiment.tracking.start_run(
                    entry.name,
                    command=recipe.command,
                    parent=entry.parent,
                    tags=entry.tags,
                    resumed=entry.resumed.run_id if entry.resumed else None,
                )
            )
            self.run.log_params(recipe)
            self.run.log_dataset(experiment.name, source_of(recipe), split.parts)
            for remark in self._remarks:
                self.run.log_remark(remark)

    @property
    def saved(self) -> Saved | None:
        """The state that it goes on from, if it does."""
        return self.entry.resumed.saved if self.entry.resumed else None

    def prepare(self, stages: Stages, shared: Shared) -> None:
        """Join what learns with all that follows it, and restore its state if it goes on.

        Parameters
        ----------
        stages : Stages
            Fitted where they are to stay fixed.
        shared : Shared
            What it learns from, as others do.
        """
        with self._guarded():
            self._stages, self._contents, saved = stages, shared.contents, self.saved
            rows, told = None if saved is None else saved.header["rows"], self._remarks
            self.fit = joined(self.experiment, shared, stages, self.run, told, saved_rows=rows)
            if saved is not None:
                restore(self.fit, saved)
                self.run.log_resumed(self.fit.progress.rows)
            checkpoint = checkpoint_of(self.experiment.callbacks)
            if checkpoint is not None and self.run.url:  # else nothing is kept
                header, progress = self._header, self.fit.progress
                checkpoint.attach(writing(self.run.run_id, header, stages.state, progress))
                checkpoint.begin(self.fit.state, shared.n_trials, is_new=saved is None)

    def reading(self, part: Part, *, ahead: bool, tolerant: bool) -> ReadBlocks:
        """Return what yields the blocks of a part through the fixed stages, some read ahead."""
        transform = self._stages.transform
        return self._contents.reading("holdout", part, transform, ahead=ahead, tolerant=tolerant)

    def finish(self, *, is_learned: bool) -> None:
        """Log the scores and the model, and end the run.

        Parameters
        ----------
        is_learned : bool
            Whether learning went well; then a fit that has failed could not be scored, and the
            model is kept all the same.
        """
        fit, run = self.fit, self.run
        with self._guarded():
            if fit.error is not None and not is_learned:
                raise fit.error
            model = self._stages.model(fit.estimator)
            try:
                if fit.error is not None:
                    raise fit.error
                evaluated = self._evaluated()
                run.log_scores(evaluated)
            finally:
                run.log_model(model, self._split.train, fit.progress)
                run.log_content(self._contents.digests(self._split, fit.progress))
            if fit.progress.is_paused:
                self.end(KeyboardInterrupt(fit.progress.stop_reason or CTRL_C))
                return
            found = (run.run_id, run.url, evaluated.scores, fit.progress)
            result = Result(*found, last_step(fit.estimator), model)
            self._exits.close()
            forget(run.run_id)
            self.result = result
        vars(fit).pop("measurement", None)  # it keeps targets and answers of held-out rows

    def end(self, error: BaseException) -> None:
        """End the run by an error; what would end the process, ``SystemExit``, is one too."""
        if isinstance(error, SystemExit):
            error = _exited(self.entry.name, error)
        if self.is_recorded and self.run.url and self.entry.parent is None:
            error.add_note(f"`runner resume {self.run.run_id[:8]}` goes on with it")
        checkpoint = checkpoint_of(self.experiment.callbacks)
        if checkpoint is not None:
            checkpoint.keep_last(None)
        self.error = error
        try:
            self._exits.__exit__(type(error), error, error.__traceback__)
        except (Exception, SystemExit) as raised:  # noqa: BLE001  (it may be another one by now)
            self.error = raised

    def record_refusal(self) -> None:
        """Keep a run of a member of a sweep that failed before it had one."""
        error, entry = self.error, self.entry
        has_one = entry.resumed is not None and isinstance(error, TrackingError)  # not to be had
        if error is None or self.is_recorded or entry.parent is None or has_one:
            return
        tracking, command = self.experiment.tracking, self.recipe.command
        with (
            suppress(Exception, SystemExit),
            tracking.start_run(
                entry.name, command=command, parent=entry.parent, tags=entry.tags
            ) as self.run,
        ):
            self.run.log_params(self.recipe)
            raise error

    def _evaluated(self) -> Evaluated:
        if self._split.holdout is None:
            return Evaluated(scores={}, n_rows=0)
        return self.fit.measurement.evaluated()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (Exception, SystemExit) as error:  # noqa: BLE001  (one trial must not cost others)
            self.end(error)


class TrialAudience(Audience):
    """What follows several trials that learn from the same blocks."""

    def on_begin(self, trials: list[Trial], split: Split, stages: Stages) -> None:
        """Before the first block."""


def _exited(name: str, error: SystemExit) -> FitError:
    told = FitError(
        name,
        "not end the process",
        got=f"SystemExit({error.code!r})",
        remedy="Look for sys.exit in what it calls.",
    )
    told.__cause__ = error
    return told.with_traceback(error.__traceback__)


def source_of(recipe: Recipe) -> dict[str, Any]:
    """Return the params that say where the data come from.

    Examples
    --------
    >>> source_of(Recipe("a", {"dataset.path": "rows.csv", "seed": 0}))
    {'path': 'rows.csv'}
    """
    prefix = "dataset."
    return {
        key.removeprefix(prefix): value
        for key, value in recipe.params.items()
        if key.startswith(prefix)
    }
