"""What all clusters have, and that one of them opens."""

from contextlib import contextmanager

import pytest

from runner.cluster.address import AddressCluster
from runner.cluster.cluster import DaskCluster
from runner.cluster.local import LocalCluster
from runner.cluster.none import NoCluster
from runner.errors import ClusterError, ConfigError


def test_a_cluster_is_opened_and_knows_its_placement():
    cluster = LocalCluster(n_workers=1, placement="data", blocks_per_worker=3, patience_s=20)
    with cluster.open() as workers:
        assert (workers.placement, workers.blocks_per_worker) == ("data", 3)
        assert workers.patience_s == 20


def test_what_cannot_be_reached_is_not_opened():
    class Lost(DaskCluster):
        called = "lost"

        @contextmanager
        def connected(self, heard):
            raise ClusterError("The scheduler", "answer", got="nothing", remedy="Start it.")
            yield

    with pytest.raises(ClusterError, match=r"The scheduler must answer"), Lost().open():
        pass


def test_what_a_cluster_is_is_told_in_a_few_words():
    assert NoCluster().told == ""
    assert LocalCluster().told == "local; blocks come here"
    assert LocalCluster(n_workers=2).told == "local, n_workers=2; blocks come here"
    there = AddressCluster(address="tcp://127.0.0.1:8786", placement="data")
    assert there.told == "tcp://127.0.0.1:8786; the model goes to the blocks"


@pytest.mark.parametrize(
    ("key", "value"), [("placement", "cleint"), ("blocks_per_worker", 0), ("patience_s", 0)]
)
def test_settings_are_judged_by_their_rules(key, value):
    with pytest.raises(ConfigError, match=f"cluster.{key} must be"):
        LocalCluster(**{key: value})
