"""How long a run took, how fast it learned, and what bounds it."""

from dataclasses import dataclass

from runner.base import Progress
from runner.steps import Steps

EVALUATE, FIT = "evaluate", "fit"
LITTLE = 0.1  # of the time of learning, which may well be waited for


@dataclass(frozen=True)
class Pace:
    """Where the time of a run went.

    Attributes
    ----------
    load_s, fit_s, wait_s : float
        Seconds of reading blocks, summed up over the threads that read ahead; of learning from
        them; and of waiting for a block that was not there yet.
    evaluate_s, total_s : float or None
        Seconds of the final evaluation, and of all; None where nobody counted them.
    rows_per_s : float or None
        Rows learned per second of the fit; None where no row was learned.
    """

    load_s: float
    fit_s: float
    wait_s: float = 0.0
    evaluate_s: float | None = None
    total_s: float | None = None
    rows_per_s: float | None = None

    @property
    def bound(self) -> str:
        """What the run waits for: "load", "fit", or "" where there is little between them.

        Examples
        --------
        >>> Pace(load_s=9.0, fit_s=1.0, wait_s=4.0).bound
        'load'
        >>> Pace(load_s=3.0, fit_s=4.0, wait_s=1.0).bound
        ''
        """
        if self.wait_s > self.fit_s:
            return "load"
        return "fit" if self.wait_s < LITTLE * self.fit_s else ""

    @property
    def bound_told(self) -> str:
        """The same as the end of a sentence.

        Examples
        --------
        >>> Pace(load_s=1.0, fit_s=4.0).bound_told
        '; fitting bounds it'
        """
        return {"load": "; loading bounds it", "fit": "; fitting bounds it", "": ""}[self.bound]


def pace(progress: Progress, steps: Steps | None = None) -> Pace:
    """Return where the time of a fit went.

    Parameters
    ----------
    progress : Progress
        How far it came.
    steps : Steps, optional
        Who was told of its steps.

    Examples
    --------
    >>> pace(Progress(rows=100, load_s=1.0, fit_s=4.0)).rows_per_s
    25.0
    """
    took = steps.took if steps else {}
    fitted, evaluated = took.get(FIT), took.get(EVALUATE)
    # Nobody looked at the clock of the fit: reading ahead, it takes as long as the slower of both.
    # A run that is gone on with has other sittings, which nobody here looked at.
    is_whole = fitted is None or fitted.rows >= progress.rows
    rows, seconds = fitted or (progress.rows, max(progress.load_s, progress.fit_s))
    return Pace(
        progress.load_s,
        progress.fit_s,
        progress.wait_s,
        evaluated.seconds if evaluated else None,
        steps.elapsed_s if steps and is_whole else None,
        rows / seconds if rows and seconds else None,
    )
