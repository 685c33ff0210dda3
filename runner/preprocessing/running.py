"""Stages that go on learning, block by block, along with the estimator behind them."""

from functools import wraps
from typing import Any

from sklearn.pipeline import Pipeline

from runner.preprocessing.kinds import learning_of
from runner.preprocessing.learning import Learning


class RunningPipeline(Pipeline):  # type: ignore[misc]
    """A Pipeline with a ``partial_fit``: each step learns a block, and hands it on transformed.

    Its predictions are those of a Pipeline, so that a block which is scored before it is learned
    meets the stages as they were before it. Steps without a ``partial_fit`` are fitted on the
    first block.

    Examples
    --------
    >>> from sklearn.linear_model import SGDRegressor
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> learner = RunningPipeline([("scaler", MinMaxScaler()), ("estimator", SGDRegressor())])
    >>> for X, y in (([[0.0], [1.0]], [0.0, 1.0]), ([[9.0]], [1.0])):
    ...     _ = learner.partial_fit(X, y)
    >>> learner["scaler"].data_max_
    array([9.])
    """

    _learnings: list[Learning]

    @property
    def called(self) -> str:
        """What learns, for messages."""
        return ", ".join(type(step).__name__ for _, step in self.steps)

    @property
    def partial_fit(self) -> Any:
        """The method; its signature is that of the estimator's."""
        estimator = self.steps[-1][1]

        @wraps(estimator.partial_fit)
        def partial_fit(X: Any, y: Any = None, **arguments: Any) -> "RunningPipeline":
            for learning in self._stages():
                learning.learn(X, y)
                X = learning.stage.transform(X)
            estimator.partial_fit(X, *(() if y is None else (y,)), **arguments)
            return self

        return partial_fit

    def _stages(self) -> list[Learning]:
        if not hasattr(self, "_learnings"):
            self._learnings = [
                learning_of(f"preprocessing.{name}", stage) for name, stage in self.steps[:-1]
            ]
        return self._learnings
