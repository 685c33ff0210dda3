"""Send arrays so that they arrive as they were made: in the same order, and free to be written."""

from collections.abc import Sequence
from io import BytesIO
from pickle import PickleBuffer
from pickle import loads as unpickled
from typing import Any, NamedTuple, TypeAlias

import cloudpickle
import numpy as np

Buffers: TypeAlias = Sequence[Any]


def dumps_apart(value: Any) -> tuple[bytes, list[PickleBuffer]]:
    """Pickle a value, with the content of its arrays apart and not copied.

    An array that is contiguous arrives contiguous in the same order. One that is not, such as
    every second row of a larger one, arrives with the same axes next to each other, and with gaps
    where it had some; they are as small as can be. Numerical libraries choose their ways by that,
    and the last bits of their results with it.

    Returns
    -------
    tuple of (bytes, list of PickleBuffer)
        What ``loads_apart`` takes; the buffers may be sent in any way that keeps their bytes.
    """
    stream, buffers = BytesIO(), list[PickleBuffer]()
    _Pickler(stream, protocol=5, buffer_callback=buffers.append).dump(value)
    return stream.getvalue(), buffers


def loads_apart(head: bytes, buffers: Buffers) -> Any:
    """Return the value; its arrays are writeable, aligned and share no memory with the buffers.

    Examples
    --------
    >>> columns = np.asfortranarray(np.eye(3))
    >>> came = loads_apart(*dumps_apart(columns))
    >>> came.flags.f_contiguous, came.flags.writeable, came.flags.owndata
    (True, True, True)
    """
    return unpickled(head, buffers=map(_copied, buffers))  # noqa: S301  (from our own workers)


def dumps(value: Any) -> bytes:
    """Pickle a value into one piece.

    Examples
    --------
    >>> loads(dumps(np.eye(3)[:, ::2])).flags.forc
    False
    """
    content: bytes = cloudpickle.dumps(dumps_apart(value), protocol=5)
    return content


def loads(content: bytes) -> Any:
    """Return the value that ``dumps`` pickled."""
    return loads_apart(*unpickled(content))  # noqa: S301


def n_bytes(value: Any) -> int:
    """Return how much there is to send, in bytes.

    Examples
    --------
    >>> n_bytes(np.zeros(1000)) // 1000
    8
    """
    head, buffers = dumps_apart(value)
    return len(head) + sum(buffer.raw().nbytes for buffer in buffers)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is np.ndarray:
            return _made, _parts(obj)
        if type(obj).__module__ == "pandas.core.internals.blocks":
            return obj.__reduce__()  # the way for protocol 5 puts its array in the order of C
        return super().reducer_override(obj)


def _copied(buffer: Any) -> np.ndarray:
    content = np.frombuffer(buffer, np.uint8)
    copy = np.empty(content.size, np.uint8)  # its start is aligned for numbers of any type
    copy[:] = content
    return copy


class _Layout(NamedTuple):
    """How an array lies in memory: its axes from the outermost, its gaps, its directions."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    axes: list[int]
    gaps: list[bool]
    backwards: list[bool]


def _parts(array: np.ndarray) -> tuple[_Layout, Any]:
    axes = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
    gaps, backwards = [False] * array.ndim, [False] * array.ndim
    extent = array.itemsize
    for axis in reversed(axes):
        if array.size and array.shape[axis] > 1:
            stride = array.strides[axis]
            gaps[axis], backwards[axis] = abs(stride) != extent, stride < 0
            extent = max(abs(stride), array.itemsize) * array.shape[axis]
    forwards = np.ascontiguousarray(_turned(array, backwards).transpose(axes).reshape(-1))
    return _Layout(array.dtype, array.shape, axes, gaps, backwards), _content(forwards)


def _content(forwards: np.ndarray) -> Any:
    if forwards.dtype.hasobject or forwards.dtype.kind == "T":
        return forwards.tolist()
    return PickleBuffer(forwards.view(np.uint8).data) if forwards.nbytes else b""


def _made(layout: _Layout, content: Any) -> np.ndarray:
    array = _turned(_empty(layout), layout.backwards)
    target = _turned(array, layout.backwards).transpose(layout.axes)
    target[...] = _elements(layout.dtype, content, array.size).reshape(target.shape)
    return array


def _elements(dtype: np.dtype[Any], content: Any, size: int) -> np.ndarray:
    if dtype.kind == "O":
        return np.fromiter(content, dtype, size)
    if isinstance(content, list):
        return np.array(content, dtype)
    if not len(content):
        return np.empty(size, dtype)
    return np.frombuffer(content, np.uint8).view(dtype)


def _empty(layout: _Layout) -> np.ndarray:
    dtype, shape, axes, gaps, _ = layout
    steps, extent = [1] * len(shape), 1
    for axis in reversed(axes):
        steps[axis] = extent + gaps[axis]
        extent = steps[axis] * shape[axis]
    for order in ("C", "F"):
        array = np.empty(shape, dtype, order=order)
        wanted = [step * array.itemsize for step in steps]
        if not array.size or all(map(_is_same, shape, array.strides, wanted)):
            return array
    within = np.empty(extent, dtype)
    for axis in axes:
        inner = steps[axis] - gaps[axis]
        within = within.reshape(*within.shape[:-1], shape[axis], steps[axis])[..., :inner]
    return within[..., 0].transpose(np.argsort(axes))


def _is_same(n: int, stride: int, wanted: int) -> bool:
    return n == 1 or stride == wanted


def _turned(array: np.ndarray, backwards: list[bool]) -> np.ndarray:
    if not any(backwards):
        return array
    turned: np.ndarray = array[
        tuple(slice(None, None, -1 if back else None) for back in backwards)
    ]
    return turned
