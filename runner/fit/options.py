"""What the fit section of an experiment decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.errors import ConfigError
from runner.rules import check, integer, number, one_of

BALANCED = "balanced"
ERROR, SKIP = "error", "skip"


@dataclass(kw_only=True)
class FitOptions:
    """How long to learn, what each row weighs, and how the score on the way is measured.

    Parameters
    ----------
    epochs : int
        Passes over the training blocks, at least 1.
    progressive_window : int
        The last blocks over which the progressive (test-then-train) score is averaged, weighted
        by their rows; 0 leaves the progressive score out, which saves a prediction per block.
    class_weight : "balanced" or mapping of label to float or None
        Weights of the labels, which become weights of the rows. ``balanced`` gives all labels the
        same total weight, from counts over the training blocks: one more pass, over y only.
    max_classes : int
        The most labels that ``partial_fit.classes: infer`` takes for classes.
    preprocessing : "first_pass" or "running" or mapping of str to one of these
        How stages that learn are fitted, all of them or by name: by a pass over the training
        blocks before the first epoch, after which they stay as they are, or block by block along
        with the estimator.
    on_bad_block : {"error", "skip"}
        What a block does that cannot be read, learned or scored: end the fit, or be passed over
        with a warning and counted.
    max_bad_blocks : int
        How many blocks of the dataset may be passed over, at least 1; one more ends the fit.
    """

    epochs: int = 1
    progressive_window: int = 20
    class_weight: str | Mapping[Any, float] | None = None
    max_classes: int = 1000
    preprocessing: str | Mapping[str, str] = "first_pass"
    on_bad_block: str = ERROR
    max_bad_blocks: int = 10

    @property
    def skips(self) -> bool:
        """Whether bad blocks are passed over."""
        return self.on_bad_block == SKIP

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        check(
            "fit",
            self,
            epochs=integer(1),
            progressive_window=integer(0),
            max_classes=integer(2),
            on_bad_block=one_of(ERROR, SKIP),
            max_bad_blocks=integer(1),
        )
        weights = self.class_weight
        if weights is None or weights == BALANCED:
            return
        if isinstance(weights, Mapping) and all(map(number(0).holds, weights.values())):
            return
        raise ConfigError(
            "fit.class_weight",
            "be balanced, or a weight of at least 0 for each label",
            got=repr(weights),
            remedy="Write fit.class_weight=balanced, or fit: {class_weight: {0: 1.0, 1: 5.0}}.",
        )
