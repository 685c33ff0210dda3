"""What the fit section of an experiment decides."""

from dataclasses import dataclass

from runner.errors import ConfigError


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
        _at_least("fit.epochs", self.epochs, 1)
        _at_least("fit.progressive_window", self.progressive_window, 0)


def _at_least(key: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(
            key,
            f"be a whole number of at least {least}",
            got=repr(value),
            remedy=f"Write {key}={max(least, 1)}, for example.",
        )
