"""Learn in processes what holds Python's global lock, from blocks in shared memory."""

import mmap
import os
import pickle
import queue
import signal
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
import sklearn
from joblib.externals.loky import ProcessPoolExecutor
from sklearn.decomposition import LatentDirichletAllocation, MiniBatchDictionaryLearning
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor

from runner.errors import FitError
from runner.fit.incremental_fit import IncrementalFit
from runner.one_core import one_core

# Those that two threads learn hardly faster than one, and two processes do: see
# benchmarks/threads.py. Birch would be one more, but its tree is too deep to be sent.
LOCKING = (
    LatentDirichletAllocation,
    MiniBatchDictionaryLearning,
    MLPClassifier,
    MLPRegressor,
    OneVsOneClassifier,
    OneVsRestClassifier,
)
WORTH_S = 20.0  # of learning left, below which starting processes costs more than it spares
WATCH_S = 1.0
SENDING_S = 5e-9  # for a byte of an estimator, there and back


@dataclass(frozen=True)
class SharedArray:
    """Where another process of this user finds an array, as long as this one keeps it open."""

    path: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: Literal["C", "F"]

    def view(self) -> np.ndarray:
        """Return the array, as it lies in the other process; it cannot be written."""
        with open(self.path, "rb") as file:  # noqa: PTH123  (no path of the file system)
            memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        return np.ndarray(self.shape, self.dtype, memory, order=self.order)


class Processes:
    """A few processes, each of which learns a block with one estimator at a time.

    An estimator goes there and back with every block, so it is always whole here. The blocks lie
    in memory that has no name and is gone with this process, however that ends.

    Parameters
    ----------
    n_processes : int
        How many there are, once ``adopt`` found that they are worth it.

    Notes
    -----
    ``learn`` may be called from several threads at once.
    """

    def __init__(self, n_processes: int) -> None:
        self._n_processes = n_processes
        self._idle: queue.Queue[ProcessPoolExecutor] = queue.Queue()
        self._has_begun = False
        self._lock = Lock()
        self._shared: dict[int, tuple[np.ndarray, SharedArray, int]] = {}

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes."""
        self.release()
        while not self._idle.empty():
            self._idle.get().shutdown(wait=True, kill_workers=True)

    def adopt(self, fits: Sequence[IncrementalFit]) -> None:
        """Take over the fits that threads do not speed up, if enough is left to learn."""
        able = [fit for fit in fits if isinstance(fit.estimator, LOCKING)]
        if self._has_begun or self._n_processes < 2 or len(able) < 2:  # noqa: PLR2004
            return
        if sum(map(_seconds_left, able)) >= WORTH_S:
            self._has_begun = True
            able = [fit for fit in able if _is_light(fit)]
            for _ in range(self._n_processes if able else 0):
                self._idle.put(_executor())
            for fit in able:
                fit.learn_by = self.learn

    def learn(
        self, estimator: Any, X: Any, target: tuple[Any, ...], arguments: Mapping[str, Any]
    ) -> None:
        """Let an estimator learn one block, in place.

        Raises
        ------
        FitError
            If the process died.
        Exception
            What the estimator raises.
        """
        rows = [self._share(array) for array in (X, *target)]
        executor = self._idle.get()
        try:
            settings = sklearn.get_config()
            learned = executor.submit(_learn, estimator, rows, arguments, settings).result()
        except BrokenExecutor as error:
            executor.shutdown(wait=False, kill_workers=True)
            executor = _executor()
            raise FitError(
                f"The process in which {type(estimator).__name__} learned",
                "live on",
                got="one that was killed, as happens where memory runs out",
                remedy="Give it less to hold, or smaller dataset.chunks.",
            ) from error
        finally:
            self._idle.put(executor)
        estimator.__dict__ = learned.__dict__

    def release(self) -> None:
        """Let go of the block that was shared."""
        with self._lock:
            for _, _, descriptor in self._shared.values():
                os.close(descriptor)
            self._shared.clear()

    def _share(self, array: Any) -> Any:
        """Put an array where all processes can read it, once; what is no plain array is sent."""
        if not isinstance(array, np.ndarray) or array.dtype.hasobject or not array.size:
            return array
        with self._lock:
            if id(array) not in self._shared:  # which is its own as long as the array lives
                self._shared[id(array)] = (array, *_copied(array))
            return self._shared[id(array)][1]


def _executor() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(max_workers=1, initializer=_begin, initargs=(os.getpid(),))


def _begin(parent: int) -> None:
    """Leave Ctrl-C, which goes to all processes of a terminal, to the parent; end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os._exit(1)  # it was killed, and nobody waits for an answer


def _copied(array: np.ndarray) -> tuple[SharedArray, int]:
    is_f = array.flags.f_contiguous and not array.flags.c_contiguous
    order: Literal["C", "F"] = "F" if is_f else "C"
    descriptor = os.memfd_create("runner-block")
    os.ftruncate(descriptor, array.nbytes)
    with mmap.mmap(descriptor, array.nbytes) as memory:
        copy: Any = np.ndarray(array.shape, array.dtype, memory, order=order)
        copy[...] = array
        del copy
    path = f"/proc/{os.getpid()}/fd/{descriptor}"
    return SharedArray(path, array.dtype, array.shape, order), descriptor


def _learn(
    estimator: Any, rows: Sequence[Any], arguments: Mapping[str, Any], settings: dict[str, Any]
) -> Any:
    """Learn a block in another process, and return what learned."""
    X, *target = (array.view() if isinstance(array, SharedArray) else array for array in rows)
    with one_core(), sklearn.config_context(**settings):
        estimator.partial_fit(X, *target, **arguments)
    return estimator


def _is_light(fit: IncrementalFit) -> bool:
    """Say whether sending an estimator costs little beside learning a block."""
    sending_s = len(pickle.dumps(fit.estimator, pickle.HIGHEST_PROTOCOL)) * SENDING_S
    return sending_s < 0.2 * fit.progress.fit_s / max(fit.progress.blocks, 1)


def _seconds_left(fit: IncrementalFit) -> float:
    progress = fit.progress
    rows_left = (progress.total_rows or progress.rows) - progress.rows
    return progress.fit_s / max(progress.rows, 1) * rows_left
