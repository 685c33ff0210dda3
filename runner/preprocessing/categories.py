"""An encoder whose categories are gathered block by block."""

from typing import Any

import numpy as np
from sklearn.base import clone

from runner.errors import ConfigError, FitError
from runner.preprocessing.learning import Learning, Need

MOST_VALUES = 10_000


class Categories(Learning):
    """A OneHotEncoder or OrdinalEncoder that finds its categories in the training blocks.

    Each block is encoded on its own, which finds its values as scikit-learn does, missing ones
    included. What was found so far is a table that holds each value of each column, and the
    encoder is fitted on it in the end: its state is that of a fit on all rows at once.

    Raises
    ------
    ConfigError
        If rare values are to be put together, which needs their counts.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import OrdinalEncoder
    >>> learning = Categories("preprocessing.words", OrdinalEncoder())
    >>> for block in ([["b"], ["a"]], [["c"]]):
    ...     learning.learn(np.array(block, dtype=object))
    >>> learning.finish()
    >>> learning.stage.categories_
    [array(['a', 'b', 'c'], dtype=object)]
    """

    def __init__(self, key: str, stage: Any) -> None:
        super().__init__(key, stage, Need.EVERY_BLOCK)
        self._found: Any = None
        for name in ("min_frequency", "max_categories"):
            if getattr(stage, name) is not None:
                raise ConfigError(
                    f"{key}.{name}",
                    "be left out where the categories are found block by block",
                    got=repr(getattr(stage, name)),
                    remedy=f"Remove it, or list the categories under {key}.categories.",
                )

    def _learn(self, X: Any, y: Any) -> None:
        found = self._values_of(X)
        if self._found is not None:
            found = self._values_of(_joined(self._found, found))
        self._found = found

    def _finish(self) -> None:
        if self._found is not None:  # it is where a ColumnTransformer has no column for the stage
            self.stage.fit(self._found)

    def _values_of(self, X: Any) -> Any:
        """Return a table of the distinct values of each column, padded by repetition."""
        finder = clone(self.stage)
        if hasattr(finder, "drop"):  # what is to be dropped need not be in every block
            finder.set_params(drop=None)
        values = finder.fit(X).categories_
        for position, column in enumerate(values):
            if len(column) > MOST_VALUES:
                raise FitError(
                    self.key,
                    f"meet at most {MOST_VALUES} values in a column",
                    got=f"more in {self._name(X, position)}",
                    remedy="Hash this column by FeatureHasher, or leave it out.",
                )
        n_rows = max(map(len, values))
        padded = [np.resize(column, n_rows) for column in values]
        if hasattr(X, "iloc"):
            return _frame(X, padded)
        return np.column_stack(padded)

    def _name(self, X: Any, position: int) -> str:
        names = list(X.columns) if hasattr(X, "iloc") else self.columns
        if names is None or len(names) != X.shape[1]:
            return f"column {position} of its columns"
        return f"column {names[position]!r}"


def _joined(found: Any, more: Any) -> Any:
    if not hasattr(found, "iloc"):
        return np.concatenate([found, more])
    columns = (np.concatenate(pair) for pair in zip(_columns(found), _columns(more), strict=True))
    return _frame(found, list(columns))


def _columns(frame: Any) -> list[np.ndarray]:
    return [frame.iloc[:, position].to_numpy() for position in range(frame.shape[1])]


def _frame(like: Any, columns: list[np.ndarray]) -> Any:
    import pandas as pd

    series = [pd.Series(column, dtype=column.dtype) for column in columns]
    return pd.concat(series, axis=1).set_axis(like.columns, axis=1)
