"""The records and protocols that the stages share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from runner.errors import RunnerError
from runner.facts import Facts, examine

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

    @property
    def name(self) -> str:
        """What the keys of its blocks begin with: ``(name, index)``, and 0 for the columns."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which block of the dataset this is, counted from 0, and its rows [start, stop).

    ``mixed`` are the blocks that the rows were drawn from, where a buffer mixes rows; then
    ``number`` is the latest of them to be read, and the rows lie somewhere in [start, stop).
    """

    number: int
    start: int
    stop: int
    mixed: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Name the block as every message does.

        Examples
        --------
        >>> print(Place(number=3, start=75, stop=100))
        block 3 (rows 75 to 99)
        >>> print(Place(number=3, start=0, stop=100, mixed=(0, 2, 3)))
        a mix of blocks 0, 2 and 3 (from rows 0 to 99)
        """
        if self.mixed:
            *others, last = map(str, self.mixed)
            named = f"blocks {', '.join(others)} and {last}" if others else f"block {last}"
            return f"a mix of {named} (from rows {self.start} to {self.stop - 1})"
        if self.start == self.stop:
            return f"block {self.number} (no rows)"
        return f"block {self.number} (rows {self.start} to {self.stop - 1})"

    @property
    def subject(self) -> str:
        """The block as the first words of a message."""
        text = str(self)
        return text[0].upper() + text[1:]


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
    frame : an empty pandas DataFrame like the blocks of X, where these are tables with columns of
        several types; else the blocks are arrays
    y_only : y once more, from tasks that read nothing of X where the source can do so
    rows : ``rows(place)`` returns the numbers, in the dataset, of the rows of one of the blocks,
        where these are not all rows of its place
    """

    X: LazyArray
    y: LazyArray | None
    sample_weight: LazyArray | None
    places: Sequence[Place]
    feature_names: tuple[str, ...] | None = None
    frame: Any = None
    y_only: LazyArray | None = None
    rows: Callable[[Place], np.ndarray] | None = None

    @property
    def n_blocks(self) -> int:
        """How many row blocks there are."""
        return len(self.places)

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return int(self.X.shape[0])


class Split(NamedTuple):
    """The sides of a dataset, which share no row.

    ``validation`` is scored on the way, so that what is decided by these scores, such as when to
    stop, has not seen ``holdout``, which the final scores are of.
    """

    train: Part
    holdout: Part | None = None
    validation: Part | None = None

    @property
    def parts(self) -> dict[str, Part]:
        """The sides that there are, by name."""
        return {name: part for name, part in self._asdict().items() if part is not None}


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Block:
    """Some rows in memory, as NumPy arrays, SciPy sparse rows or, for X, a pandas DataFrame.

    ``position`` counts the blocks of the epoch from 0, in the order in which they are delivered;
    ``load_s`` is how long reading and preprocessing took, in seconds, and ``wait_s`` how much of
    that the learner waited for. ``rows`` are the numbers of the rows in the dataset, of shape
    (n_rows,), where they do not follow each other. ``content`` is the hash of what was read, where
    that was asked for. ``facts`` are known of one that is to be learned. ``error`` is why it could
    not be read, where that is no reason to end; then it has no rows. ``answers`` were made of rows
    that stay in another process.
    """

    X: Any
    y: Any
    sample_weight: Any
    place: Place
    epoch: int = 0
    position: int = 0
    load_s: float = 0.0
    wait_s: float = 0.0
    rows: np.ndarray | None = None
    content: int | None = None
    facts: Facts | None = None
    error: RunnerError | None = None
    answers: Any = None

    @property
    def n_rows(self) -> int:
        """How many rows are in memory."""
        return int(self.X.shape[0])

    def examined(self) -> "Block":
        """Return the block with its ``facts``."""
        if self.facts is not None:
            return self
        return replace(self, facts=examine(self.X, self.y))

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
        if self.rows is not None:
            return f"row {self.rows[row]}"
        is_whole = self.n_rows == self.place.stop - self.place.start
        return f"row {self.place.start + row}" if is_whole else f"row {row} of its rows"


@dataclass
class Progress:
    """How far a fit has come; callbacks read it and may ask it to stop.

    ``scores`` are the latest progressive scores, by scorer, and ``held_out`` the latest scores on
    rows that are not learned from; ``rows`` and ``blocks`` count what was learned over all epochs,
    ``total_rows`` what there is to learn (None when unknown). ``position`` is how many blocks of
    this epoch were delivered; ``bad_blocks`` were passed over. Of the ``load_s``
    seconds of reading, in threads, the learner waited for ``wait_s``. ``content`` sums up what the
    ``content_rows`` rows of the first epoch hold, modulo 2**64; ``sample`` is the number of one
    block of it, and what that block holds. ``best_rows`` is how many rows the estimator had
    learned when it was best, where it was set back to that state in the end. ``is_paused`` says
    that a person stopped it, who may go on with it another time.
    """

    epochs: int = 1
    total_rows: int | None = None
    epoch: int = 0
    position: int = 0
    blocks: int = 0
    rows: int = 0
    empty_blocks: int = 0
    bad_blocks: int = 0
    content: int = 0
    content_rows: int = 0
    sample: tuple[int, int] | None = None
    load_s: float = 0.0
    wait_s: float = 0.0
    fit_s: float = 0.0
    scores: Scores = field(default_factory=dict)
    held_out: Scores = field(default_factory=dict)
    best_rows: int | None = None
    is_paused: bool = False
    stop_reason: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether it came to its end, rather than being interrupted, by an error or a person."""
        return self.epoch >= self.epochs or (self.stop_reason is not None and not self.is_paused)

    def learned(self, block: Block) -> None:
        """Count a block that was learned."""
        self.blocks += 1
        self.rows += block.n_rows
        if block.content is not None:
            self.content = (self.content + block.content) % 2**64
            self.content_rows += block.n_rows
            if not block.place.mixed:
                self.sample = self.sample or (block.place.number, block.content)

    def stop(self, reason: str) -> None:
        """Ask the fit to end after this block; the first reason given is kept."""
        self.stop_reason = self.stop_reason or reason


class Callback:
    """Something told how a fit goes. Subclass it and override what is of interest."""

    def on_fit_begin(self, progress: Progress, estimator: Any) -> None:
        """Before the first block; ``estimator`` is what will learn, in place."""

    def on_block_end(self, progress: Progress, block: Block) -> None:
        """After each learned block; keep no reference to the block."""

    def on_bad_block(
        self, progress: Progress, place: Place, epoch: int, position: int, error: RunnerError
    ) -> None:
        """After a block was passed over, because it cannot be read or learned."""

    def on_held_out(self, progress: Progress) -> None:
        """After rows that are not learned from were scored: ``progress.held_out`` is new."""

    def on_epoch_end(self, progress: Progress) -> None:
        """After each pass over the training blocks."""

    def on_fit_end(self, progress: Progress) -> None:
        """After the last block, however the fit ended: also on an error or an interrupt."""

    def state(self) -> Any:
        """Return what ``restore`` needs to go on as if nothing had happened; it is pickled."""

    def restore(self, state: Any) -> None:
        """Go on from a state, after ``on_fit_begin``, in another process."""


@dataclass(frozen=True)
class Remark:
    """Something in the settings or the data that a person should know.

    ``name`` is one of ``runner.fit.lint.NAMES``, such as ``inert-setting``.
    """

    name: str
    text: str

    def __str__(self) -> str:
        """Put the name before the text.

        Examples
        --------
        >>> print(Remark("inert-setting", "estimator.max_iter has no effect."))
        inert-setting: estimator.max_iter has no effect.
        """
        return f"{self.name}: {self.text}"
