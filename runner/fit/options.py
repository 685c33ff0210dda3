"""What the fit section of an experiment decides."""

from dataclasses import dataclass

from runner.rules import check, integer


@dataclass(kw_only=True)
class FitOptions:
    """How long to learn, and how the score on the way is measured.

    Parameters
    ----------
    epochs : int
        Passes over the training blocks, at least 1.
    progressive_window : int
        The last blocks over which the progressive (test-then-train) score is averaged, weighted
        by their rows; 0 leaves the progressive score out, which saves a prediction per block.
    """

    epochs: int = 1
    progressive_window: int = 20

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        check("fit", self, epochs=integer(1), progressive_window=integer(0))
