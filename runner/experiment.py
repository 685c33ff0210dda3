"""The main path: one experiment, from its data to its record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.base import Callback, Evaluated, Part, Progress, Recipe, Run, Scores, Tracker
from runner.dataset.dataset import Dataset
from runner.errors import ConfigError
from runner.evaluation.evaluation import Evaluation
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import fit_loop
from runner.fit.options import FitOptions
from runner.fit.preflight import check_fit
from runner.fit.progressive import Progressive
from runner.preprocessing.stages import check_stages, pipeline, transform_by
from runner.rules import check as check_settings
from runner.rules import integer, text
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
        Stateless stages before the estimator, in order.
    partial_fit : mapping
        Keyword arguments of every ``partial_fit`` call, such as ``classes``.
    callbacks : mapping of str to Callback
        Told how the fit goes.
    seed : int
        From which every random choice follows. It is also the ``random_state`` of the estimator
        wherever that is None.
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

    def __post_init__(self) -> None:
        """Refuse parts of another kind, and leave no random state to chance."""
        for noun, kind in KINDS.items():
            _require(noun, getattr(self, noun), kind)
        for name, callback in self.callbacks.items():
            _require(f"callbacks.{name}", callback, Callback)
        check_settings("", self, name=text(MOST_NAME), seed=integer(0))
        seed_estimator(self.estimator, self.seed)
        check_stages(self.preprocessing)


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
    train, holdout = experiment.dataset.split()
    check(experiment, train)
    with experiment.tracking.start_run(experiment.name, command=recipe.command) as tracked:
        tracked.log_params(recipe)
        tracked.log_dataset(experiment.name, source_of(recipe), parts(train, holdout))
        fit = incremental_fit(experiment, train, tracked)
        transform = transform_by(experiment.preprocessing)
        blocks = experiment.stream.source(train, transform)
        fit_loop(
            [fit], lambda epoch: experiment.stream.epoch(blocks, epoch), experiment.fit.epochs
        )
        model = pipeline(experiment.preprocessing, fit.estimator)
        evaluated = Evaluated(scores={}, n_rows=0)
        if holdout is not None:
            held_out = experiment.stream.in_order(experiment.stream.source(holdout, transform))
            evaluated = experiment.evaluation.over(fit.estimator, held_out)
        tracked.log_scores(evaluated)
        tracked.log_model(model, train, fit.progress)
    return Result(
        tracked.run_id, tracked.url, evaluated.scores, fit.progress, fit.estimator, model
    )


def _require(key: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise ConfigError(
            key,
            f"be a {kind.__name__}",
            got=type(value).__name__,
            remedy="Choose one of its options; `runner list` shows them.",
        )


def check(experiment: Experiment, train: Part) -> None:
    """Refuse, before the first block, what cannot be learned or scored.

    Raises
    ------
    ConfigError
        If the estimator cannot learn from these blocks, or a scorer does not fit it.
    """
    check_fit(experiment.estimator, experiment.partial_fit, train)
    has_one_target = train.y is not None and len(train.y.shape) == 1
    classes = experiment.partial_fit.get("classes") if has_one_target else None
    experiment.evaluation.check(experiment.estimator, train.y is not None, classes)


def incremental_fit(experiment: Experiment, train: Part, tracked: Run) -> IncrementalFit:
    """Join the estimator with its score on the way, its callbacks and those of the run.

    Raises
    ------
    ConfigError
        If two callbacks have the same name.
    """
    kept = tracked.callbacks()
    for name in experiment.callbacks.keys() & kept.keys():
        raise ConfigError(
            f"callbacks.{name}",
            "have another name",
            got="the name of a callback of the record",
            remedy=f"Rename it; taken are {', '.join(kept)}.",
        )
    window = experiment.fit.progressive_window
    score = Progressive(experiment.evaluation.score_block, window) if window else None
    epochs = experiment.fit.epochs
    return IncrementalFit(
        experiment.estimator,
        experiment.partial_fit,
        score=score,
        callbacks={**experiment.callbacks, **kept},
        progress=Progress(epochs=epochs, total_rows=epochs * train.n_rows),
    )


def parts(train: Part, holdout: Part | None) -> dict[str, Part]:
    """Name the sides of the split as the record does."""
    return {"train": train} if holdout is None else {"train": train, "holdout": holdout}


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


def seed_estimator(estimator: Any, seed: int) -> None:
    """Set every ``random_state`` that is None, also those of estimators inside.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklearn.multiclass import OneVsRestClassifier
    >>> nested = OneVsRestClassifier(SGDClassifier())
    >>> seed_estimator(nested, 10)
    >>> nested.estimator.random_state
    10
    """
    if not hasattr(estimator, "get_params"):
        return
    unset = [
        name
        for name, value in estimator.get_params(deep=True).items()
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    if unset:
        estimator.set_params(**dict.fromkeys(unset, seed))
