"""Any one block of a lazy part: of its tasks only those of that block are looked at."""

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import replace
from typing import Any, Self

from dask._task_spec import DataNode, GraphNode, convert_legacy_task
from dask.highlevelgraph import HighLevelGraph

from runner.base import Block, LazyArray, Part
from runner.stream.reading import Given, Keys, Reading, Transform, read


class BlockSource:
    """The blocks of a part, each read on its own and in any order.

    A block is computed by asking the graphs of X, y and weights for its own tasks, from its keys
    downwards, and running them in the calling thread, all three arrays in one go, so that what
    they share is read once. A layer that makes tasks when it is asked for them so keeps none.
    Slicing a Dask array per block instead would cost time that grows with the number of blocks.

    Parameters
    ----------
    part : Part
        Lazy arrays cut in the same row blocks.
    transform : callable, optional
        Applied to the X of each block as it is read: the stateless stages before the estimator.
    hashed : bool
        Set the ``content`` of each block of epoch 0, which is of what was read, before
        ``transform``, and the ``facts`` of each, which are of what is learned.
    tolerant : bool
        Return a block that cannot be read as one without rows, with the ``error``, instead of
        raising that.
    retries : int
        How often a block is read again after an error that may pass.

    Attributes
    ----------
    given : Given
        What is the same for all its blocks.

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
        self._arrays = (part.X, part.y, part.sample_weight)
        self._graph = HighLevelGraph.merge(
            *(array.__dask_graph__() for array in self._arrays if array is not None)
        )
        self._lost: frozenset[int] = frozenset()
        constants = self._constants()
        self.given = Given(transform, hashed, tolerant, retries, part.rows, constants)

    def without(self, indices: Iterable[int]) -> Self:
        """Return this source as it is where some blocks, by their index, cannot be read."""
        twin = copy(self)
        twin._lost = frozenset(indices)  # noqa: SLF001  (its own kind)
        return twin

    def unhashed(self) -> Self:
        """Return this source as it is where no ``content`` is asked for; both share the graph."""
        twin = copy(self)
        twin.given = replace(self.given, hashed=False)
        return twin

    def reading(self, index: int, epoch: int = 0, position: int = 0) -> Reading:
        """Return what reads one block, here or in another process.

        Parameters
        ----------
        index : int
            Which of the part's blocks, from 0.
        epoch, position : int
            Which pass this is, and how many blocks came before in it.
        """
        keys = Keys(*(_block_key(array, index) for array in self._arrays))
        tasks = self._tasks(keys, self.given.constants or {})
        place = self.part.places[index]
        return Reading(tasks, keys, place, epoch, position, index in self._lost)

    def read(self, index: int, epoch: int = 0, position: int = 0) -> Block:
        """Read one block in the calling thread, as ``runner.stream.reading.read`` does.

        Parameters
        ----------
        index, epoch, position : int
            As ``reading`` has them.
        """
        return read(self.given, self.reading(index, epoch, position))

    def _constants(self) -> dict[Any, DataNode]:
        """Return the data that the first and the last block share, as all others do."""
        ends = (0, len(self.part.X.chunks[0]) - 1)
        first, last = (
            self._tasks(Keys(*(_block_key(array, index) for array in self._arrays)), {})
            for index in ends
        )
        return {
            key: task for key, task in first.items() if isinstance(task, DataNode) and key in last
        }

    def _tasks(self, keys: Keys, known: Mapping[Any, Any]) -> dict[Any, GraphNode]:
        """Return the tasks that some keys need, but for those that are known."""
        tasks: dict[Any, GraphNode] = {}
        wanted = [key for key in keys if key is not None]
        while wanted:
            key = wanted.pop()
            if key not in tasks and key not in known:
                tasks[key] = task = self._task(key)
                wanted += task.dependencies
        return tasks

    def _task(self, key: Any) -> GraphNode:
        found = self._graph[key]
        if isinstance(found, GraphNode):
            return found
        task = convert_legacy_task(key, found, self._graph)
        return task if isinstance(task, GraphNode) else DataNode(key, task)


def _block_key(array: LazyArray | None, index: int) -> Any:
    return None if array is None else (array.name, index, *(0 for _ in array.shape[1:]))
