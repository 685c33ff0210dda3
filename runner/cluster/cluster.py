"""What every cluster is: something that is opened, and has workers meanwhile."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from runner.cluster.heard import Heard, listening
from runner.rules import check, integer, one_of, positive

if TYPE_CHECKING:
    from distributed import Client

    from runner.cluster.workers import Workers

CLIENT, DATA = "client", "data"


class Cluster(ABC):
    """What reads and scores blocks, and runs the members of a sweep."""

    @property
    def told(self) -> str:
        """What it is, in a few words; "" where it is this process."""
        return ""

    @abstractmethod
    def open(self) -> "AbstractContextManager[Workers | None]":
        """Return its workers while it is open; None where there are none but this process.

        Raises
        ------
        ClusterError
            If it cannot be reached.
        """


@dataclass(kw_only=True)
class DaskCluster(Cluster):
    """A cluster of Dask, which is reached by a client.

    Parameters
    ----------
    placement : str
        Where the model learns: in this process (``client``), or on the worker that holds the
        block (``data``).
    blocks_per_worker : int
        How many blocks are read ahead for each worker.
    patience_s : float
        For how many seconds there may be no worker at all.
    """

    placement: Annotated[str, one_of(CLIENT, DATA)] = CLIENT
    blocks_per_worker: Annotated[int, integer(1)] = 2
    patience_s: Annotated[float, positive()] = 30.0

    def __post_init__(self) -> None:
        """Refuse settings that are not what they should be."""
        check("cluster", self)

    @property
    @abstractmethod
    def called(self) -> str:
        """What it is called in a message."""

    @property
    def told(self) -> str:
        """Its name, and where the model learns."""
        where = "the model goes to the blocks" if self.placement == DATA else "blocks come here"
        return f"{self.called}; {where}"

    @contextmanager
    def open(self) -> "Iterator[Workers]":
        """Yield the workers as soon as there is one; end what was started, however it is left.

        What Dask says meanwhile is not printed: it is told in an error.

        Raises
        ------
        ConfigError
            If a package is missing.
        ClusterError
            If the cluster cannot be reached, has no worker in time, or is not like this process.
        """
        from runner.cluster.client import wait_for_a_worker
        from runner.cluster.workers import Workers

        with listening() as heard, self.connected(heard) as client:
            wait_for_a_worker(client, self.patience_s, heard)
            workers = Workers(
                client,
                placement=self.placement,
                blocks_per_worker=self.blocks_per_worker,
                patience_s=self.patience_s,
            )
            workers.check_versions()
            yield workers

    @abstractmethod
    def connected(self, heard: Heard) -> "AbstractContextManager[Client]":
        """Return a client while it is connected.

        Parameters
        ----------
        heard : Heard
            What Dask said so far.

        Raises
        ------
        ClusterError
            If there is no scheduler that answers.
        """
