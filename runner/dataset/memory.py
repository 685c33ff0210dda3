"""Whether the blocks that are alive at the same time have room in memory."""

import resource
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from dask._task_spec import DataNode, convert_legacy_graph
from dask.optimization import cull

from runner.base import LazyArray, Part
from runner.errors import ConfigError

GIB = 2**30
NUMBERS = "biufc"
ROOT = Path("/")


def check_memory(part: Part, prefetch: int, buffer_blocks: int, usable: int | None = None) -> None:
    """Refuse blocks of which as many as are alive at the same time have no room in memory.

    Nothing is said unless it is certain: of numbers whose blocks are made as they are read.

    Parameters
    ----------
    part : Part
        Only its metadata are looked at.
    prefetch, buffer_blocks : int
        As in ``stream``.
    usable : int, optional
        The bytes that this process may use; by default ``usable_nbytes()``.

    Raises
    ------
    ConfigError
        With both numbers, and a number of rows that fits.
    """
    usable = usable_nbytes() if usable is None else usable
    row_nbytes = _row_nbytes(part)
    n_alive = alive_blocks(prefetch, buffer_blocks)
    needed = min(n_alive, part.n_blocks) * max(part.X.chunks[0], default=0) * row_nbytes
    if usable is None or needed <= usable or not _is_read_anew(part.X):
        return
    rows = fitting_rows(usable, n_alive, row_nbytes)
    raise ConfigError(
        f"Blocks of {max(part.X.chunks[0]):,} rows, {min(n_alive, part.n_blocks)} of them at once",
        f"have room in the {usable / GIB:.1f} GiB of memory that this process may use",
        got=f"{needed / GIB:,.1f} GiB",
        remedy=f"Make dataset.chunks smaller, such as dataset.chunks={rows}."
        if rows
        else f"A row alone has {row_nbytes / GIB:,.1f} GiB: name fewer features.",
    )


def alive_blocks(prefetch: int, buffer_blocks: int) -> int:
    """Return how many blocks may be in memory at the same time, with what is made of them.

    Examples
    --------
    >>> alive_blocks(prefetch=2, buffer_blocks=0), alive_blocks(prefetch=2, buffer_blocks=10)
    (4, 15)
    """
    return prefetch + 2 + ceil(1.1 * buffer_blocks)


def fitting_rows(usable: int, n_alive: int, row_nbytes: int) -> int:
    """Return a round number of rows, of which blocks take at most half of the memory; or 0.

    Examples
    --------
    >>> fitting_rows(8 * GIB, n_alive=4, row_nbytes=1000)
    1000000
    """
    rows = usable // (2 * n_alive * row_nbytes)
    unit: int = 10 ** (len(str(rows)) - 1)
    return rows // unit * unit


def usable_nbytes(root: Path = ROOT) -> int | None:
    """Return how many more bytes this process may use; None where nothing tells.

    It is the least of what the kernel has available, what the control groups of this process
    leave, and what the limit of its address space leaves.

    Parameters
    ----------
    root : Path
        Where the kernel's files are.
    """
    known = [*_available(root), *_left_in_groups(root), *_left_of_address_space(root)]
    return min(known, default=None)


def _available(root: Path) -> Iterator[int]:
    for line in _read(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            yield 1024 * int(line.split()[1])


def _left_in_groups(root: Path) -> Iterator[int]:
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, limit, kind = "sys/fs/cgroup", "memory.max", "anon"
        elif "memory" in controllers.split(","):
            top, limit, kind = "sys/fs/cgroup/memory", "memory.limit_in_bytes", "total_rss"
        else:
            continue
        here = Path(path.lstrip("/"))
        for group in (here, *here.parents):
            folder = root / top / group
            most = _read(folder / limit).strip()
            if most.isdecimal():  # it is "max" where there is no limit
                yield max(int(most) - _held(folder, kind), 0)


def _held(folder: Path, kind: str) -> int:
    """Return the bytes that a group holds and that the kernel cannot take back."""
    for line in _read(folder / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name == kind:
            return int(value)
    return 0


def _left_of_address_space(root: Path) -> Iterator[int]:
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _read(root / "proc/self/statm").split()
    if most != resource.RLIM_INFINITY:
        held = int(pages[0]) * resource.getpagesize() if pages else 0
        yield max(most - held, 0)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def _row_nbytes(part: Part) -> int:
    """Return the bytes of a row of which the size is known by the types."""
    if part.frame is None:
        types, n_columns = [part.X.dtype], int(np.prod(part.X.shape[1:], dtype=object))
    else:
        types, n_columns = list(part.frame.dtypes), 1
    X = n_columns * sum(each.itemsize for each in types if each.kind in NUMBERS)
    y = part.y
    if y is None or y.dtype.kind not in NUMBERS:
        return X
    return X + y.dtype.itemsize * int(np.prod(y.shape[1:], dtype=object))


def _is_read_anew(X: LazyArray) -> bool:
    """Say whether it is sure that no block is in memory already, or sparse, or anybody's guess.

    The graph is looked at only now, when something seems to be too large.
    """
    layers = getattr(X.__dask_graph__(), "layers", {})
    if not isinstance(getattr(X, "_meta", None), np.ndarray) or any(map(_is_opaque, layers)):
        return False
    first = (X.name, *(0 for _ in X.shape))
    tasks, _ = cull(convert_legacy_graph(dict(X.__dask_graph__())), [first])
    return not any(map(_is_held, tasks.values()))


def _is_opaque(layer: str) -> bool:
    """Say whether Dask took somebody's word for what the blocks are."""
    return layer.startswith(("from-value", "partitions-"))


def _is_held(task: Any) -> bool:
    """Say whether a task is data, or only cuts rows off what is in memory."""
    if not isinstance(task, DataNode):
        return False
    held = task.value
    return (
        isinstance(held, np.ndarray)
        or hasattr(held, "tocsr")
        or hasattr(held, "iloc")
        or getattr(held, "is_in_memory", False)
    )
