"""What a fitted estimator says of rows: lazily, block by block, where the rows are lazy."""

import warnings
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any
from uuid import uuid4

import dask.array as da
import numpy as np
from dask._task_spec import DataNode, TaskRef
from dask.array.utils import meta_from_array
from dask.base import compute
from dask.highlevelgraph import HighLevelGraph

from runner.dataset.given import is_lazy, lazy
from runner.dataset.lazy import by_block
from runner.errors import DatasetError, FitError, cause

METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
    "transform",
    "inverse_transform",
)


def answer(estimator: Any, method: str, X: Any, meta: Any = None) -> Any:
    """Ask a fitted estimator about rows.

    Parameters
    ----------
    estimator : fitted estimator
        What answers, as it is now: a lazy answer does not change if it goes on learning.
    method : str
        One of ``METHODS`` that it has.
    X : rows as ``given`` takes them
        Dask's are not computed, but for a single row where one of zeros is refused.
    meta : array, optional
        Any array like the answers, in type and in shape but for the rows. Without it the estimator
        is asked about one row of zeros, or else about the first row of X.

    Returns
    -------
    Dask array, or what the estimator returns for rows in memory
        In the row blocks of X; a list of arrays where the estimator returns a list, one for each
        output. Blocks without rows have answers without rows.

    Raises
    ------
    FitError
        When it is computed, if the estimator refuses a block.

    Examples
    --------
    >>> from sklearn.preprocessing import PolynomialFeatures
    >>> stage = PolynomialFeatures().fit([[1.0, 2.0]])
    >>> answer(stage, "transform", da.ones((5, 2), chunks=(3, 1)))
    dask.array<transform, shape=(5, 6), dtype=float64, chunksize=(3, 6), chunktype=numpy.ndarray>
    """
    if not is_lazy(X):
        return getattr(estimator, method)(X)
    rows, frame = lazy(X)
    if rows.ndim > 1 and rows.numblocks[1] > 1:
        rows = rows.rechunk({1: -1})
    asking = _Asking(deepcopy(estimator), method)
    like = asking.about_none(rows, frame) if meta is None else np.asarray(meta)[:0]
    if not isinstance(like, list):
        return _blocks(method, rows, like, asking, like)
    every = _blocks(method, rows, np.empty(0, object), asking, like)
    return [_blocks(method, every, each, _pick, k) for k, each in enumerate(like)]


class Computed:
    """Looks like a fitted estimator, but that its answers about lazy rows are in memory.

    It is what a scorer is called with that expects NumPy arrays.
    """

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator

    def __getattr__(self, name: str) -> Any:
        """Return what the estimator has."""
        found = getattr(self._estimator, name)
        if name not in METHODS:
            return found

        @wraps(found)
        def computed(X: Any) -> Any:
            return compute(answer(self._estimator, name, X))[0]

        return computed


class _Asking:
    """Asks one method about blocks."""

    def __init__(self, estimator: Any, method: str) -> None:
        self._estimator = estimator
        self._method = method

    def __call__(self, block: Any, number: int, like: Any) -> Any:
        if not block.shape[0]:
            return like
        try:
            return self._ask(block)
        except Exception as error:
            raise FitError(
                f"Block {number}",
                f"hold rows as {type(self._estimator).__name__} learned them, for its "
                f"{self._method}",
                got=cause(error),
                remedy="Make the rows like those of the fit, with the same features.",
            ) from error

    def about_none(self, rows: da.Array, frame: Any) -> Any:
        """Return the answer about no rows, which has the type and the width of all answers."""
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                told = self._ask(_row_of_zeros(rows, frame))
        except Exception:  # noqa: BLE001  (any estimator may refuse such a row, in its own way)
            number, row = _first_row(rows)
            told = self(row, number, None)
        return [each[:0] for each in told] if isinstance(told, list) else told[:0]

    def _ask(self, block: Any) -> Any:
        told = getattr(self._estimator, self._method)(block)
        return told.to_numpy() if hasattr(told, "to_numpy") else told


def _row_of_zeros(rows: da.Array, frame: Any) -> Any:
    if frame is not None:
        from dask.dataframe.dispatch import meta_nonempty

        return meta_nonempty(frame).iloc[:1]
    meta = meta_from_array(rows)
    if hasattr(meta, "tocsr"):
        return type(meta)((1, *rows.shape[1:]), dtype=rows.dtype)
    if rows.dtype.kind in "OUST":
        return np.full((1, *rows.shape[1:]), "", dtype=rows.dtype)
    return np.zeros((1, *rows.shape[1:]), dtype=rows.dtype)


def _first_row(rows: da.Array) -> tuple[int, Any]:
    for number in range(rows.numblocks[0]):
        block = rows.blocks[number].compute(scheduler="sync")
        if block.shape[0]:
            return number, block[:1]
    raise DatasetError("X", "have at least one row", got="none", remedy="Check its source.")


def _blocks(
    method: str, source: da.Array, like: Any, function: Callable[..., Any], argument: Any
) -> da.Array:
    """Return an array whose every block is ``function(block, number, argument)``."""
    name = f"{method}-{uuid4().hex}"
    called = f"asked-{name}"
    columns = (0,) * (source.ndim - 1)
    calls = [
        (_call, TaskRef(called), TaskRef((source.name, number, *columns)), number, argument)
        for number in range(source.numblocks[0])
    ]
    graph = HighLevelGraph(
        {**source.dask.layers, called: {called: DataNode(called, function)}},
        {**source.dask.dependencies, called: set()},
    )
    chunks = (source.chunks[0], *((width,) for width in like.shape[1:]))
    return by_block(name, graph, (called, source.name), calls, chunks=chunks, meta=like)


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def _pick(told: list[Any], _: int, output: int) -> Any:
    return told[output]
