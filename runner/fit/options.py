"""What the fit section of an experiment decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from runner.errors import ConfigError
from runner.rules import check, integer, mapping, null, number, one_of

BALANCED = "balanced"
ERROR, SKIP = "error", "skip"
WEIGHTS = one_of(BALANCED) | mapping(number(0)) | null()
POLICY = one_of("first_pass", "running")


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

    epochs: Annotated[int, integer(1)] = 1
    progressive_window: Annotated[int, integer(0)] = 20
    class_weight: Annotated[str | Mapping[Any, float] | None, WEIGHTS] = None
    max_classes: Annotated[int, integer(2)] = 1000
    preprocessing: Annotated[str | Mapping[str, str], POLICY | mapping(POLICY)] = "first_pass"
    on_bad_block: Annotated[str, one_of(ERROR, SKIP)] = ERROR
    max_bad_blocks: Annotated[int, integer(1)] = 10

    @property
    def skips(self) -> bool:
        """Whether bad blocks are passed over."""
        return self.on_bad_block == SKIP

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if not WEIGHTS.holds(self.class_weight):
            raise ConfigError(
                "fit.class_weight",
                "be balanced, or a weight of at least 0 for each label",
                got=repr(self.class_weight),
                remedy="Write fit.class_weight=balanced, or "
                "fit: {class_weight: {0: 1.0, 1: 5.0}}.",
            )
        check("fit", self)
