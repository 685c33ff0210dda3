"""One experiment on its way: from its checks, through what it learns, to its record."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from runner.base import Block, Callback, Part, Progress, Remark, Scores, Split
from runner.checks import Asked, check, schedule, telling
from runner.errors import ConfigError, FitError
from runner.fit.classes import infers, listed
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.labels import Labels, remark_on
from runner.fit.loop import Audience
from runner.preparation import held_out, inspection, learned_labels, progressive, reading
from runner.preprocessing.stages import Stages
from runner.protocols import Run, SweepRun
from runner.records import Evaluated, Recipe


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
    """Where a run belongs in the record: what it is called, below which sweep, with which tags."""

    name: str
    parent: SweepRun | str | None = None
    tags: Mapping[str, str] | None = None


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
        self._stages: Stages

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

    def open(self, split: Split) -> None:
        """Check what can be known before the first block, and open the run."""
        experiment, recipe, entry = self.experiment, self.recipe, self.entry
        with self._guarded():
            self._split = split
            self._remarks = check(experiment, split)
            self.run = self._exits.enter_context(
                experiment.tracking.start_run(
                    entry.name, command=recipe.command, parent=entry.parent, tags=entry.tags
                )
            )
            self.run.log_params(recipe)
            self.run.log_dataset(experiment.name, source_of(recipe), split.parts)
            for remark in self._remarks:
                self.run.log_remark(remark)

    def prepare(self, stages: Stages, count: Callable[[int], Labels]) -> None:
        """Join the estimator with its scores on the way, its callbacks and those of the run.

        Parameters
        ----------
        stages : Stages
            Fitted where they are to stay fixed.
        count : callable
            Counts the labels of the training blocks, if the classes or weights ask for it.
        """
        with self._guarded():
            self._stages = stages
            self.fit = self._incremental_fit(count)

    def reading(self, part: Part, *, ahead: bool) -> Callable[[], Generator[Block]]:
        """Return what yields the blocks of a part through the fixed stages, some read ahead."""
        transform = self._stages.transform
        if not ahead:
            return reading(part, transform)
        stream = self.experiment.stream
        source = stream.source(part, transform)
        return lambda: stream.in_order(source)

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
            result = Result(
                run.run_id,
                run.url,
                evaluated.scores,
                fit.progress,
                self.experiment.estimator,
                model,
            )
            self._exits.close()
            self.result = result
        vars(fit).pop("measurement", None)  # it keeps targets and answers of held-out rows

    def end(self, error: BaseException) -> None:
        """End the run by an error; what would end the process, ``SystemExit``, is one too."""
        if isinstance(error, SystemExit):
            error = _exited(self.entry.name, error)
        self.error = error
        try:
            self._exits.__exit__(type(error), error, error.__traceback__)
        except (Exception, SystemExit) as raised:  # noqa: BLE001  (it may be another one by now)
            self.error = raised

    def record_refusal(self) -> None:
        """Keep a run of a member of a sweep that failed before it had one."""
        error, entry = self.error, self.entry
        if error is None or self.is_recorded or entry.parent is None:
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

    def _incremental_fit(self, count: Callable[[int], Labels]) -> IncrementalFit:
        experiment, run, stages, split = self.experiment, self.run, self._stages, self._split
        train, fit, evaluation = split.train, experiment.fit, experiment.evaluation
        kept = _callbacks_of_record(experiment, run)
        arguments, weights, labels = learned_labels(experiment.partial_fit, fit, train, count)
        tell = telling(experiment.strict, run, self._remarks)
        if labels is not None:
            run.log_labels(labels.as_mappings())
            remark = remark_on(labels) if infers(experiment.partial_fit.get("classes")) else None
            if remark is not None:
                tell(remark)
            evaluation.check(experiment.estimator, True, listed(arguments, train))
        learner = stages.learner(experiment.estimator)
        every = schedule(experiment.callbacks, evaluation)
        return IncrementalFit(
            learner,
            arguments,
            score=progressive(fit, evaluation),
            held_out=held_out(evaluation, every, split, stages.transform),
            weights=weights,
            inspect=inspection(stages, learner, train, arguments, tell),
            callbacks={**experiment.callbacks, **kept},
            progress=Progress(epochs=fit.epochs, total_rows=fit.epochs * train.n_rows),
        )

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


def _callbacks_of_record(experiment: Asked, run: Run) -> dict[str, Callback]:
    kept = run.callbacks()
    for name in experiment.callbacks.keys() & kept.keys():
        raise ConfigError(
            f"callbacks.{name}",
            "have another name",
            got="the name of a callback of the record",
            remedy=f"Rename it; taken are {', '.join(kept)}.",
        )
    return kept


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
