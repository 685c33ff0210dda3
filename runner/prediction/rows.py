"""Every row of a dataset, as a model learned to take them, beside the columns asked for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from runner.base import Part
from runner.dataset.as_arrow import as_arrow
from runner.dataset.dataset import Dataset
from runner.dataset.table import Table
from runner.errors import ConfigError, DatasetError

UNREAD = ("target", "y", "sample_weight")


def rows_to_predict(
    dataset: Dataset,
    model: Any,
    feature_names: Sequence[str] | None = None,
    columns: Sequence[str] = (),
) -> Part:
    """Return every row in the order of the dataset, none held out.

    Parameters
    ----------
    dataset : Dataset
        Its target and weights are not read where the features are known without them.
    model : object
        What the rows are for.
    feature_names : sequence of str, optional
        The features that the model learned, which alone are read where the dataset names more.
    columns : sequence of str
        Further columns to read along: the y of each block is an Arrow table of them.

    Raises
    ------
    ConfigError
        If other features are asked for, or columns of a dataset that has none.
    DatasetError
        If the data cannot be read, or lack a feature or a column.
    """
    whole = _unsplit(dataset, feature_names)
    part = _learned_columns(_all_rows(whole), feature_names)
    _check_features(part, model, feature_names)
    if not columns:
        return part
    n_rows = max(part.X.chunks[0])
    if {*part.X.chunks[0][:-1]} - {n_rows}:
        whole = replace(whole, chunks=n_rows)
        part = _learned_columns(_all_rows(whole), feature_names)
    return replace(part, y=_all_rows(as_arrow(replace(whole, chunks=n_rows), columns)).X)


def _unsplit(dataset: Dataset, feature_names: Sequence[str] | None) -> Dataset:
    changes: dict[str, Any] = {"holdout": 0.0, "validation": 0.0}
    names = feature_names
    if isinstance(dataset, Table):
        names = names or dataset.features
        if dataset.features is not None and list(dataset.features) != list(names or ()):
            raise ConfigError(
                "dataset.features",
                "be the features that the model learned, in their order",
                got=", ".join(map(str, dataset.features)),
                remedy="Leave it out, and name the columns of the files as those of the run.",
            )
        changes["features"] = None if names is None else list(names)
    if names is not None or not isinstance(dataset, Table):
        known = {field.name for field in fields(dataset)}
        changes |= {name: None for name in UNREAD if name in known}
    return replace(dataset, **changes)


def _all_rows(dataset: Dataset) -> Part:
    return replace(dataset.split().train, y=None, sample_weight=None, y_only=None)


def _learned_columns(part: Part, learned: Sequence[str] | None) -> Part:
    """Return the part with the features that were learned, where each is there once by its name.

    What was a target of the run is a feature of some datasets.
    """
    found = part.feature_names
    if found is None or learned is None or list(found) == list(learned):
        return part
    times = Counter(found)
    if any(times[name] != 1 for name in learned):
        return part
    positions = [found.index(name) for name in learned]
    lazy: Any = part.X
    chunks, meta = (lazy.chunks[0], (len(positions),)), np.empty((0, len(positions)), lazy.dtype)
    X = lazy.map_blocks(_columns, positions, chunks=chunks, meta=meta)
    frame = None if part.frame is None else _columns(part.frame, positions)
    return replace(part, X=X, feature_names=tuple(learned), frame=frame)


def _columns(block: Any, positions: list[int]) -> Any:
    return block.iloc[:, positions] if hasattr(block, "iloc") else block[:, positions]


def _check_features(part: Part, model: Any, feature_names: Sequence[str] | None) -> None:
    found, learned = part.feature_names, feature_names
    if found is not None and learned is not None and list(found) != list(learned):
        raise DatasetError(
            "The dataset",
            f"have the features that the model learned, {_shortened(learned)}",
            got=_shortened(found),
            remedy="Choose a dataset like the one of the run.",
        )
    n_learned = getattr(model, "n_features_in_", None)
    n_found = part.X.shape[1] if len(part.X.shape) > 1 else None
    if n_learned is not None and n_found != n_learned:
        raise DatasetError(
            "The dataset",
            f"have the {n_learned} features that the model learned",
            got="lines of text" if n_found is None else f"{n_found} features",
            remedy="Choose a dataset like the one of the run.",
        )


def _shortened(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
