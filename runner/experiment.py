"""The main path: one experiment, from its data to its record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.base import Callback, Evaluated, Progress, Recipe, Remark, Scores, Split
from runner.checks import check_setup, say, schedule, telling
from runner.dataset.dataset import Dataset
from runner.errors import ConfigError
from runner.evaluation.evaluation import Evaluation
from runner.fit.classes import infers, listed
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.labels import remark_on
from runner.fit.loop import fit_loop
from runner.fit.options import FitOptions
from runner.preparation import fit_stages, held_out, inspection, learned_labels, progressive
from runner.preprocessing.stages import Stages
from runner.protocols import Run, Tracker
from runner.rules import boolean, integer, text
from runner.rules import check as check_rules
from runner.seeds import seed_estimator
from runner.stream.stream import Stream

MOST_NAME = 120  # it is part of file names in the store
KINDS: dict[str, type] = {
    "dataset": Dataset,
    "stream": Stream,
    "fit": FitOptions,
    "evaluation": Evaluation,
    "preprocessing": Mapping,
    "partial_fit": Mapping,
    "callbacks": Mapping,
}


@dataclass(kw_only=True)
class Experiment:
    """Everything one YAML file decides; the fields are its nouns.

    Parameters
    ----------
    name : str
        What the run is called.
    dataset : Dataset
        Where X and y come from, in which blocks, and what is held out.
    estimator : object with ``partial_fit``
        What learns, in place.
    tracking : Tracker
        What keeps the record.
    stream, fit, evaluation : Stream, FitOptions, Evaluation
        How blocks reach the estimator, for how long it learns, how it is scored.
    preprocessing : mapping of str to transformer
        Stages before the estimator, in order: stateless, or fitted on the training blocks.
    partial_fit : mapping
        Keyword arguments of every ``partial_fit`` call, such as ``classes``: a list, or "infer".
    callbacks : mapping of str to Callback
        Told how the fit goes.
    seed : int
        From which every random choice follows. It is also the ``random_state`` of the estimator
        wherever that is None.
    strict : bool
        Whether a remark on the settings or the data is an error.
    """

    name: str
    dataset: Dataset
    estimator: Any
    tracking: Tracker
    stream: Stream = field(default_factory=Stream)
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    partial_fit: Mapping[str, Any] = field(default_factory=dict)
    fit: FitOptions = field(default_factory=FitOptions)
    evaluation: Evaluation = field(default_factory=Evaluation)
    callbacks: Mapping[str, Callback] = field(default_factory=dict)
    seed: int = 0
    strict: bool = False

    def __post_init__(self) -> None:
        """Refuse parts of another kind, and leave no random state to chance."""
        for noun, kind in KINDS.items():
            _require(noun, getattr(self, noun), kind)
        for name, callback in self.callbacks.items():
            _require(f"callbacks.{name}", callback, Callback)
        check_rules("", self, name=text(MOST_NAME), seed=integer(0), strict=boolean())
        self.stages()
        for learner in (self.estimator, *self.preprocessing.values()):
            seed_estimator(learner, self.seed)

    def stages(self) -> Stages:
        """Return the stages before the estimator, with the policies of ``fit.preprocessing``."""
        return Stages(self.preprocessing, self.fit.preprocessing)


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


def run(experiment: Experiment, recipe: Recipe) -> Result:
    """Fit block by block, evaluate on the held-out blocks, log it all to one run.

    Parameters
    ----------
    experiment : Experiment
        What to do.
    recipe : Recipe
        What was asked, for the record.

    Raises
    ------
    RunnerError
        If something a person can mend is wrong. From the first block on the run exists, and says
        FAILED and why.
    """
    experiment.tracking.check()
    split = experiment.dataset.split()
    remarks = check(experiment, split)
    with experiment.tracking.start_run(experiment.name, command=recipe.command) as tracked:
        tracked.log_params(recipe)
        tracked.log_dataset(experiment.name, source_of(recipe), split.parts)
        for remark in remarks:
            tracked.log_remark(remark)
        stages = experiment.stages()
        fit_stages(stages, split.train, experiment.stream)
        fit = incremental_fit(experiment, split, stages, tracked, remarks)
        blocks = experiment.stream.source(split.train, stages.transform)
        fit_loop(
            [fit], lambda epoch: experiment.stream.epoch(blocks, epoch), experiment.fit.epochs
        )
        model = stages.model(fit.estimator)
        try:
            evaluated = evaluate(experiment, split, stages, fit.estimator)
            tracked.log_scores(evaluated)
        finally:
            tracked.log_model(model, split.train, fit.progress)
    return Result(
        tracked.run_id, tracked.url, evaluated.scores, fit.progress, experiment.estimator, model
    )


def _require(key: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise ConfigError(
            key,
            f"be a {kind.__name__}",
            got=type(value).__name__,
            remedy="Choose one of its options; `runner list` shows them.",
        )


def check(experiment: Experiment, split: Split) -> list[Remark]:
    """Refuse, before the first block, what cannot be learned or scored; return what is remarkable.

    Raises
    ------
    ConfigError
        If the estimator cannot learn from these blocks, or a scorer or a callback does not fit it;
        of a strict experiment also if there is a remark.

    Warns
    -----
    RunnerWarning
        With each remark.
    """
    estimator, arguments = experiment.estimator, experiment.partial_fit
    remarks = check_setup(experiment, experiment.stages(), estimator, arguments, split)
    known, has_target = listed(arguments, split.train), split.train.y is not None
    experiment.evaluation.check(estimator, has_target, known)
    say(remarks, experiment.strict)
    return remarks


def incremental_fit(
    experiment: Experiment, split: Split, stages: Stages, tracked: Run, remarks: list[Remark]
) -> IncrementalFit:
    """Join the estimator with its scores on the way, its callbacks and those of the run.

    The labels of the training blocks are counted first, if the classes or weights ask for it.

    Raises
    ------
    ConfigError
        If two callbacks have the same name, or there are too many labels.
    FitError
        If labels that are to be counted are missing, or of several types.
    """
    kept = tracked.callbacks()
    for name in experiment.callbacks.keys() & kept.keys():
        raise ConfigError(
            f"callbacks.{name}",
            "have another name",
            got="the name of a callback of the record",
            remedy=f"Rename it; taken are {', '.join(kept)}.",
        )
    train, fit, evaluation = split.train, experiment.fit, experiment.evaluation
    arguments, weights, labels = learned_labels(
        experiment.partial_fit, fit, train, experiment.stream
    )
    tell = telling(experiment.strict, tracked, remarks)
    if labels is not None:
        tracked.log_labels(labels.as_mappings())
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


def evaluate(experiment: Experiment, split: Split, stages: Stages, estimator: Any) -> Evaluated:
    """Score what was learned on the rows that were held out for the final scores."""
    if split.holdout is None:
        return Evaluated(scores={}, n_rows=0)
    source = experiment.stream.source(split.holdout, stages.transform)
    return experiment.evaluation.over(estimator, experiment.stream.in_order(source))


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
