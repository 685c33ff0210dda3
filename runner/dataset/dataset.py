"""What every dataset is: two lazy arrays, their chunks and their split."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from runner.base import Part
from runner.dataset.fitting import aligned
from runner.dataset.lazy import Arrays
from runner.dataset.split import split
from runner.errors import ConfigError
from runner.rules import check, integer


@dataclass(kw_only=True)
class Dataset(ABC):
    """Where X and y come from, in which blocks, and what share of them is held out.

    A new kind of data is a subclass: a dataclass whose fields are the keys of the YAML file,
    with one method, ``arrays``.

    Parameters
    ----------
    chunks : int or str
        Rows per block, or bytes of X per block such as ``"64MiB"``, or ``"auto"``: at most 64 MiB
        and at least ten blocks.
    holdout : float
        The share in [0, 1) that is held out of training, for the final scores.
    holdout_by : {"blocks", "rows"}
        Hold out whole blocks, which costs no extra reading, or rows inside each block, which
        suits sorted data. By rows, which ones are held out does not depend on the chunks.
    seed : int
        Decides what is held out.
    """

    chunks: int | str = "auto"
    holdout: float = 0.2
    holdout_by: str = "blocks"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no split can be made of, before anything is read."""
        if not _is_share(self.holdout):
            raise ConfigError(
                "dataset.holdout",
                "be a share of at least 0 and below 1",
                got=repr(self.holdout),
                remedy="Write dataset.holdout=0.2 to hold out a fifth.",
            )
        if self.holdout_by not in ("blocks", "rows"):
            raise ConfigError(
                "dataset.holdout_by",
                "be blocks or rows",
                got=repr(self.holdout_by),
                remedy="Write dataset.holdout_by=rows to hold out rows inside each block.",
            )
        check("dataset", self, seed=integer(0))

    @abstractmethod
    def arrays(self) -> Arrays:
        """Return X and y as lazy Dask arrays; metadata may be read, rows may not."""

    def split(self) -> tuple[Part, Part | None]:
        """Return what is trained on and what is held out; None when nothing is held out.

        Raises
        ------
        DatasetError
            If the data cannot be read, are empty, do not fit together, or are too few blocks
            to hold one out.
        """
        return split(aligned(self.arrays()), self.holdout, self.holdout_by, self.seed)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1
