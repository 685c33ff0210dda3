"""A cluster that several tests share, as an experiment has it."""

from contextlib import contextmanager

from runner.cluster.cluster import DATA, DaskCluster
from runner.cluster.workers import Workers


class Opened(DaskCluster):
    """Workers of a client that is connected, and stays so."""

    called = "opened"

    def __init__(self, client, placement=DATA, **settings):
        super().__init__(placement=placement, **settings)
        self.client = client

    def connected(self, heard):
        raise AssertionError("it is connected")

    @contextmanager
    def open(self):
        yield Workers(
            self.client,
            placement=self.placement,
            blocks_per_worker=self.blocks_per_worker,
            patience_s=self.patience_s,
        )
