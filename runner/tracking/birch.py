"""Birch in the format of skops, which knows no way to write the tree that Birch grows."""

from copy import copy
from typing import Any

TREE = ("root_", "dummy_leaf_")


def without_tree(model: Any) -> Any:
    """Return a model that skops can write and that predicts the same bits, if it holds a Birch.

    The nodes of its tree point at each other, and only learning needs them: what a Birch predicts
    follows from the centres of its subclusters. So a copy without the tree is kept, which cannot
    learn on. Any other model is returned as it is.

    Parameters
    ----------
    model : fitted estimator or Pipeline

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cluster import Birch
    >>> model = Birch(n_clusters=2).fit(np.array([[0.0], [0.1], [5.0]]))
    >>> kept = without_tree(model)
    >>> hasattr(kept, "root_"), (kept.predict([[4.0]]) == model.predict([[4.0]])).item()
    (False, True)
    """
    steps = getattr(model, "steps", None)
    if steps and any(_is_birch(step) for _, step in steps):
        pipeline = copy(model)
        pipeline.steps = [(name, without_tree(step)) for name, step in steps]
        return pipeline
    if not _is_birch(model):
        return model
    _let_skops_write_it()
    bare = copy(model)
    for name in TREE:
        vars(bare).pop(name, None)
    return bare


def _is_birch(model: Any) -> bool:
    return any(kind.__name__ == "Birch" for kind in type(model).__mro__)


def _let_skops_write_it() -> None:
    # skops refuses the class outright, because of the tree; the rest is attributes as any other's.
    from sklearn.cluster import Birch
    from skops.io._general import object_get_state
    from skops.io._utils import _get_state

    _get_state.register(Birch, object_get_state)
