"""The long steps of a run, and who is told how far they come."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from time import monotonic
from typing import NamedTuple

from runner.base import Block, Progress


class Took(NamedTuple):
    """What a step did, and for how many seconds."""

    rows: int
    seconds: float


class Step:
    """A step on its way, which nobody is shown. Subclass it and override what is of interest.

    Parameters
    ----------
    name : str
        What is done.
    progress : Progress
        Where it begins.
    """

    def __init__(self, name: str, progress: Progress) -> None:
        self.name = name
        self.before = progress.rows
        self.started = monotonic()

    def move(self, progress: Progress) -> None:
        """After each block."""

    def end(self, progress: Progress) -> None:
        """After the last block, however it ended."""


class Steps:
    """Told of each long step of this process, and silent.

    Attributes
    ----------
    took : dict of str to Took
        What the steps of each name did so far, those of the same name together.
    """

    def __init__(self) -> None:
        self.took: dict[str, Took] = {}
        self._started = monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since it listens."""
        return monotonic() - self._started

    def begin(
        self, name: str, progress: Progress, *, every_s: float = 5.0, is_summed_up: bool = False
    ) -> Step:
        """Return a step that begins.

        Parameters
        ----------
        name : str
            What is done.
        progress : Progress
            Where it begins; ``total_rows`` may be known.
        every_s : float
            Seconds between two lines where there is no terminal.
        is_summed_up : bool
            Whether its end is worth a line, however short it was.
        """
        return Step(name, progress)

    def end(self, step: Step, progress: Progress) -> None:
        """End a step that has begun, and keep what it took."""
        step.end(progress)
        rows, seconds = self.took.get(step.name, Took(0, 0.0))
        rows += progress.rows - step.before
        self.took[step.name] = Took(rows, seconds + monotonic() - step.started)


_listening: list[Steps] = []


@contextmanager
def listening(steps: Steps) -> Iterator[Steps]:
    """Let all steps of this process be told to ``steps``, as to the one terminal that it has."""
    _listening.append(steps)
    try:
        yield steps
    finally:
        _listening.pop()


def listener() -> Steps | None:
    """Return who is told of the steps of this process; None where nobody asked for it."""
    return _listening[-1] if _listening else None


def told(
    name: str, blocks: Generator[Block], total_rows: int | None = None
) -> Generator[Block, None, None]:
    """Yield the blocks of a long step, and tell who listens how far it came.

    The blocks may come from any source. They are closed with the step.

    Examples
    --------
    >>> import numpy as np
    >>> from runner.base import Place
    >>> def blocks():
    ...     yield Block(np.zeros((25, 1)), None, None, Place(0, 0, 25))
    >>> with listening(Steps()) as steps:
    ...     n_blocks = len(list(told("evaluate", blocks(), 25)))
    >>> n_blocks, steps.took["evaluate"].rows
    (1, 25)
    """
    steps, progress = listener() or Steps(), Progress(total_rows=total_rows)
    step = steps.begin(name, progress)
    try:
        with closing(blocks):
            for block in blocks:
                n_rows = block.n_rows
                yield block
                del block  # the stream counts on it: only then may it hold one more
                progress.blocks += 1
                progress.rows += n_rows
                step.move(progress)
    finally:
        steps.end(step, progress)
