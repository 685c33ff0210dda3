"""What two runs are compared by: hashes of the model, of the rows and of their order."""

from collections.abc import Mapping
from copy import copy
from typing import Any

import numpy as np
from joblib.hashing import NumpyHasher

from runner.base import Part
from runner.tracking.ledger import Ledger
from runner.tracking.tags import CONTENT, MODEL_HASH, ORDER_HASH

_LABELS = "biuOSUT"


ADDRESS = (
    "_stop_words_id"  # where an object lies in memory, which text vectorizers of sklearn keep
)


class _Hasher(NumpyHasher):  # type: ignore[misc]
    """Hashes as joblib does, but for what depends on the process: where something lies in memory.

    That is the order of an array, which may be another in a copy, and an address.
    """

    def save(self, obj: Any) -> None:
        """Hash a part."""
        if type(obj) is np.ndarray:
            obj = np.array(obj, order="C")
        elif ADDRESS in getattr(obj, "__dict__", ()):
            obj = copy(obj)
            del obj.__dict__[ADDRESS]
        super().save(obj)


def model_tags(model: Any) -> dict[str, str]:
    """Return the tag that holds the hash of a model; none of one that cannot be pickled.

    Examples
    --------
    >>> model_tags({"coef": 1.5}) == model_tags({"coef": 1.5}) != model_tags({"coef": 1.0})
    True
    >>> model_tags(lambda rows: rows)
    {}
    """
    try:
        return {MODEL_HASH: str(_Hasher("md5").hash(model))}
    except Exception:  # noqa: BLE001  (a model may hold anything, and a run is worth more)
        return {}


def ledger_tags(ledger: Ledger) -> dict[str, str]:
    """Return the tag that holds the hash of the order in which blocks were learned."""
    return {ORDER_HASH: ledger.order_hash()}


def content_tags(hashes: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that hold what the parts of a dataset hold.

    Examples
    --------
    >>> content_tags({"train": "5f"})
    {'runner.content.train': '5f'}
    """
    return {f"{CONTENT}{part}": value for part, value in hashes.items()}


def has_labels(parts: Mapping[str, Part]) -> bool:
    """Say whether what is learned are labels, which can be counted: integers, booleans or text."""
    y = parts["train"].y if "train" in parts else None
    return y is not None and y.dtype.kind in _LABELS
