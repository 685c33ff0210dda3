"""Where a model learns: in this process, or on the worker that holds the block."""

from collections.abc import Iterable, Iterator
from typing import Any

from runner.cluster.cluster import DATA, Cluster, DaskCluster
from runner.errors import ConfigError

# The leaves of its tree point at each other, so that one that has grown is too deep to be pickled.
STAYING = "Birch"


def check_placement(cluster: Cluster, buffer_blocks: int, learners: Iterable[Any]) -> None:
    """Refuse what cannot be where the blocks are read.

    Parameters
    ----------
    cluster : Cluster
    buffer_blocks : int
        As ``Stream`` has it: rows of several blocks are mixed in one process.
    learners : iterable of object
        The estimator and the stages, which go from process to process.

    Raises
    ------
    ConfigError
        If the model is to learn where the blocks are.
    """
    if not isinstance(cluster, DaskCluster) or cluster.placement != DATA:
        return
    if buffer_blocks:
        raise ConfigError(
            "cluster.placement",
            "be client with stream.buffer_blocks, which mixes the rows of several blocks in one "
            "process",
            got=f"{DATA} with stream.buffer_blocks={buffer_blocks}",
            remedy="Leave one of them out.",
        )
    for name in _names_in(learners):
        if name == STAYING:
            raise ConfigError(
                "cluster.placement",
                f"be client with {STAYING}, whose tree grows too deep to be sent",
                got=DATA,
                remedy="Leave it out.",
            )


def _names_in(learners: Iterable[Any]) -> Iterator[str]:
    for learner in learners:
        inside = learner.get_params().values() if hasattr(learner, "get_params") else ()
        for each in (learner, *inside):
            yield from (kind.__name__ for kind in type(each).__mro__)
