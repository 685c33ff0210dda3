"""One seed, and the independent random streams that follow from it."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

USES: dict[str, tuple[str, tuple[str, ...]]] = {
    "which blocks or rows are held out": ("dataset.seed", ("split",)),
    "the order of the blocks": ("stream.seed", ("order", "<epoch>")),
    "the mixing of rows in the buffer": ("stream.seed", ("rows", "<epoch>", "<position>")),
    "the order of bundled rows": ("dataset.random_state", ("rows",)),
    "the structure of made-up data": ("dataset.random_state", ("structure", "<name>")),
    "the rows of made-up data": ("dataset.random_state", ("cell", "<cell>")),
    "the brackets of Hyperband": ("seed", ("brackets",)),
}
_SEEDS = ("seed", "random_state")


def seed_log(params: Mapping[str, Any]) -> dict[str, Any]:
    """Say which seeds an experiment uses, and which random streams follow from them.

    Parameters
    ----------
    params : mapping of str to object
        The experiment's settings by dotted key.

    Returns
    -------
    dict
        ``seeds`` by key; and ``streams``, by what they are for: the seed that each follows from,
        its key, and the spawn key that ``numpy.random.SeedSequence`` takes with it. What stands
        in angle brackets is a number, or the CRC-32 of a name.

    Examples
    --------
    >>> log = seed_log({"seed": 10, "stream.seed": 3, "estimator.alpha": 1.0})
    >>> log["seeds"]
    {'seed': 10, 'stream.seed': 3}
    >>> log["streams"]["the order of the blocks"]
    {'key': 'stream.seed', 'seed': 3, 'spawn_key': [4113142680, '<epoch>']}
    """
    seeds = {key: value for key, value in params.items() if key.rpartition(".")[2] in _SEEDS}
    return {
        "seeds": seeds,
        "streams": {
            use: {"key": key, "seed": seeds[key], "spawn_key": list(map(_word, words))}
            for use, (key, words) in USES.items()
            if key in seeds
        },
    }


def _word(word: str) -> int | str:
    return word if word.startswith("<") else zlib.crc32(word.encode())


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
