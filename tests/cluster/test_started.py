"""Bounds of adaptive scaling, and a cluster that is ended with its context."""

from functools import partial

import pytest

from runner.cluster import client as client_module
from runner.cluster.any import AnyCluster
from runner.cluster.heard import listening
from runner.cluster.local import LocalCluster
from runner.errors import ClusterError, ConfigError


class Deaf:
    """A cluster whose scheduler does not answer, and that cannot be ended in peace."""

    scheduler_address = "tcp://127.0.0.1:1"
    closed = 0

    def close(self, timeout):
        Deaf.closed += 1
        raise OSError("it is gone")


@pytest.mark.parametrize(
    "bounds", [{"minimum": 1}, {"minimum": 3, "maximum": 2}, {"minimum": 1, "maximum": 2, "a": 3}]
)
def test_bounds_are_two_and_in_order(bounds):
    with pytest.raises(ConfigError, match=r"cluster.adaptive must have a minimum and a maximum"):
        LocalCluster(adaptive=bounds)


def test_there_is_at_least_one_worker():
    with pytest.raises(ConfigError, match=r"each value an integer of at least 1"):
        LocalCluster(adaptive={"minimum": 0, "maximum": 2})


def test_what_was_started_is_ended_also_when_no_client_reaches_it(monkeypatch):
    monkeypatch.setattr(client_module, "ANSWER_S", 0.2)
    with (
        listening() as heard,
        pytest.raises(ClusterError, match=r"must answer"),
        AnyCluster(made_by=partial(Deaf)).connected(heard),
    ):
        pass
    assert Deaf.closed == 1
