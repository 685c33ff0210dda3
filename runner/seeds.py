"""One seed, and the independent random streams that follow from it."""

import zlib
from typing import Any

import numpy as np


def derive(seed: int, *keys: str | int) -> np.random.SeedSequence:
    """Derive the seed of one use of chance from the experiment's seed.

    The same seed and keys always give the same stream, whatever else was drawn before, and
    different keys give independent streams (NumPy's ``SeedSequence`` spawn keys).

    Parameters
    ----------
    seed : int
        The experiment's seed, at least 0.
    *keys : str or int
        What the chance is for, such as ``"order", epoch``.

    Examples
    --------
    >>> import numpy as np
    >>> np.random.default_rng(derive(10, "order", 0)).permutation(5)
    array([0, 3, 4, 1, 2])
    >>> np.random.default_rng(derive(10, "order", 1)).permutation(5)
    array([1, 0, 3, 4, 2])
    """
    spawn_key = tuple(zlib.crc32(key.encode()) if isinstance(key, str) else key for key in keys)
    return np.random.SeedSequence(seed, spawn_key=spawn_key)


def uniform_rows(sequence: np.random.SeedSequence, start: int, stop: int) -> np.ndarray:
    """Draw one number of [0, 1) for each of the rows [start, stop), each row always the same.

    The counter of the Philox generator (Salmon et al., *Parallel random numbers: as easy as
    1, 2, 3*, SC 2011) is moved to the row, so the cost does not depend on ``start``.

    Returns
    -------
    ndarray of shape (stop - start,), float64

    Examples
    --------
    >>> whole = uniform_rows(derive(0, "split"), 0, 1000)
    >>> bool((uniform_rows(derive(0, "split"), 123, 457) == whole[123:457]).all())
    True
    """
    per_step = 4  # one counter step of Philox4x64 yields four doubles
    bits = np.random.Philox(sequence).advance(start // per_step)
    skipped = start % per_step
    return np.random.Generator(bits).random(stop - start + skipped)[skipped:]


def seed_estimator(estimator: Any, seed: int) -> None:
    """Set every ``random_state`` that is None, also those of estimators inside.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklearn.multiclass import OneVsRestClassifier
    >>> nested = OneVsRestClassifier(SGDClassifier())
    >>> seed_estimator(nested, 10)
    >>> nested.estimator.random_state
    10
    """
    if not hasattr(estimator, "get_params"):
        return
    unset = [
        name
        for name, value in estimator.get_params(deep=True).items()
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    if unset:
        estimator.set_params(**dict.fromkeys(unset, seed))
