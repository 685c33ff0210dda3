"""How a single stage comes by what it knows: not at all, from the first block, or from each."""

from enum import IntEnum
from typing import Any


class Need(IntEnum):
    """How many training blocks a stage must see before it can transform."""

    NOTHING = 0
    FIRST_BLOCK = 1
    EVERY_BLOCK = 2


class Learning:
    """One stage learning from training blocks, in place.

    A stage that needs the first block only is finished with it; what comes after is ignored.

    Parameters
    ----------
    key : str
        Where the stage stands in the file, for messages.
    stage : transformer
        What learns.
    need : Need
        How many blocks that takes.
    first_block_only : tuple of str
        The stages in it, by key, whose state depends on the values of the first block's rows, and
        would be another had they seen all rows.
    """

    def __init__(
        self, key: str, stage: Any, need: Need, first_block_only: tuple[str, ...] = ()
    ) -> None:
        self.key = key
        self.stage = stage
        self.need = need
        self.first_block_only = first_block_only
        self.columns: tuple[str, ...] | None = None
        self._is_done = False

    def learn(self, X: Any, y: Any = None) -> None:
        """Learn from one more block of at least one row."""
        if self.need is Need.EVERY_BLOCK:
            self._learn(X, y)
        elif not self._is_done:
            self._learn(X, y)
            self._finish()
            self._is_done = True

    def finish(self) -> None:
        """Make the stage able to transform, after the last block."""
        if self.need is Need.EVERY_BLOCK:
            self._finish()

    def name_columns(self, names: tuple[str, ...] | None, *, is_frame: bool) -> None:
        """Take the names of the columns of X, where they are known."""
        self.columns = names

    def _learn(self, X: Any, y: Any) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        """Do nothing, which is enough for a stage that is ready after each block."""


class Once(Learning):
    """A stage that is fitted on one block."""

    def _learn(self, X: Any, y: Any) -> None:
        self.stage.fit(X, *_target(y))


class BlockByBlock(Learning):
    """A stage with a ``partial_fit`` of its own, the only kind that may go on learning.

    Examples
    --------
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> learning = BlockByBlock("preprocessing.scaler", MinMaxScaler())
    >>> for block in ([[0.0], [2.0]], [[4.0]]):
    ...     learning.learn(block)
    >>> learning.stage.transform([[1.0]])
    array([[0.25]])
    """

    def __init__(self, key: str, stage: Any) -> None:
        super().__init__(key, stage, Need.EVERY_BLOCK)

    def _learn(self, X: Any, y: Any) -> None:
        self.stage.partial_fit(X, *_target(y))


def _target(y: Any) -> tuple[Any, ...]:
    return () if y is None else (y,)
