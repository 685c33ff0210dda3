"""A layer of a Dask graph whose tasks are made when they are asked for, and not kept."""

from collections.abc import Collection, Iterator, Mapping, Set
from typing import Any, Protocol

import numpy as np
from dask._task_spec import Task
from dask.highlevelgraph import Layer, MaterializedLayer
from dask.typing import Key


class Calls(Protocol):
    """What says of each block, by its index, what makes it."""

    def __getitem__(self, index: int, /) -> tuple[Any, ...]:
        """Return a function and its arguments, some of which refer to tasks."""


class BlockLayer(Layer):
    """One task per row block, each made anew whenever it is asked for.

    A layer of 100,000 blocks takes as much memory, and as many bytes when it is sent, as its
    calls do.

    Parameters
    ----------
    name : str
        Of the layer; the keys are ``(name, index)``, with a 0 for each further dimension.
    calls : Calls
        A list, or anything that makes the call of a block when it is asked for.
    n_blocks : int
    n_dimensions : int
        Of the blocks, at least 1.

    Examples
    --------
    >>> layer = BlockLayer("sums", [(sum, (1, 2)), (sum, (3, 4))], n_blocks=2, n_dimensions=1)
    >>> list(layer), layer["sums", 1]()
    ([('sums', 0), ('sums', 1)], 7)
    """

    def __init__(self, name: str, calls: Calls, n_blocks: int, n_dimensions: int) -> None:
        super().__init__()
        self.name = name
        self.calls = calls
        self.n_blocks = n_blocks
        self._columns = (0,) * (n_dimensions - 1)

    has_legacy_tasks = False

    def __getitem__(self, key: Key) -> Task:
        """Make the task of a block."""
        if key not in self:
            raise KeyError(key)
        return self._made(key)

    def __contains__(self, key: object) -> bool:
        """Say whether it is the key of a block."""
        if not isinstance(key, tuple) or key[:1] != (self.name,) or key[2:] != self._columns:
            return False
        index = key[1] if len(key) > 1 else None
        return isinstance(index, int | np.integer) and bool(0 <= index < self.n_blocks)

    def __iter__(self) -> Iterator[Key]:
        """Yield the keys of the blocks in order."""
        return ((self.name, index, *self._columns) for index in range(self.n_blocks))

    def __len__(self) -> int:
        """Return how many blocks there are."""
        return self.n_blocks

    def is_materialized(self) -> bool:
        """Say that no task is kept."""
        return False

    def get_output_keys(self) -> Set[Key]:
        """Return the keys of all blocks."""
        return self.keys()

    def cull(
        self, keys: set[Key], all_hlg_keys: Collection[Key]
    ) -> tuple[Layer, Mapping[Key, set[Key]]]:
        """Return the tasks of some blocks, and what they refer to."""
        if len(keys) == len(self):
            return self, {key: set(self[key].dependencies) for key in self}
        made = {key: self[key] for key in keys if key in self}
        return MaterializedLayer(made), {key: set(task.dependencies) for key, task in made.items()}

    def _made(self, key: Any) -> Task:
        function, *arguments = self.calls[key[1]]
        return Task(key, function, *arguments)
