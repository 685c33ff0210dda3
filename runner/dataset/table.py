"""What datasets with named columns share: which column is what."""

from abc import ABC
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from runner.dataset.columns import Columns, choose
from runner.dataset.dataset import Dataset


@dataclass(kw_only=True)
class Table(Dataset, ABC):
    """Rows of files with named columns: one file, those below a folder, or those of a glob.

    Parameters
    ----------
    path : str
        Local, or with a protocol such as ``s3://``.
    target : str or list of str or None
        The column of y; a list of several makes y two-dimensional.
    features : list of str, optional
        The columns of X, in this order; by default all others, in the order of the files. Empty
        cells become NaN.
    sample_weight : str, optional
        The column of weights.
    """

    path: str
    target: str | list[str] | None
    features: list[str] | None = None
    sample_weight: str | None = None

    def choose(self, names: Sequence[str], ignored: Collection[str] = ()) -> Columns:
        """Decide which of the named columns are what.

        Raises
        ------
        ConfigError
            If what should be a name is something else.
        DatasetError
            If a column is missing or asked for twice, or if none is left to learn from.
        """
        return choose(
            names,
            target=self.target,
            features=self.features,
            sample_weight=self.sample_weight,
            ignored=ignored,
        )
