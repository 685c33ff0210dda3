"""Read one block: what is to be read can be sent to another process, and is read there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from dask._task_spec import execute_graph

from runner.base import Block, Place
from runner.errors import DatasetError, FitError, RunnerError, cause
from runner.facts import examine
from runner.remedies import remedy_of
from runner.stream.content import content
from runner.stream.retries import retried

Transform = Callable[[Any], Any]


@dataclass(frozen=True)
class Given:
    """What is the same for all blocks of a source.

    Attributes
    ----------
    transform : callable or None
        Applied to the X of each block.
    hashed, tolerant : bool
        As ``BlockSource`` has them.
    retries : int
        How often a block is read again after an error that may pass.
    rows : callable or None
        As ``Part`` has it.
    constants : mapping
        Tasks that every block needs, by key.
    """

    transform: Transform | None = None
    hashed: bool = False
    tolerant: bool = False
    retries: int = 0
    rows: Callable[[Place], np.ndarray] | None = None
    constants: Mapping[Any, Any] | None = None


class Keys(NamedTuple):
    """The tasks whose results are X, y and the weights of a block."""

    X: Any
    y: Any = None
    sample_weight: Any = None


@dataclass(frozen=True)
class Reading:
    """One block that is to be read: the tasks that make it, and no others.

    Attributes
    ----------
    tasks : mapping
        By key.
    keys : Keys
        None for what there is none of.
    place : Place
        Which block it is.
    epoch, position : int
        Which pass this is, and how many blocks came before in it.
    is_lost : bool
        Whether the block is to be as one that cannot be read.
    """

    tasks: Mapping[Any, Any]
    keys: Keys
    place: Place
    epoch: int = 0
    position: int = 0
    is_lost: bool = False


def read(given: Given, reading: Reading) -> Block:
    """Read a block, in the calling thread; X, y and weights in one go.

    Raises
    ------
    DatasetError
        If the block cannot be read, or its arrays have different lengths.
    FitError
        If a stage before the estimator refuses the block. Neither is raised where the source
        is tolerant.
    """
    started = perf_counter()
    try:
        block = _read(given, reading)
    except RunnerError as error:
        if not given.tolerant:
            raise
        _let_go(error)
        block = Block(np.empty((0, 1)), None, None, reading.place, error=error)
    load_s = perf_counter() - started
    return replace(block, epoch=reading.epoch, position=reading.position, load_s=load_s)


def _read(given: Given, reading: Reading) -> Block:
    place = reading.place
    if reading.is_lost:
        raise DatasetError(
            place.subject,
            "be readable",
            got="one that was not when it was to be learned",
            remedy="Check the source of these rows.",
        )
    X, y, weight = retried(partial(_compute, given, reading), given.retries)
    rows = None if given.rows is None else given.rows(place)
    found = None
    if given.hashed and reading.epoch == 0:
        following = np.arange(place.start, place.start + X.shape[0])
        found = content(X, y, weight, following if rows is None else rows)
    if given.transform is not None and X.shape[0]:
        X = _transformed(given.transform, X, place)
    facts = examine(X, y) if given.hashed else None
    return Block(X, y, weight, place, rows=rows, content=found, facts=facts)


def _compute(given: Given, reading: Reading) -> tuple[Any, Any, Any]:
    place = reading.place
    wanted = [key for key in reading.keys if key is not None]
    try:
        found = execute_graph({**(given.constants or {}), **reading.tasks}, keys=wanted)
    except RunnerError as error:
        raise error.at(place) from error
    except Exception as error:
        raise DatasetError(
            place.subject,
            "be readable",
            got=cause(error),
            remedy="Check the source of these rows.",
        ) from error
    X, y, weight = (None if key is None else found[key] for key in reading.keys)
    _check_lengths(place, X=X, y=y, sample_weight=weight)
    _check_weights(place, weight)
    return X, y, weight


def _transformed(transform: Transform, X: Any, place: Place) -> Any:
    try:
        return transform(X)
    except RunnerError as error:
        raise error.at(place) from error
    except Exception as error:
        raise FitError(
            place.subject,
            "pass through preprocessing",
            got=cause(error),
            remedy=remedy_of(
                error,
                None,
                "Check the stages under preprocessing against what the dataset holds.",
            ),
        ) from error


def _let_go(error: BaseException | None) -> None:
    """Drop what the tracebacks of an error and of its causes keep alive, such as the block."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _check_weights(place: Place, weight: Any) -> None:
    if weight is not None and len(weight) and np.min(weight) < 0:
        raise DatasetError(
            place.subject,
            "hold no negative sample weight",
            got=f"{np.min(weight)}",
            remedy="Correct the weights at the source, or name another dataset.sample_weight.",
        )


def _check_lengths(place: Place, **arrays: Any) -> None:
    lengths = {
        name: int(np.shape(array)[0]) for name, array in arrays.items() if array is not None
    }
    if len(set(lengths.values())) > 1:
        raise DatasetError(
            place.subject,
            "hold as many rows of each array",
            got=" and ".join(f"{n} of {name}" for name, n in lengths.items()),
            remedy="Make X, y and the weights from the same rows of the source.",
        )
