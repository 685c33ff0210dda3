"""Data from a function of the user's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import dask.array as da
import numpy as np
from dask.base import is_dask_collection

from runner.dataset.dataset import Dataset
from runner.dataset.fitting import cut_rows
from runner.dataset.lazy import ITEMS, Arrays
from runner.errors import ConfigError, DatasetError, cause
from runner.names import find
from runner.rules import anything, mapping, text


@dataclass(kw_only=True)
class Function(Dataset):
    """What a function returns: X, or (X, y), or (X, y, sample_weight).

    Each is a Dask array, a Dask dataframe or series, or a NumPy array; y and the weights may be
    None. The columns of a dataframe name the features.

    Parameters
    ----------
    function : str
        ``package.module:name`` or ``package.module.name``.
    arguments : mapping
        The keyword arguments it is called with, once.
    chunks : int or str
        ``"auto"`` keeps the row blocks of a lazy X; anything else cuts X anew.
    """

    function: Annotated[str, text()]
    arguments: Annotated[Mapping[str, Any], mapping(anything())] = field(default_factory=dict)

    def arrays(self) -> Arrays:
        """Call the function and return its arrays, in the row blocks of X.

        Raises
        ------
        ConfigError
            If the function cannot be found.
        DatasetError
            If it fails, or returns anything else.
        """
        X, y, sample_weight = self._returned()
        columns = getattr(X, "columns", None)
        is_cut = self.chunks != "auto" or isinstance(X, np.ndarray)
        return Arrays(
            cut_rows(_lazy(X), self.chunks) if is_cut else _lazy(X),
            None if y is None else _lazy(y),
            None if sample_weight is None else _lazy(sample_weight),
            None if columns is None else tuple(str(column) for column in columns),
        )

    def _returned(self) -> tuple[Any, Any, Any]:
        function = find("dataset.function", self.function)
        if not callable(function):
            raise ConfigError(
                "dataset.function",
                "name something that can be called",
                got=f"{self.function}, of type {type(function).__name__}",
                remedy="Name a function that returns X, or X and y.",
            )
        try:
            returned = function(**self.arguments)
        except (Exception, SystemExit) as error:
            raise DatasetError(
                f"The function {self.function}",
                "return X and y without an error",
                got=cause(error),
                remedy="Mend the function, or what dataset.arguments passes to it.",
            ) from error
        items = returned if isinstance(returned, tuple) else (returned,)
        if not _are_arrays(items):
            raise DatasetError(
                f"The function {self.function}",
                "return X, (X, y) or (X, y, sample_weight), each a Dask array, a Dask dataframe "
                "or a NumPy array",
                got=", ".join(type(item).__name__ for item in items) or "an empty tuple",
                remedy="Convert what it returns, for instance by dask.array.from_array.",
            )
        X, y, sample_weight, *_ = (*items, None, None)
        return X, y, sample_weight


def _are_arrays(items: tuple[Any, ...]) -> bool:
    given = [item for position, item in enumerate(items) if item is not None or position == 0]
    return 1 <= len(items) <= len(ITEMS) and all(
        isinstance(item, da.Array | np.ndarray) or _is_frame(item) for item in given
    )


def _is_frame(item: object) -> bool:
    return is_dask_collection(item) and hasattr(type(item), "to_dask_array")


def _lazy(item: Any) -> da.Array:
    if isinstance(item, np.ndarray):
        item = da.from_array(item, chunks=-1)
    lazy: da.Array = item.to_dask_array() if _is_frame(item) else item
    return lazy
