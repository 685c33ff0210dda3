"""A fit that can go on: an estimator with the stages before it, and how far it has come."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from dask.base import compute
from sklearn.pipeline import Pipeline

from runner.base import Block, Callback, Part, Progress, Remark, Split
from runner.checks import check_setup, say
from runner.dataset.given import is_lazy
from runner.errors import ConfigError
from runner.evaluation.evaluation import Evaluation
from runner.fit.classes import listed
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import fit_loop
from runner.fit.options import FitOptions
from runner.fit.preflight import check_fit
from runner.one_core import one_core
from runner.preparation import (
    counting,
    fit_stages,
    inspection,
    learned_labels,
    progressive,
)
from runner.preprocessing.stages import Stages
from runner.stream.stream import Stream


@dataclass(frozen=True)
class Options:
    """How one call learns, as ``runner.checks.Setup`` has it."""

    stream: Stream
    fit: FitOptions
    evaluation: Evaluation
    callbacks: Mapping[str, Callback]


class Learner:
    """An estimator that learns parts one after the other, in place.

    Parameters
    ----------
    estimator : object with ``partial_fit``, or Pipeline of which the last step has one
        The steps before the last are its stages.
    preprocessing : {"first_pass", "running"} or mapping of str to one of these
        How the stages are fitted.

    Attributes
    ----------
    progress : Progress
        Over all parts.
    order : list of list of int
        The blocks of each pass, in the order they were to be delivered.
    """

    def __init__(self, estimator: Any, preprocessing: str | Mapping[str, str]) -> None:
        before, self._last = parted(estimator)
        self._stages = Stages(before, preprocessing)
        self._learns = self._stages.learner(self._last)
        self._classes: Any = None
        self.progress = Progress()
        self.order: list[list[int]] = []

    def begin(self, setup: Options, part: Part, arguments: Mapping[str, Any]) -> None:
        """Check what can be known of the first part, and fit the stages that stay fixed.

        Raises
        ------
        RunnerError
            If it cannot be learned; the estimator is as it was.

        Warns
        -----
        RunnerWarning
            With what is remarkable.
        """
        remarks = check_setup(setup, self._stages, self._last, arguments, Split(part))
        if part.y is not None:
            setup.evaluation.check(self._last, True, listed(arguments, part))
        say(remarks, strict=False)
        with one_core():
            fit_stages(self._stages, part, setup.stream)

    def learn(self, setup: Options, part: Part, arguments: Mapping[str, Any], epochs: int) -> None:
        """Learn a part in so many passes.

        Raises
        ------
        RunnerError
            If the part, or some block of it, cannot be learned; what was learned is kept.
        """
        progress, arguments = self.progress, dict(arguments)
        goes_on = progress.blocks > 0
        if self._classes is not None:
            arguments.setdefault("classes", self._classes)
        if goes_on:
            check_fit(self._last, arguments, part, setup.fit.class_weight)
        arguments, weights, labels = learned_labels(
            arguments, setup.fit, part, counting(part, setup.stream)
        )
        if labels is not None:
            setup.evaluation.check(self._last, True, listed(arguments, part))
        self._classes = arguments.get("classes")
        progress.stop_reason, passes = None, len(self.order)
        progress.epochs = progress.epoch + epochs
        progress.total_rows = progress.rows + epochs * part.n_rows
        fit = IncrementalFit(
            self._learns,
            arguments,
            score=progressive(setup.fit, setup.evaluation),
            weights=weights,
            inspect=None
            if goes_on
            else inspection(self._stages, self._learns, part, arguments, _warn),
            callbacks=setup.callbacks,
            progress=progress,
        )
        source = setup.stream.source(part, self._stages.transform)

        def open_epoch(epoch: int) -> Generator[Block]:
            self.order.append(setup.stream.order(part.n_blocks, passes + epoch))
            return setup.stream.epoch(source, passes + epoch)

        with one_core():
            fit_loop([fit], open_epoch)


def _warn(remark: Remark) -> None:
    say([remark], strict=False)


def parted(estimator: Any) -> tuple[dict[str, Any], Any]:
    """Return the steps of a Pipeline that do something before the last, and the last.

    Examples
    --------
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> parted(Pipeline([("none", "passthrough"), ("scaler", MinMaxScaler()), ("last", 1)]))
    ({'scaler': MinMaxScaler()}, 1)
    """
    if not isinstance(estimator, Pipeline):
        return {}, estimator
    *before, (_, last) = estimator.steps
    does_nothing = (None, "passthrough")
    return {name: step for name, step in before if step not in does_nothing}, last


def in_memory(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``partial_fit`` with ``classes`` as lists, computed once if lazy.

    Raises
    ------
    ConfigError
        If another one is lazy.

    Examples
    --------
    >>> in_memory({"classes": np.array([0, 1])})
    {'classes': [0, 1]}
    """
    for name, value in arguments.items():
        if name != "classes" and is_lazy(value):
            raise ConfigError(
                f"The argument {name} of partial_fit",
                "be in memory, because each block is learned with all of it",
                got=type(value).__name__,
                remedy="Compute it first.",
            )
    if "classes" not in arguments:
        return dict(arguments)
    (classes,) = compute(arguments["classes"])
    return {**arguments, "classes": _listed(classes)}


def _listed(classes: Any) -> Any:
    """Return labels as lists, of plain values where these keep the type."""
    if classes is None or isinstance(classes, str):
        return classes
    if isinstance(classes, list | tuple):
        return [_listed(each) if np.ndim(each) else each for each in classes]
    labels = np.asarray(classes)
    plain = labels.tolist()
    return plain if np.asarray(plain).dtype == labels.dtype else list(labels)
