"""No cluster: this process does it all."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from runner.cluster.cluster import Cluster


@dataclass(kw_only=True)
class NoCluster(Cluster):
    """The process that runs, with its threads."""

    def open(self) -> AbstractContextManager[None]:
        """Return nothing that works elsewhere."""
        return nullcontext()
