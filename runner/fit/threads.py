"""Do something to several fits at the same time, on a few threads."""

import os
import traceback
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import TracebackType
from typing import Self

import sklearn

from runner.fit.incremental_fit import IncrementalFit
from runner.one_core import begin_thread

Action = Callable[[IncrementalFit], None]


class Threads:
    """A pool of threads that learn from the same block, each with another fit.

    scikit-learn's solvers release Python's global lock while they compute. An error in one fit is
    kept as its ``error`` and ends it alone; what ends a process in a fit, ``SystemExit``, too.

    Parameters
    ----------
    n_threads : int, optional
        As many as this process has cores, if not given. With 1 everything is done in the calling
        thread, in turn.

    Notes
    -----
    Each fit is used by one thread at a time. What Python does with warnings is one setting for
    all threads, which scikit-learn changes for a moment; it is set back after every call.
    """

    def __init__(self, n_threads: int | None = None) -> None:
        self.n_threads = n_threads or available_cores()
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Start the threads."""
        if self.n_threads > 1:
            self._pool = ThreadPoolExecutor(
                self.n_threads,
                thread_name_prefix="runner-fit",
                initializer=begin_thread,
                initargs=(sklearn.get_config(),),
            )
            # An interrupt while a thread starts would leave one that nobody waits for.
            all_there = Barrier(self.n_threads)
            for arrived in [self._pool.submit(all_there.wait) for _ in range(self.n_threads)]:
                arrived.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the threads and end them."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def __call__(self, action: Action, fits: Sequence[IncrementalFit]) -> None:
        """Return when it is done for all of them.

        What interrupts it cancels what has not begun, waits for what has, and ends the threads.
        """
        if self._pool is not None and len(fits) > 1:
            self._at_once(self._pool, action, fits)
        else:
            for fit in fits:
                _attempt(action, fit)

    def _at_once(
        self, pool: ThreadPoolExecutor, action: Action, fits: Sequence[IncrementalFit]
    ) -> None:
        # A thread may still hold its last task for a moment, but no longer the block in it.
        box = [action]
        slowest_first = sorted(fits, key=_seconds_per_block, reverse=True)
        with warnings.catch_warnings():
            try:
                for done in [pool.submit(_attempt_in, box, fit) for fit in slowest_first]:
                    done.result()
            except BaseException as error:
                self.__exit__(type(error), error, error.__traceback__)
                raise
            finally:
                box.clear()


def _seconds_per_block(fit: IncrementalFit) -> float:
    return fit.progress.fit_s / max(fit.progress.blocks, 1)


def _attempt_in(box: list[Action], fit: IncrementalFit) -> None:
    _attempt(box[0], fit)


def _attempt(action: Action, fit: IncrementalFit) -> None:
    try:
        action(fit)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (one fit must not cost the others)
        forget_blocks(error)
        fit.error = error


def forget_blocks(error: BaseException) -> None:
    """Let go what the functions that an error came through still hold: the block, above all.

    What a function has from around it, as a lambda may, stays with it.
    """
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        link = left.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        traceback.clear_frames(link.__traceback__)
        left += [link.__cause__, link.__context__]
        left += link.exceptions if isinstance(link, BaseExceptionGroup) else ()


def available_cores() -> int:
    """Return how many cores this process may use."""
    return (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
