"""Look at the first blocks before they are learned."""

from collections.abc import Callable
from typing import Any

from runner.base import Block, Remark
from runner.fit.lint import check_first_block
from runner.fit.mixing import Mixing, depends_on_order
from runner.fit.scale import Scales

Tell = Callable[[Remark], None]


class Inspection:
    """Tells what is remarkable of the first blocks, as they come: their scale and their labels.

    Parameters
    ----------
    estimator : object
        What learns from the blocks, which are as it gets them.
    tell : callable
        Takes each remark; what it raises ends the fit.
    has_classes : bool
        Whether y are labels, of one target.
    feature_names : tuple of str, optional
        The names of the columns of X.
    goes_on : bool
        Whether the first blocks were looked at before.

    Attributes
    ----------
    tell : callable
    is_first : bool
        Whether no block was looked at.
    """

    def __init__(
        self,
        estimator: Any,
        tell: Tell,
        *,
        has_classes: bool,
        feature_names: tuple[str, ...] | None = None,
        goes_on: bool = False,
    ) -> None:
        self.tell = tell
        self.is_first = not goes_on
        self._estimator = estimator
        self._scales = Scales(estimator, feature_names)
        looks = has_classes and not goes_on and depends_on_order(estimator)
        self._mixing = Mixing() if looks else None

    def __call__(self, block: Block) -> None:
        """Look at a block that is not empty."""
        if self.is_first:
            self.is_first = False
            n_features = block.X.shape[1] if len(block.X.shape) > 1 else None
            self._say(check_first_block(self._estimator, block.n_rows, n_features))
        self._say(self._scales(block))
        if self._mixing is not None:
            self._mixing.add(block.y, block.facts)
            remark = self._mixing.remark()
            if remark is not None or self._mixing.is_done:
                self._mixing = None
            self._say(remark)

    def state(self) -> Any:
        """Return how far it is, for ``restore``."""
        return self.is_first, self._scales.state(), self._mixing

    def restore(self, state: Any) -> None:
        """Go on from there."""
        self.is_first, scales, self._mixing = state
        self._scales.restore(scales)

    def _say(self, remark: Remark | None) -> None:
        if remark is not None:
            self.tell(remark)
