"""Read any one block of a lazy part: one graph, made once, culled per block."""

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any, Self

import numpy as np
from dask._task_spec import convert_legacy_graph, execute_graph
from dask.optimization import cull

from runner.base import Block, LazyArray, Part, Place
from runner.errors import DatasetError, FitError, RunnerError, cause
from runner.remedies import remedy_of
from runner.stream.content import content
from runner.stream.retries import retried

Transform = Callable[[Any], Any]


class BlockSource:
    """The blocks of a part, each read on its own and in any order.

    The graph of X, y and weights is materialised once. A block is computed by culling its own
    tasks from it and running them in the calling thread, all three arrays in one go, so that
    what they share is read once. Slicing a Dask array per block instead would cost time that
    grows with the number of blocks.

    Parameters
    ----------
    part : Part
        Lazy arrays cut in the same row blocks.
    transform : callable, optional
        Applied to the X of each block as it is read: the stateless stages before the estimator.
    hashed : bool
        Set the ``content`` of each block of epoch 0, which is of what was read, before
        ``transform``.
    tolerant : bool
        Return a block that cannot be read as one without rows, with the ``error``, instead of
        raising that.
    retries : int
        How often a block is read again after an error that may pass.

    Notes
    -----
    Safe to call from several threads at once, as far as the part's own tasks are.
    """

    def __init__(
        self,
        part: Part,
        transform: Transform | None = None,
        *,
        hashed: bool = False,
        tolerant: bool = False,
        retries: int = 0,
    ) -> None:
        self.part = part
        self._transform = transform
        self._is_hashed, self._is_tolerant, self._retries = hashed, tolerant, retries
        arrays = [array for array in (part.X, part.y, part.sample_weight) if array is not None]
        graph: dict[Any, Any] = {}
        for array in arrays:
            graph.update(array.__dask_graph__())
        self._graph = convert_legacy_graph(graph)
        self._keys = list(zip(*(_block_keys(array) for array in arrays), strict=True))
        self._unread: frozenset[int] = frozenset()

    def without(self, indices: Iterable[int]) -> Self:
        """Return this source as it is where some blocks, by their index, cannot be read."""
        twin = copy(self)
        twin._unread = frozenset(indices)  # noqa: SLF001  (its own kind)
        return twin

    def unhashed(self) -> Self:
        """Return this source as it is where no ``content`` is asked for; both share the graph."""
        twin = copy(self)
        twin._is_hashed = False  # noqa: SLF001  (its own kind)
        return twin

    def read(self, index: int, epoch: int = 0, position: int = 0) -> Block:
        """Read one block.

        Parameters
        ----------
        index : int
            Which of the part's blocks, from 0.
        epoch, position : int
            Which pass this is, and how many blocks came before in it.

        Raises
        ------
        DatasetError
            If the block cannot be read, or its arrays have different lengths.
        FitError
            If a stage before the estimator refuses the block. Neither is raised where the source
            is tolerant.
        """
        started = perf_counter()
        try:
            block = self._read(index, epoch)
        except RunnerError as error:
            if not self._is_tolerant:
                raise
            _let_go(error)
            nothing = np.empty((0, 1))
            block = Block(nothing, None, None, self.part.places[index], error=error)
        load_s = perf_counter() - started
        return replace(block, epoch=epoch, position=position, load_s=load_s)

    def _read(self, index: int, epoch: int) -> Block:
        place = self.part.places[index]
        if index in self._unread:
            raise DatasetError(
                place.subject,
                "be readable",
                got="one that was not when it was to be learned",
                remedy="Check the source of these rows.",
            )
        X, y, weight = retried(partial(self._compute, index, place), self._retries)
        rows = None if self.part.rows is None else self.part.rows(index)
        found = None
        if self._is_hashed and epoch == 0:
            following = np.arange(place.start, place.start + X.shape[0])
            found = content(X, y, weight, following if rows is None else rows)
        if self._transform is not None and X.shape[0]:
            X = self._transformed(self._transform, X, place)
        return Block(X, y, weight, place, rows=rows, content=found)

    def _compute(self, index: int, place: Place) -> tuple[Any, Any, Any]:
        keys = self._keys[index]
        tasks, _ = cull(self._graph, list(keys))
        try:
            found = execute_graph(tasks, keys=keys)
        except RunnerError as error:
            raise error.at(place) from error
        except Exception as error:
            raise DatasetError(
                place.subject,
                "be readable",
                got=cause(error),
                remedy="Check the source of these rows.",
            ) from error
        values = iter([found[key] for key in keys])
        X = next(values)
        y = next(values) if self.part.y is not None else None
        weight = next(values) if self.part.sample_weight is not None else None
        _check_lengths(place, X=X, y=y, sample_weight=weight)
        _check_weights(place, weight)
        return X, y, weight

    @staticmethod
    def _transformed(transform: Transform, X: Any, place: Place) -> Any:
        try:
            return transform(X)
        except RunnerError as error:
            raise error.at(place) from error
        except Exception as error:
            raise FitError(
                place.subject,
                "pass through preprocessing",
                got=cause(error),
                remedy=remedy_of(
                    error,
                    None,
                    "Check the stages under preprocessing against what the dataset holds.",
                ),
            ) from error


def _let_go(error: BaseException | None) -> None:
    """Drop what the tracebacks of an error and of its causes keep alive, such as the block."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _block_keys(array: LazyArray) -> list[Any]:
    return [row[0] if isinstance(row, list) else row for row in array.__dask_keys__()]


def _check_weights(place: Place, weight: Any) -> None:
    if weight is not None and len(weight) and np.min(weight) < 0:
        raise DatasetError(
            place.subject,
            "hold no negative sample weight",
            got=f"{np.min(weight)}",
            remedy="Correct the weights at the source, or name another dataset.sample_weight.",
        )


def _check_lengths(place: Place, **arrays: Any) -> None:
    lengths = {
        name: int(np.shape(array)[0]) for name, array in arrays.items() if array is not None
    }
    if len(set(lengths.values())) > 1:
        raise DatasetError(
            place.subject,
            "hold as many rows of each array",
            got=" and ".join(f"{n} of {name}" for name, n in lengths.items()),
            remedy="Make X, y and the weights from the same rows of the source.",
        )
