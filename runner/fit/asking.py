"""Ask estimators about blocks where these are read: so no row of X is sent, and all cores ask."""

from collections.abc import Callable, Sequence
from copy import Error, deepcopy
from dataclasses import replace
from typing import Any

from runner.base import Block
from runner.elsewhere import answered

Question = Callable[[Block], Any]


class Asking:
    """What other processes or threads make of a block: answers to some questions, without rows.

    Where the questions cannot be sent, as of a Birch whose tree has grown too deep, the blocks
    are, and are asked about here. A thread that reads asks a copy of its own of a single
    question; several are asked here, in threads that fits have.

    Parameters
    ----------
    questions : sequence of callable
        ``question(block)`` returns an answer, which can be pickled; nothing is raised.

    Examples
    --------
    >>> import numpy as np
    >>> from runner.base import Place
    >>> block = Block(np.ones((2, 3)), None, None, Place(0, 0, 2))
    >>> light = Asking([lambda block: block.X.sum(), lambda block: block.n_rows])(block)
    >>> light.answers, light.X.shape
    ((np.float64(6.0), 2), (2, 3))
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        self._questions = tuple(questions)

    def __call__(self, block: Block) -> Block:
        """Return the block with the answers, in the order of the questions, in place of rows."""
        return answered(block, tuple(question(block) for question in self._questions))

    def __reduce__(self) -> tuple[Any, ...]:
        """Send the questions, if that can be done."""
        return (Asking, (self._questions,)) if _can_be_sent(self._questions) else (_Nothing, ())

    def __deepcopy__(self, memo: dict[int, Any]) -> "Asking":
        """Return what another thread of this process asks.

        Raises
        ------
        copy.Error
            If that cannot be done, or there are several questions.
        """
        if len(self._questions) != 1 or not _can_be_sent(self._questions):
            raise Error("it is asked where it is")
        return Asking(deepcopy(self._questions, memo))


class _Nothing:
    def __call__(self, block: Block) -> Block:
        return block


class _Nowhere:
    def write(self, content: bytes) -> None:
        pass


def own(block: Block, number: int) -> Block:
    """Return a block with the answer to one question alone, if it has answers.

    Examples
    --------
    >>> import numpy as np
    >>> from runner.base import Place
    >>> block = Block(np.ones((2, 3)), None, None, Place(0, 0, 2))
    >>> own(block, 1) is block, own(answered(block, ("yes", "no")), 1).answers
    (True, 'no')
    """
    return block if block.answers is None else replace(block, answers=block.answers[number])


def _can_be_sent(questions: Sequence[Question]) -> bool:
    """Pickle them for nothing, without copying the content of arrays."""
    import cloudpickle

    try:
        cloudpickle.Pickler(_Nowhere(), 5, lambda _: None).dump(questions)
    except Exception:  # noqa: BLE001  (anybody's estimator, or one that nests too deep)
        return False
    return True
