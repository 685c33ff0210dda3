"""Which types and functions a model may hold that is read from a record."""

import numpy as np

# A file may name any function for a FunctionTransformer to call, so functions are trusted one by
# one; a class is only filled with what the file holds.
EXACT = frozenset(
    {
        "numpy.dtype",
        "numpy.mean",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        "scipy.interpolate._bsplines.BSpline",
        "sklearn.cluster._kmeans._kmeans_single_elkan",
        "sklearn.cluster._kmeans._kmeans_single_lloyd",
    }
)
SCORES = "sklearn.feature_selection."


def is_trusted(name: str) -> bool:
    """Say whether a model may hold this: scikit-learn's classes, and functions that only compute.

    Parameters
    ----------
    name : str
        Of what skops itself does not know, such as ``sklearn.tree._tree.Tree``.

    Examples
    --------
    >>> is_trusted("sklearn.tree._tree.Tree"), is_trusted("numpy.log1p")
    (True, True)
    >>> is_trusted("numpy.testing._private.utils.measure"), is_trusted("my_package.Model")
    (False, False)
    """
    module, _, last = name.rpartition(".")
    if name in EXACT or (module == "numpy" and isinstance(getattr(np, last, None), np.ufunc)):
        return True
    is_class = last.lstrip("_")[:1].isupper()
    return name.startswith(SCORES) or (name.startswith("sklearn.") and is_class)
