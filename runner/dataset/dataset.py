"""What every dataset is: lazy arrays, their chunks and their split."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated

from runner.base import Split
from runner.dataset.chunks import check_chunks
from runner.dataset.fitting import aligned
from runner.dataset.lazy import Arrays
from runner.dataset.split import split
from runner.errors import ConfigError
from runner.rules import check, integer, one_of, share, text


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
    validation : float
        The share in [0, 1) that is held out of training and of the final scores, and is scored on
        the way. What the holdout is does not depend on it; both together are below 1.
    holdout_by : {"blocks", "rows"}
        Hold out whole blocks, which costs no extra reading, or rows inside each block, which
        suits sorted data. By rows, which ones are held out does not depend on the chunks.
    seed : int
        Decides what is held out.
    """

    chunks: Annotated[int | str, integer(1) | one_of("auto") | text()] = "auto"
    holdout: Annotated[float, share()] = 0.2
    validation: Annotated[float, share()] = 0.0
    holdout_by: Annotated[str, one_of("blocks", "rows")] = "blocks"
    seed: Annotated[int, integer(0)] = 0

    def __post_init__(self) -> None:
        """Refuse what breaks a rule, and what no split can be made of, before anything is read."""
        check_chunks(self.chunks)
        check("dataset", self)
        if self.holdout + self.validation >= 1:
            raise ConfigError(
                "dataset.holdout and dataset.validation",
                "leave a share to train on",
                got=f"{self.holdout} and {self.validation}",
                remedy="Make one of them smaller.",
            )

    @abstractmethod
    def arrays(self) -> Arrays:
        """Return X and y as lazy Dask arrays; metadata may be read, rows may not."""

    def fingerprint(self) -> dict[str, str]:
        """Return, by path, what tells whether the files are as they were; nothing where are none.

        That is the size in bytes and when it was written, in nanoseconds, or what a store has in
        place of this; of more than 1000 files it is their number and a digest. What differs
        between two such answers is told by ``runner.dataset.fingerprint.changed``.

        Raises
        ------
        DatasetError
            If the files cannot be found.
        """
        return {}

    def split(self) -> Split:
        """Return what is trained on, held out and scored on the way; None where there is nothing.

        Raises
        ------
        DatasetError
            If the data cannot be read, are empty, do not fit together, or are too few blocks
            to hold some out.
        """
        arrays = aligned(self.arrays())
        return split(arrays, self.holdout, self.holdout_by, self.seed, self.validation)
