"""Stages made of stages: one after the other, side by side, or each on columns of its own."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator

from runner.errors import ConfigError
from runner.preprocessing.columns import positions
from runner.preprocessing.learning import Learning, Need

SAMPLE = 100


class Composed(Learning):
    """A stage made of parts that learn, each in its way, in one pass."""

    def __init__(
        self, key: str, stage: Any, parts: Mapping[str, Learning], least: Need = Need.NOTHING
    ) -> None:
        need = max((part.need for part in parts.values()), default=least)
        first = tuple(name for part in parts.values() for name in part.first_block_only)
        super().__init__(key, stage, max(need, least), first)
        self._parts = parts

    def name_columns(self, names: tuple[str, ...] | None, *, is_frame: bool) -> None:
        """Tell each part the names of the columns of X, where they are known."""
        for part in self._parts.values():
            part.name_columns(names, is_frame=is_frame)

    def _finish(self) -> None:
        for part in self._parts.values():
            part.finish()


class Chain(Composed):
    """A Pipeline whose last step alone may need every block, so that one pass is enough.

    Raises
    ------
    ConfigError
        If a step before the last needs every block.
    """

    def __init__(self, key: str, stage: Any, parts: Mapping[str, Learning]) -> None:
        super().__init__(key, stage, parts)
        for part in list(parts.values())[:-1]:
            if part.need is Need.EVERY_BLOCK:
                raise ConfigError(
                    part.key,
                    "be the last step of its Pipeline, because it needs a pass over the blocks",
                    got=f"{type(part.stage).__name__} with a step after it",
                    remedy="Make each of the two a stage of its own under preprocessing.",
                )

    def _learn(self, X: Any, y: Any) -> None:
        *before, last = self._parts.values()
        for part in before:
            part.learn(X, y)
            X = part.stage.transform(X)
        last.learn(X, y)


class Union(Composed):
    """A FeatureUnion: each part learns from the same rows."""

    def _learn(self, X: Any, y: Any) -> None:
        for part in self._parts.values():
            part.learn(X, y)


class Columns(Composed):
    """A ColumnTransformer: each part learns from its own columns, all in one pass.

    A ColumnTransformer hands the columns of each block to the parts, so what columns mean is
    scikit-learn's. In the end the learned parts, frozen, are fitted on a few rows of the first
    block, which sets the rest of the state: these rows decide whether the output is sparse.

    Parameters
    ----------
    parts : mapping of str to Learning
        By name; ``remainder`` is one of them if it is a transformer.
    """

    def __init__(self, key: str, stage: Any, parts: Mapping[str, Learning]) -> None:
        super().__init__(key, stage, parts, Need.FIRST_BLOCK)
        self._sample: Any = None

    def name_columns(self, names: tuple[str, ...] | None, *, is_frame: bool) -> None:
        """Turn the names of the columns of each part into positions, where X is an array."""
        self.stage.transformers = [
            (name, part, positions(self.key, columns, names, is_frame=is_frame))
            for name, part, columns in self.stage.transformers
        ]
        for name, _, columns in self.stage.transformers:
            if name in self._parts:
                self._parts[name].name_columns(_named(columns, names), is_frame=is_frame)

    def _learn(self, X: Any, y: Any) -> None:
        if self._sample is None:
            self._sample = X[:SAMPLE].copy()
        listeners = {name: _Listener(part) for name, part in self._parts.items()}
        ColumnTransformer(
            [
                (name, listeners.get(name, "drop"), columns)
                for name, _, columns in self.stage.transformers
            ],
            remainder=listeners.get("remainder", "drop"),
        ).fit(X, y)

    def _finish(self) -> None:
        stage = self.stage
        super()._finish()
        if self._sample is None:
            return
        given, remainder = stage.transformers, stage.remainder
        stage.transformers = [(name, _frozen(part), columns) for name, part, columns in given]
        stage.remainder = _frozen(remainder)
        stage.fit(self._sample)
        stage.transformers_ = [
            (name, _thawed(part), columns) for name, part, columns in stage.transformers_
        ]
        stage.transformers = [(name, _unfitted(part), columns) for name, part, columns in given]
        stage.remainder = _unfitted(remainder)
        stage._remainder = ("remainder", stage.remainder, stage._remainder[2])  # noqa: SLF001


class _Listener:
    """What a ColumnTransformer takes for a transformer, and hands its columns to."""

    def __init__(self, learning: Learning) -> None:
        self._learning = learning

    def __sklearn_clone__(self) -> "_Listener":
        return self

    def fit(self, X: Any, y: Any = None) -> "_Listener":
        """Learn from one more block."""
        self._learning.learn(X, y)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return no columns, because nothing is made of them yet."""
        return np.empty((X.shape[0], 0))


def _frozen(part: Any) -> Any:
    return part if isinstance(part, str) else FrozenEstimator(part)


def _thawed(part: Any) -> Any:
    return part.estimator if isinstance(part, FrozenEstimator) else part


def _unfitted(part: Any) -> Any:
    return part if isinstance(part, str) else clone(part)


def _named(columns: Any, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return the names of the columns of a part, for messages, where they are listed."""
    if not isinstance(columns, list) or names is None:
        return None
    return tuple(names[c] if isinstance(c, int) else str(c) for c in columns)
