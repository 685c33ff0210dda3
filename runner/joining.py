"""What learns in a trial, joined with its scores on the way and with all that follows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runner.base import Callback, Part, Progress, Remark, Split
from runner.callbacks.checkpoint import Checkpoint
from runner.checks import Asked, schedule, telling
from runner.contents import Contents
from runner.errors import ConfigError
from runner.fit.bad_blocks import BadBlocks, ReadAgain
from runner.fit.classes import infers, listed
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.labels import Labels, LabelWeights, remark_on
from runner.preparation import (
    held_out,
    inspection,
    learned_labels,
    progressive,
    reading_held_out,
)
from runner.preprocessing.stages import Stages
from runner.protocols import Run


@dataclass(frozen=True)
class Shared:
    """What all trials have in common that learn from the same blocks.

    Attributes
    ----------
    split : Split
        The rows.
    count : callable
        Counts the labels of the training blocks, if the classes or weights ask for it.
    read_again : callable
        ``read_again(epoch, position)`` yields training blocks from a position on.
    contents : Contents
        Sums up what is held out.
    n_trials : int
        How many they are.
    """

    split: Split
    count: Callable[[int], Labels]
    read_again: ReadAgain
    contents: Contents
    n_trials: int = 1


def joined(
    experiment: Asked,
    shared: Shared,
    stages: Stages,
    run: Run,
    remarks: list[Remark],
    *,
    saved_rows: int | None = None,
) -> IncrementalFit:
    """Join the estimator with its scores on the way, its callbacks and those of the run.

    Parameters
    ----------
    experiment : Asked
        What to do.
    shared : Shared
        What it learns from.
    stages : Stages
        Fitted where they are to stay fixed.
    run : Run
        What is recorded.
    remarks : list of Remark
        What was told already.
    saved_rows : int, optional
        How many rows were learned in a saved state that is to follow, which knows the labels.
    """
    train, fit, evaluation = shared.split.train, experiment.fit, experiment.evaluation
    kept = _callbacks_of_record(experiment, run)
    tell = telling(experiment.strict, run, remarks)
    arguments, weights = dict(experiment.partial_fit), None
    if saved_rows is None:
        arguments, weights = _labelled(experiment, train, run, shared.count, tell)
    learner = stages.learner(experiment.estimator)
    every, read = schedule(experiment.callbacks, evaluation), None
    if every is not None:  # else the graph of these blocks would be made for nothing
        transform, contents = stages.transform, shared.contents
        read = reading_held_out(shared.split, transform, contents, tolerant=fit.skips)
    return IncrementalFit(
        learner,
        arguments,
        score=progressive(fit, evaluation),
        held_out=held_out(evaluation, every, read),
        weights=weights,
        inspect=inspection(stages, learner, train, arguments, tell, goes_on=bool(saved_rows)),
        bad_blocks=BadBlocks(fit.max_bad_blocks, shared.read_again, shared.n_trials)
        if fit.skips
        else None,
        checkpoint=checkpoint_of(experiment.callbacks),
        callbacks={**experiment.callbacks, **kept},
        progress=Progress(epochs=fit.epochs, total_rows=fit.epochs * train.n_rows),
    )


def checkpoint_of(callbacks: Mapping[str, Callback]) -> Checkpoint | None:
    """Return the callback that keeps the state, if there is one."""
    found = [each for each in callbacks.values() if isinstance(each, Checkpoint)]
    if len(found) > 1:
        raise ConfigError(
            "callbacks",
            "hold one Checkpoint at most",
            got=f"{len(found)} of them",
            remedy="Remove all but one.",
        )
    return found[0] if found else None


def _labelled(
    experiment: Asked,
    train: Part,
    run: Run,
    count: Callable[[int], Labels],
    tell: Callable[[Remark], None],
) -> tuple[dict[str, Any], LabelWeights | None]:
    """Return the arguments of ``partial_fit`` and what labels weigh, counted if need be."""
    asked = experiment.partial_fit
    arguments, weights, labels = learned_labels(asked, experiment.fit, train, count)
    if labels is not None:
        run.log_labels(labels.as_mappings())
        remark = remark_on(labels) if infers(asked.get("classes")) else None
        if remark is not None:
            tell(remark)
        experiment.evaluation.check(experiment.estimator, True, listed(arguments, train))
    return arguments, weights


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
