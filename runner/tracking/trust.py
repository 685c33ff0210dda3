"""Which types and functions a model may hold that is read from a record."""

import re
from importlib import import_module

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
# These start processes, and write and read files; tests of scikit-learn run when imported.
_ACTS = re.compile(
    r"sklearn\.(callback|conftest|externals|datasets|(.+\.)?tests)\."
    r"|sklearn\.utils\.(parallel|_mocking|_testing)\."
)


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
    >>> is_trusted("sklearn.pipeline.Bunch"), is_trusted("sklearn.datasets._base.Path")
    (True, False)
    """
    module, _, last = name.rpartition(".")
    if name in EXACT or (module == "numpy" and isinstance(getattr(np, last, None), np.ufunc)):
        return True
    if not name.startswith("sklearn.") or _ACTS.match(name):
        return False
    is_class = last.lstrip("_")[:1].isupper()
    return (is_class or name.startswith(SCORES)) and _is_defined(module, last)


def _is_defined(module: str, name: str) -> bool:
    """Say whether scikit-learn defines it, and does not only pass it on."""
    try:
        found = getattr(import_module(module), name)
    except (AttributeError, ImportError):
        return False
    defined = f"{getattr(found, '__module__', '')}."
    return defined.startswith("sklearn.") and not _ACTS.match(defined)
