"""The records and protocols that the stages share."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np

from runner.errors import FitError

Scores: TypeAlias = dict[str, float]


class Estimator(Protocol):
    """Anything that learns block by block, as scikit-learn defines it."""

    def partial_fit(self, X: Any, y: Any = None, **kwargs: Any) -> Any:
        """Learn from one more block."""


class LazyArray(Protocol):
    """What is needed of a Dask array without importing Dask."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, and columns if there are two dimensions."""

    @property
    def chunks(self) -> tuple[tuple[int, ...], ...]:
        """The sizes of the blocks along each dimension."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""

    def __dask_graph__(self) -> Mapping[Any, Any]:
        """Return the tasks that compute the array."""

    def __dask_keys__(self) -> list[Any]:
        """Return the nested list of the keys of the blocks."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which block of the dataset this is, counted from 0, and its rows [start, stop)."""

    number: int
    start: int
    stop: int

    def __str__(self) -> str:
        """Name the block as every message does.

        Examples
        --------
        >>> print(Place(number=3, start=75, stop=100))
        block 3 (rows 75 to 99)
        """
        if self.start == self.stop:
            return f"block {self.number} (no rows)"
        return f"block {self.number} (rows {self.start} to {self.stop - 1})"

    @property
    def subject(self) -> str:
        """The block as the first words of a message."""
        return str(self).capitalize()


@dataclass(frozen=True)
class Part:
    """One side of the split: lazy arrays cut in the same row blocks, and where each comes from.

    Attributes
    ----------
    X : lazy array of shape (n_rows, n_features), or (n_rows,) for lines of text
    y : lazy array of shape (n_rows,) or (n_rows, n_outputs), or None
    sample_weight : lazy array of shape (n_rows,), or None
    places : one per row block of X; with a split by rows, the rows of the block it was taken from
    feature_names : the columns' names where the source has names
    """

    X: LazyArray
    y: LazyArray | None
    sample_weight: LazyArray | None
    places: tuple[Place, ...]
    feature_names: tuple[str, ...] | None = None

    @property
    def n_blocks(self) -> int:
        """How many row blocks there are."""
        return len(self.places)

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return int(self.X.shape[0])


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Block:
    """Some rows in memory, as NumPy arrays or SciPy sparse rows.

    ``position`` counts the blocks of the epoch from 0, in the order in which they are delivered;
    ``load_s`` is how long reading and preprocessing took, in seconds.
    """

    X: Any
    y: Any
    sample_weight: Any
    place: Place
    epoch: int = 0
    position: int = 0
    load_s: float = 0.0

    @property
    def n_rows(self) -> int:
        """How many rows are in memory."""
        return int(self.X.shape[0])

    def row_name(self, row: int) -> str:
        """Name a row by its number in the dataset, or in the block where some rows are left out.

        Examples
        --------
        >>> place = Place(number=3, start=75, stop=100)
        >>> Block(np.zeros((25, 1)), None, None, place).row_name(1)
        'row 76'
        >>> Block(np.zeros((20, 1)), None, None, place).row_name(1)
        'row 1 of its rows'
        """
        is_whole = self.n_rows == self.place.stop - self.place.start
        return f"row {self.place.start + row}" if is_whole else f"row {row} of its rows"


def not_finite(block: Block, *names: str) -> FitError | None:
    """Return the error that says where a block holds the first NaN or infinity, if it does.

    Parameters
    ----------
    block : Block
        Whose arrays are searched.
    names : {"X", "y", "sample_weight"}
        Which of them, in this order; those that hold no floating-point numbers are passed over.
    """
    for name in names:
        values = getattr(block, name)
        if getattr(values, "dtype", np.dtype(bool)).kind != "f":
            continue
        found = _first_not_finite(values)
        if found is None:
            continue
        value, row, *column = found
        where = block.row_name(row) + "".join(f", column {j}" for j in column)
        return FitError(
            block.place.subject,
            f"hold only finite numbers in {name}",
            got=f"{value} in {where}",
            remedy="Remove or fill in these rows at the source.",
        )
    return None


def _first_not_finite(values: Any) -> tuple[Any, ...] | None:
    """Return the value and its indices, of an array or of sparse rows."""
    indices: tuple[Any, ...]
    if hasattr(values, "tocoo"):
        held = values.tocoo()
        numbers, indices = held.data, (held.row, held.col)
    else:
        indices = np.nonzero(~np.isfinite(values))
        numbers = values[indices]
    bad = np.flatnonzero(~np.isfinite(numbers))[:1]
    return (*numbers[bad], *(int(index[bad[0]]) for index in indices)) if len(bad) else None


@dataclass
class Progress:
    """How far a fit has come; callbacks read it and may ask it to stop.

    ``scores`` are the latest progressive scores, by scorer; ``rows`` and ``blocks`` count what
    was learned over all epochs, ``total_rows`` what there is to learn (None when unknown).
    """

    epochs: int = 1
    total_rows: int | None = None
    epoch: int = 0
    blocks: int = 0
    rows: int = 0
    empty_blocks: int = 0
    load_s: float = 0.0
    fit_s: float = 0.0
    scores: Scores = field(default_factory=dict)
    stop_reason: str | None = None

    def stop(self, reason: str) -> None:
        """Ask the fit to end after this block; the first reason given is kept."""
        self.stop_reason = self.stop_reason or reason


class Callback:
    """Something told how a fit goes. Subclass it and override what is of interest."""

    def on_fit_begin(self, progress: Progress) -> None:
        """Before the first block."""

    def on_block_end(self, progress: Progress, block: Block) -> None:
        """After each learned block; keep no reference to the block."""

    def on_epoch_end(self, progress: Progress) -> None:
        """After each pass over the training blocks."""

    def on_fit_end(self, progress: Progress) -> None:
        """After the last block, however the fit ended: also on an error or an interrupt."""


@dataclass(frozen=True)
class Confusion:
    """How often each label was predicted for each true label.

    ``labels`` has shape (n_labels,), ``counts`` shape (n_labels, n_labels): rows are true labels.
    """

    labels: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True)
class Evaluated:
    """What the evaluation of a model on some blocks found.

    ``confusion`` is there for classifiers; ``predictions`` for regressors: the true and the
    predicted values, both of shape (n_rows,) or (n_rows, n_outputs).
    """

    scores: Scores
    n_rows: int
    confusion: Confusion | None = None
    predictions: tuple[np.ndarray, np.ndarray] | None = None


@dataclass(frozen=True)
class Recipe:
    """What was asked, as the record keeps it.

    ``params`` is the composed config, resolved and flattened to dotted keys; ``config`` the same
    as YAML; ``overrides`` what the command line changed; ``command`` what repeats the run.
    """

    name: str
    params: Mapping[str, Any]
    config: str = ""
    overrides: tuple[str, ...] = ()
    command: str = ""


class Run(Protocol):
    """One run of the record, open for writing."""

    @property
    def run_id(self) -> str:
        """The run's identifier in its store."""

    @property
    def url(self) -> str:
        """Where the run can be looked at, or how to get there."""

    def log_params(self, recipe: Recipe) -> None:
        """Keep what was asked: params, the composed config, the environment."""

    def log_dataset(self, name: str, source: Mapping[str, Any], parts: Mapping[str, Part]) -> None:
        """Keep what the data are; ``parts`` by context, "train" and "holdout"."""

    def callbacks(self) -> dict[str, Callback]:
        """Return, by name, what keeps the curves and the order of the blocks."""

    def log_scores(self, evaluated: Evaluated) -> None:
        """Keep the final scores and their pictures."""

    def log_model(self, model: Any, part: Part, progress: Progress) -> None:
        """Keep the fitted model, which predicts from rows as ``part`` holds them."""


class Tracker(Protocol):
    """A record of runs."""

    def check(self) -> None:
        """Say within seconds, before any data are read, that no run can be kept."""

    def start_run(self, name: str, *, command: str = "") -> AbstractContextManager[Run]:
        """Open a run; leaving the context ends it with a true status."""


Blocks: TypeAlias = Iterator[Block]
