"""What is looked at across the stages before the first block, and how remarks are told."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from runner.base import Callback, Part, Remark, Split
from runner.callbacks.early_stopping import EarlyStopping
from runner.callbacks.watcher import HELD_OUT, Watcher
from runner.cluster.cluster import Cluster
from runner.cluster.placement import check_placement
from runner.dataset.dataset import Dataset
from runner.dataset.memory import check_memory
from runner.errors import ConfigError, RunnerWarning
from runner.evaluation.evaluation import Evaluation
from runner.fit.classes import listed
from runner.fit.held_out import EPOCH
from runner.fit.lint import check_first_block, check_settings
from runner.fit.options import FitOptions
from runner.fit.preflight import check_fit, check_text
from runner.preprocessing.stages import Stages
from runner.protocols import Run, Tracker
from runner.stream.stream import Stream


def telling(strict: bool, tracked: Run, told: list[Remark]) -> Callable[[Remark], None]:
    """Return what keeps a remark in the record and tells it, if it was not told before."""

    def tell(remark: Remark) -> None:
        if remark not in told:
            tracked.log_remark(remark)
            say([remark], strict)

    return tell


def say(remarks: Sequence[Remark], strict: bool) -> None:
    """Warn of each thing that is remarkable.

    Raises
    ------
    ConfigError
        Instead, with all of them, if the experiment is strict.
    """
    if strict and remarks:
        raise ConfigError(
            "A strict experiment",
            "be without remarks",
            got=" ".join(map(str, remarks)).rstrip("."),
            remedy="Do what is said, or set strict=false.",
        )
    for remark in remarks:
        warnings.warn(str(remark), RunnerWarning, stacklevel=3)


class Setup(Protocol):
    """How a fit goes: what an experiment decides and the meta-estimator too."""

    @property
    def stream(self) -> Stream:
        """How blocks reach the learner."""

    @property
    def fit(self) -> FitOptions:
        """For how long it learns, and what rows weigh."""

    @property
    def evaluation(self) -> Evaluation:
        """How it is scored."""

    @property
    def callbacks(self) -> Mapping[str, Callback]:
        """What is told how the fit goes."""


def check_setup(
    setup: Setup, stages: Stages, estimator: Any, arguments: Mapping[str, Any], split: Split
) -> list[Remark]:
    """Refuse, before the first block, what cannot be learned; return what is remarkable.

    Raises
    ------
    ConfigError
        If the blocks have no room in memory, a stage or the estimator cannot learn from them with
        these arguments, or a callback has no score to decide by.
    """
    train, evaluation = split.train, setup.evaluation
    check_memory(train, setup.stream.prefetch, setup.stream.buffer_blocks)
    remarks = list(check_all_settings(stages.named, estimator, train))
    check_fit(estimator, arguments, train, setup.fit.class_weight)
    if not stages.named:
        check_text(estimator, train)
    remarks += check_first_blocks(stages.named, estimator, setup.stream, train)
    stages.name_columns(train.feature_names, is_frame=train.frame is not None)
    remarks += stages.remarks()
    names = evaluation.names(estimator, train.y is not None)
    remarks += check_scores_on_the_way(setup, split, names)
    return remarks


def check_all_settings(
    preprocessing: Mapping[str, Any], estimator: Any, train: Part
) -> Iterator[Remark]:
    """Refuse settings with which a stage or the estimator cannot learn; tell what has no effect.

    Raises
    ------
    ConfigError
        Naming the setting.
    """
    for name, stage in preprocessing.items():
        yield from check_settings(f"preprocessing.{name}", stage, train.n_rows)
    yield from check_settings("estimator", estimator, train.n_rows)


def check_first_blocks(
    preprocessing: Mapping[str, Any], estimator: Any, stream: Stream, train: Part
) -> Iterator[Remark]:
    """Refuse a block that is learned first and is known to be too small for what learns from it.

    Raises
    ------
    ConfigError
        Naming both numbers.
    """
    sizes = train.X.chunks[0]
    for name, stage in preprocessing.items():
        yield from _remark(check_first_block(stage, _first(sizes), key=f"preprocessing.{name}"))
    first = _first([sizes[index] for index in stream.order(train.n_blocks, 0)])
    yield from _remark(check_first_block(estimator, first))


def _remark(remark: Remark | None) -> Iterator[Remark]:
    if remark is not None:
        yield remark


def _first(sizes: Sequence[int]) -> int:
    return next((size for size in sizes if size), 0)


def schedule(callbacks: Mapping[str, Callback], evaluation: Evaluation) -> int | str | None:
    """Return when held-out rows are scored on the way: if a callback needs it, each epoch."""
    if evaluation.every is None and any(w.by == HELD_OUT for _, w in watchers(callbacks)):
        return EPOCH
    return evaluation.every


def watchers(callbacks: Mapping[str, Callback]) -> Iterator[tuple[str, Watcher]]:
    """Yield, with their names, the callbacks that decide by a score."""
    for name, callback in callbacks.items():
        if isinstance(callback, Watcher):
            yield name, callback


def check_scores_on_the_way(setup: Setup, split: Split, names: list[str]) -> Iterator[Remark]:
    """Refuse scores on the way that cannot be had, and callbacks that could never decide.

    Parameters
    ----------
    setup : Setup
        Whose evaluation has scorers of these ``names``.
    split : Split
        What is learned from, and what is held out.

    Raises
    ------
    ConfigError
        If nothing is held out to be scored, there is no scorer, a callback decides by a score
        that is not computed, or there are too few scores for it ever to decide.
    """
    every, fit = schedule(setup.callbacks, setup.evaluation), setup.fit
    for name, watcher in watchers(setup.callbacks):
        watcher.check_monitor(names)
        if watcher.by != HELD_OUT:
            _check_window(name, fit)
        elif split.validation is None and split.holdout is not None:
            yield _optimistic(name)
        if isinstance(watcher, EarlyStopping):
            _check_patience(name, watcher, every, fit.epochs, split.train)
    if every is None:
        return
    if not names:
        raise ConfigError(
            "evaluation.every",
            "be null where there is no scorer",
            got=every,
            remedy="Name one in evaluation.scoring.",
        )
    if split.validation is None and split.holdout is None:
        raise ConfigError(
            "Scores of held-out rows on the way",
            "have rows that are held out",
            got="dataset.holdout=0 and dataset.validation=0",
            remedy="Set dataset.validation=0.1.",
        )


def _check_window(name: str, fit: FitOptions) -> None:
    if not fit.progressive_window:
        raise ConfigError(
            f"callbacks.{name}.by",
            "be held_out where there is no progressive score",
            got="progressive, with fit.progressive_window=0",
            remedy="Set fit.progressive_window=20.",
        )


def _check_patience(
    name: str, stopping: EarlyStopping, every: int | str | None, epochs: int, train: Part
) -> None:
    """Refuse a patience that the scores on the way, as many as there may be, do not exceed."""
    if stopping.by != HELD_OUT:
        scores = train.n_blocks * epochs - 1  # the first block has none
        remedy = "Lower it, or set smaller dataset.chunks."
    elif isinstance(every, int):
        scores = min(train.n_rows * epochs // every + 1, train.n_blocks * epochs)
        remedy = "Lower it, or set a smaller evaluation.every."
    else:
        scores = epochs
        remedy = "Lower it, set more fit.epochs, or set evaluation.every to a number of rows."
    if scores <= stopping.patience:
        raise ConfigError(
            f"callbacks.{name}.patience",
            f"be less than the number of scores on the way, which is {scores} at most",
            got=stopping.patience,
            remedy=remedy,
        )


def _optimistic(name: str) -> Remark:
    return Remark(
        "decided-on-holdout",
        f"callbacks.{name} decides by the rows that the final scores are of, which makes these "
        "too good. Set dataset.validation=0.1 to have rows of their own for it.",
    )


class Asked(Setup, Protocol):
    """What an experiment decides, as a trial needs it."""

    @property
    def name(self) -> str:
        """What the run is called."""

    @property
    def dataset(self) -> Dataset:
        """Where X and y come from."""

    @property
    def estimator(self) -> Any:
        """What learns, in place."""

    @property
    def tracking(self) -> Tracker:
        """What keeps the record."""

    @property
    def partial_fit(self) -> Mapping[str, Any]:
        """Keyword arguments of every ``partial_fit`` call."""

    @property
    def cluster(self) -> Cluster:
        """What reads and scores blocks."""

    @property
    def strict(self) -> bool:
        """Whether a remark is an error."""

    def stages(self) -> Stages:
        """Return the stages before the estimator."""


def check(experiment: Asked, split: Split) -> list[Remark]:
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
    stages, buffer_blocks = experiment.stages(), experiment.stream.buffer_blocks
    check_placement(experiment.cluster, buffer_blocks, [estimator, *stages.named.values()])
    remarks = check_setup(experiment, stages, estimator, arguments, split)
    known, has_target = listed(arguments, split.train), split.train.y is not None
    experiment.evaluation.check(estimator, has_target, known)
    say(remarks, experiment.strict)
    return remarks
