"""The state of a learner, apart from the objects that have it."""

import pickle
from io import BytesIO
from typing import Any

import numpy as np


def parts_of(learner: Any) -> list[Any]:
    """Return the learner, and its steps if it is a pipeline whose stages learn with it."""
    return [learner, *getattr(learner, "named_steps", {}).values()]


def state_of(learner: Any) -> list[dict[str, Any]]:
    """Return what the parts of a learner hold; not a copy."""
    return [vars(part) for part in parts_of(learner)]


def set_state(learner: Any, state: list[dict[str, Any]]) -> None:
    """Give the parts of a learner another state, in place."""
    for part, held in zip(parts_of(learner), state, strict=True):
        part.__dict__ = held


def dumps(learner: Any, value: Any) -> bytes:
    """Pickle something that may refer to the parts of a learner, which are not pickled.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> one, other = SGDClassifier(alpha=0.1), SGDClassifier()
    >>> loads(other, dumps(one, [one, "rows"])) == [other, "rows"]
    True
    >>> set_state(other, loads(other, dumps(one, state_of(one))))
    >>> other.alpha
    0.1
    """
    stream = BytesIO()
    _Pickler(stream, learner).dump(value)
    return stream.getvalue()


def loads(learner: Any, content: bytes) -> Any:
    """Return what was pickled, with the parts of this learner in the place of that one's."""
    return _Unpickler(BytesIO(content), learner).load()


class _Pickler(pickle.Pickler):
    def __init__(self, stream: BytesIO, learner: Any) -> None:
        super().__init__(stream, pickle.HIGHEST_PROTOCOL)
        self._numbers = {id(part): number for number, part in enumerate(parts_of(learner))}

    def persistent_id(self, obj: Any) -> int | None:
        return self._numbers.get(id(obj))

    def reducer_override(self, obj: Any) -> Any:
        # A part of a larger array would come back in the order of C, and the last bits of a
        # product depend on which axis is next to which in memory.
        if type(obj) is np.ndarray and not obj.flags.forc:
            return obj.copy(order="K").__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: BytesIO, learner: Any) -> None:
        super().__init__(stream)
        self._parts = parts_of(learner)

    def persistent_load(self, pid: Any) -> Any:
        return self._parts[pid]
