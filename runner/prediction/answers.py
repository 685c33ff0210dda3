"""What a model says of some rows, as named columns."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from runner.base import Block
from runner.errors import ConfigError, FitError, cause
from runner.kinds import classes_of, last_step

PREDICTION, COMPONENT, PROBABILITY = "prediction", "component", "probability"
MOST_COMPONENTS = 10_000


class Answers:
    """Ask a model about blocks of rows.

    A model that has ``predict`` is asked for that: classes, numbers, clusters, or 1 and -1 for
    what lies inside and outside. One that has only ``transform`` is asked for its components.

    Parameters
    ----------
    model : object
        Fitted, and made for rows as the dataset holds them.
    probabilities : bool, optional
        Whether to add the probability of each class; by default if the model can tell it.

    Raises
    ------
    ConfigError
        If the model can answer nothing, no probabilities although they are asked for, or is known
        to make more components than a table can hold.
    """

    def __init__(self, model: Any, probabilities: bool | None = None) -> None:
        self._model = model
        self._asks = next((ask for ask in ("predict", "transform") if hasattr(model, ask)), "")
        if not self._asks:
            raise ConfigError(
                "The run's model",
                "have predict or transform",
                got=_name(model),
                remedy="Name a run of another estimator.",
            )
        if self._asks == "transform":
            _check_width(_known_width(last_step(model)))
        if probabilities not in (None, True, False):
            raise ConfigError(
                "probabilities", "be true or false", got=repr(probabilities), remedy="Correct it."
            )
        can_tell = hasattr(model, "predict_proba")
        if probabilities and not can_tell:
            raise ConfigError(
                "probabilities",
                "be asked only of a model that has predict_proba",
                got=_name(model),
                remedy="Leave it out, or learn with another loss or estimator.",
            )
        self._with_probabilities = can_tell if probabilities is None else probabilities

    def of(self, block: Block) -> dict[str, np.ndarray]:
        """Return the answers for the rows of a block, each of shape (n_rows,), by column name.

        Raises
        ------
        FitError
            If the model refuses the rows.
        """
        answers = _columns(PREDICTION, self._ask(self._asks, block))
        if self._asks == "transform":
            return _columns(COMPONENT, self._ask("transform", block))
        if self._with_probabilities:
            told = self._ask("predict_proba", block)
            answers |= _probabilities(told, classes_of(self._model))
        return answers

    def _ask(self, method: str, block: Block) -> Any:
        ask: Callable[[Any], Any] = getattr(self._model, method)
        try:
            return ask(block.X)
        except Exception as error:
            raise FitError(
                block.place.subject,
                f"hold rows as the model learned them, for its {method}",
                got=cause(error),
                remedy="Make the rows like those of the run, with the same features.",
            ) from error


def _columns(name: str, answer: Any) -> dict[str, np.ndarray]:
    """Name the columns of an answer: one name where it has one dimension, else numbered."""
    if name == COMPONENT:
        _check_width(math.prod(answer.shape[1:]))
    answer = np.asarray(answer.toarray() if hasattr(answer, "toarray") else answer)
    if answer.ndim == 1 and name != COMPONENT:
        return {name: answer}
    return {f"{name}_{j}": column for j, column in enumerate(answer.reshape(len(answer), -1).T)}


def _known_width(transformer: Any) -> int:
    """Return how many components a transformer makes, 0 where it does not say so."""
    names = ("_n_features_out", "n_features")  # of what learned them, and of what hashes
    return next((getattr(transformer, name) for name in names if hasattr(transformer, name)), 0)


def _check_width(n_columns: int) -> None:
    if n_columns > MOST_COMPONENTS:
        raise ConfigError(
            "What the model makes of a row",
            f"have at most {MOST_COMPONENTS:,} columns to be written as a table",
            got=f"{n_columns:,}",
            remedy="Name a run whose model predicts or makes fewer components.",
        )


def _probabilities(told: Any, classes: Any) -> dict[str, np.ndarray]:
    """Name each probability after its class; after output and class where there are several.

    Examples
    --------
    >>> list(_probabilities(np.array([[0.1, 0.9]]), np.array(["no", "yes"])))
    ['probability_no', 'probability_yes']
    >>> list(_probabilities([np.array([[0.1, 0.9]])] * 2, [[0, 1], [5, 6]]))
    ['probability_0_0', 'probability_0_1', 'probability_1_5', 'probability_1_6']
    """
    if isinstance(told, list):
        found: dict[str, np.ndarray] = {}
        for output, (each, labels) in enumerate(zip(told, classes, strict=True)):
            found |= _named(f"{PROBABILITY}_{output}", each, labels)
        return found
    return _named(PROBABILITY, told, classes)


def _named(prefix: str, told: Any, labels: Sequence[Any] | None) -> dict[str, np.ndarray]:
    rows = np.asarray(told)
    names = range(rows.shape[1]) if labels is None else labels
    return {f"{prefix}_{name}": rows[:, j] for j, name in enumerate(names)}


def _name(model: Any) -> str:
    return type(last_step(model)).__name__
