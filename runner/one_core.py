"""One core for each fit: what numerical libraries do with more changes bits, and helps little."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import scipy.linalg.blas  # noqa: F401  (so that its threads are found)
import sklearn.utils._openmp_helpers
from threadpoolctl import ThreadpoolController


@contextmanager
def one_core() -> Iterator[None]:
    """Let BLAS and OpenMP use one thread.

    With more, the sums of some estimators are added up in another order (MiniBatchKMeans,
    IncrementalPCA, MiniBatchNMF), so a model would depend on how many cores there are, and fits
    that learn side by side would wait for each other. The setting of BLAS is one for the process,
    that of OpenMP one for each thread: see ``one_core_here``.
    """
    _libraries.cache_clear()
    with _libraries().limit(limits=1):
        yield


def one_core_here() -> None:
    """Let OpenMP use one thread in the calling thread, for as long as it lives."""
    _libraries().limit(limits=1, user_api="openmp")


def begin_thread(settings: dict[str, Any]) -> None:
    """Compute in a new thread as the thread does that runs an experiment alone.

    Parameters
    ----------
    settings : dict
        Of scikit-learn, in the thread that starts this one.
    """
    sklearn.set_config(**settings)
    one_core_here()


@cache
def _libraries() -> ThreadpoolController:
    """Return the libraries that are loaded, which takes milliseconds to find."""
    return ThreadpoolController()
