"""Decoded row groups that several blocks share."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass

import pyarrow as pa


@dataclass
class _Group:
    table: Future[pa.Table]
    nbytes: int
    n_rows_left: int


class RowCache:
    """The row groups used last, decoded, in at most so many bytes.

    A group leaves when room is needed, or as soon as all its rows have been taken once, so that
    blocks read in their order keep one or two groups alive.

    Safe to use from several threads: of those that want the same group one decodes it, and the
    others wait for it.
    """

    def __init__(self, limit_nbytes: int) -> None:
        self.limit_nbytes = limit_nbytes
        self._groups: dict[Hashable, _Group] = {}
        self._lock = threading.Lock()

    def rows(
        self,
        key: Hashable,
        rows: tuple[int, int, int],
        nbytes: int,
        load: Callable[[], pa.Table],
    ) -> pa.Table:
        """Return some rows of a group.

        Parameters
        ----------
        key : hashable
            What tells the group from any other.
        rows : tuple of int
            The first wanted row, the one past the last, and how many rows the group has.
        nbytes : int
            How large the group is when decoded, about; at most the limit.
        load : callable
            Decodes the whole group.
        """
        start, stop, n_rows = rows
        group, is_new = self._take(key, stop - start, n_rows, nbytes)
        if is_new:
            try:
                group.table.set_result(load())
            except BaseException as error:
                self._drop(key, group)
                group.table.set_exception(error)
                raise
        return group.table.result().slice(start, stop - start)

    def _take(self, key: Hashable, taken: int, n_rows: int, nbytes: int) -> tuple[_Group, bool]:
        with self._lock:
            known = self._groups.pop(key, None)
            group = known or _Group(Future(), nbytes, n_rows)
            group.n_rows_left -= taken
            if group.n_rows_left > 0:
                self._make_room(nbytes)
                self._groups[key] = group
            return group, known is None

    def _make_room(self, nbytes: int) -> None:
        used = sum(group.nbytes for group in self._groups.values())
        for key in list(self._groups):
            if used + nbytes <= self.limit_nbytes:
                return
            used -= self._groups.pop(key).nbytes

    def _drop(self, key: Hashable, group: _Group) -> None:
        with self._lock:
            if self._groups.get(key) is group:
                del self._groups[key]
