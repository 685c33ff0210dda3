"""The largest coefficients of a linear model, by the names of the features."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.base import Part
from runner.kinds import classes_of, last_step
from runner.tracking.plots.canvas import figure, plain, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_FEATURES = 20
MAX_OUTPUTS = 25
MAX_NAMED = 1_000_000
_LONGEST = 32


def coefficients_of(model: Any) -> Any:
    """Return the coefficients of the last step of a model, of shape (n_outputs, n_features).

    Returns
    -------
    ndarray, sparse array or None
        None where it has none.

    Examples
    --------
    >>> from sklearn.linear_model import SGDRegressor
    >>> coefficients_of(SGDRegressor().partial_fit([[0.0, 1.0]], [1.0])).shape
    (1, 2)
    """
    with suppress(Exception):  # anybody's property
        found = last_step(model).coef_
        if found.ndim in (1, 2) and all(found.shape):
            return found.reshape(1, -1) if found.ndim == 1 else found
    return None


def coefficients(model: Any, part: Part) -> bytes:
    """Draw the largest coefficients: bars, or a table of colours where there are several outputs.

    Parameters
    ----------
    model : fitted estimator
        One that has coefficients.
    part : Part
        The rows that it learned; where they have names, these are the first stage's.
    """
    found = coefficients_of(model)
    n_outputs, n_features = found.shape
    outputs, features = largest(found)
    names = _names(model, part, n_features)
    labels = [plain(names(feature), _LONGEST) for feature in features]
    values = np.column_stack([_row(found, output)[features] for output in outputs])
    several = n_outputs > 1
    width = 3.6 + min(0.45 * len(outputs), 7.0) if several else 6.4
    drawn = figure(width, 1.5 + 0.24 * len(features))
    axes = drawn.subplots()
    if several:
        _colours(axes, values, _output_names(model, outputs))
    else:
        places = np.arange(len(features))
        axes.barh(places, values[:, 0], color=np.where(values[:, 0] < 0, "C3", "C0"))
        axes.axvline(0, color="0.3", linewidth=0.8)
        axes.set_xlabel("coefficient")
        axes.grid(alpha=0.3, axis="x")
        axes.invert_yaxis()
    axes.set_yticks(range(len(features)), labels, fontsize=8)
    axes.set_title(title(len(features), n_features), fontsize=11, y=1.0)
    return png(drawn)


def title(n_drawn: int, n_features: int) -> str:
    """Say what is drawn.

    Examples
    --------
    >>> title(20, 65_536), title(1, 1)
    ('The 20 of 65,536 features with the largest coefficients', 'The coefficients of 1 feature')
    """
    if n_drawn < n_features:
        return f"The {n_drawn} of {n_features:,} features with the largest coefficients"
    return f"The coefficients of {n_features} feature{'s' * (n_features != 1)}"


def largest(found: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the outputs and the features with the largest coefficients, in either direction.

    One output is looked at after the other, so that little memory is taken.

    Returns
    -------
    outputs : ndarray of at most 25 positions, in order
    features : ndarray of at most 20 positions, the largest first

    Examples
    --------
    >>> outputs, features = largest(np.array([[1.0, -3.0, 2.0], [0.0, 0.0, 2.5]]))
    >>> outputs.tolist(), features.tolist()
    ([0, 1], [1, 2, 0])
    """
    tops = np.empty(found.shape[0])
    heights: dict[int, float] = {}
    for output in range(found.shape[0]):
        sizes = np.abs(_row(found, output))
        sizes[~np.isfinite(sizes)] = 0
        tops[output] = sizes.max()
        most = np.argpartition(-sizes, min(MAX_FEATURES, len(sizes)) - 1)[:MAX_FEATURES]
        for feature in most.tolist():
            heights[feature] = max(heights.get(feature, 0.0), float(sizes[feature]))
    features = sorted(heights, key=lambda feature: (-heights[feature], feature))[:MAX_FEATURES]
    outputs = np.sort(np.argsort(-tops, kind="stable")[:MAX_OUTPUTS])
    return outputs, np.array(features)


def feature_names(model: Any, part: Part) -> Sequence[Any] | None:
    """Return what the stages before the last call the features that they pass on, if they do."""
    names: Any = part.feature_names if part.frame is None else [*part.frame.columns]
    for _, stage in getattr(model, "steps", [])[:-1]:
        given = names
        names = None
        for known in [given] if given is None else [np.asarray(given, dtype=object), None]:
            with suppress(Exception):  # anybody's stage
                names = stage.get_feature_names_out(known)
                break
    return None if names is None else list(names)


def _names(model: Any, part: Part, n_features: int) -> Callable[[int], Any]:
    names = feature_names(model, part) if n_features <= MAX_NAMED else None
    if names is None or len(names) != n_features:
        return lambda feature: f"x{feature}"
    return names.__getitem__


def _row(found: Any, output: int) -> np.ndarray:
    row = found[[output]]
    return np.ravel(row.toarray() if hasattr(row, "toarray") else row)


def _output_names(model: Any, outputs: np.ndarray) -> list[str]:
    classes = classes_of(model)
    if classes is None or isinstance(classes, list) or len(classes) <= outputs[-1]:
        return [str(output) for output in outputs]
    return [plain(classes[output]) for output in outputs]


def _colours(axes: "Axes", values: np.ndarray, outputs: list[str]) -> None:
    most = float(np.nanmax(np.abs(values))) or 1.0
    image = axes.imshow(values, cmap="RdBu", vmin=-most, vmax=most, aspect="auto")
    longest = max(map(len, outputs))
    axes.set_xticks(
        range(len(outputs)),
        outputs,
        fontsize=8,
        rotation="vertical" if longest > 3 else 0,  # noqa: PLR2004
    )
    axes.figure.colorbar(image, ax=axes, label="coefficient")
