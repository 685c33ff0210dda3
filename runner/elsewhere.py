"""Blocks whose rows are in the memory of another process, and what is known of them here."""

import pickle
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock
from typing import Any, NoReturn, Protocol

from runner.base import Block
from runner.facts import examine

Then = Callable[[Block], Block]  # what other processes make of a block before they send it
DATA = "data"  # the placement in which the rows of blocks stay where they are read
MOST_LABELS = 100


class Held(Protocol):
    """A block that stays in the memory of another process."""

    @property
    def about(self) -> Any:
        """What ``about`` says of it."""

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return ``function(block, *arguments)``, called where the block is.

        It may be called again, elsewhere, with the block read anew.
        """


class Elsewhere:
    """Stands for an array of a block whose rows are elsewhere; what takes it for one fails.

    Parameters
    ----------
    shape : tuple of int
        That of X.
    held : Held, optional
        What asks for something to be done where the rows are.

    Notes
    -----
    ``ask`` may be called from several threads at once.

    Examples
    --------
    >>> Elsewhere((25, 3)).shape
    (25, 3)
    """

    def __init__(self, shape: tuple[int, ...], held: Held | None = None) -> None:
        self.shape = shape
        self._held = held
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to the process that is told of the rows."""
        return Elsewhere, (self.shape,)

    @property
    def ndim(self) -> int:
        """How many dimensions there are."""
        return len(self.shape)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse to be an array."""
        raise TypeError("these rows are in the memory of another process")

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return ``function(block, *arguments)``, called where the rows are."""
        assert self._held is not None, "only what was told of them can ask"  # noqa: S101
        with self._lock:
            return self._held.ask(function, *arguments)


def about(block: Block) -> Block:
    """Return what is to be known of a block elsewhere: all but its rows.

    Examples
    --------
    >>> import numpy as np
    >>> from runner.base import Place
    >>> y = np.array([0, 1, 1])
    >>> told = about(Block(np.ones((3, 2)), y, None, Place(0, 0, 3), load_s=0.5))
    >>> told.n_rows, told.load_s, told.y, label_counts(told)
    (3, 0.5, None, {'0': 1, '1': 2})
    """
    X = Elsewhere(tuple(map(int, block.X.shape)))
    return replace(block.examined(), X=X, y=None, sample_weight=None, rows=None)


def answered(block: Block, answers: Any) -> Block:
    """Return a block with what was made of its rows, in the place of the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from runner.base import Place
    >>> light = answered(Block(np.ones((3, 2)), np.zeros(3), None, Place(0, 0, 3)), "sums")
    >>> light.n_rows, light.answers, light.y.ndim, light.sample_weight
    (3, 'sums', 1, None)
    """
    X, y, weight = (
        None if array is None else Elsewhere(tuple(map(int, array.shape)))
        for array in (block.X, block.y, block.sample_weight)
    )
    return replace(block, X=X, y=y, sample_weight=weight, rows=None, answers=answers)


def standing_for(held: Held) -> Block:
    """Return the block that stands here for one that is held elsewhere."""
    told: Block = held.about
    return replace(told, X=Elsewhere(told.X.shape, held))


def n_bytes(value: Any) -> int:
    """Return how much there is to send of a value, in bytes; the content of arrays is not copied.

    Examples
    --------
    >>> import numpy as np
    >>> n_bytes((np.ones((1000, 10)), np.ones(1000), None)) // 1000
    88
    """
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return len(head) + sum(buffer.raw().nbytes for buffer in buffers)


def label_counts(block: Block) -> Mapping[str, int] | None:
    """Count the rows of each label, where they are integers, booleans or text.

    Returns
    -------
    mapping of str to int, or None
        None for other targets, for several outputs, and for more than 100 labels.

    Examples
    --------
    >>> import numpy as np
    >>> from runner.base import Place
    >>> label_counts(Block(np.ones((3, 1)), np.array(["b", "a", "b"]), None, Place(0, 0, 3)))
    {'a': 1, 'b': 2}
    """
    facts = block.facts or examine(None, block.y)
    if facts.labels is None or facts.n_rows is None or not 0 < len(facts.labels) <= MOST_LABELS:
        return None
    counts: Counter[str] = Counter()
    for label, n_rows in zip(facts.labels.tolist(), facts.n_rows.tolist(), strict=True):
        if not isinstance(label, str | int):
            return None
        counts[str(label)] += n_rows
    return dict(sorted(counts.items()))
