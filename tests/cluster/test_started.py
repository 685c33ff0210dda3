"""Bounds of adaptive scaling, and a cluster that is ended with its context."""

from functools import partial
from types import SimpleNamespace

import pytest
from distributed.comm import CommClosedError

from runner.cluster import client as client_module
from runner.cluster.any import AnyCluster
from runner.cluster.heard import listening
from runner.cluster.local import LocalCluster
from runner.cluster.ssh import SSHCluster
from runner.errors import ClusterError, ConfigError, RunnerWarning


class Deaf:
    """A cluster whose scheduler does not answer, and that cannot be ended in peace."""

    scheduler_address = "tcp://127.0.0.1:1"

    def __init__(self, error, *, is_running=True):
        self.error = error
        self.closed = 0
        self.loop = SimpleNamespace(asyncio_loop=SimpleNamespace(is_running=lambda: is_running))

    def close(self, timeout):
        self.closed += 1
        raise self.error


def connect_to(deaf):
    with (
        listening() as heard,
        pytest.raises(ClusterError, match=r"must answer"),
        AnyCluster(made_by=partial(lambda: deaf)).connected(heard),
    ):
        pass


@pytest.mark.parametrize(
    "bounds", [{"minimum": 1}, {"minimum": 3, "maximum": 2}, {"minimum": 1, "maximum": 2, "a": 3}]
)
def test_bounds_are_two_and_in_order(bounds):
    with pytest.raises(ConfigError, match=r"cluster.adaptive must have a minimum and a maximum"):
        LocalCluster(adaptive=bounds)


def test_there_is_at_least_one_worker():
    with pytest.raises(ConfigError, match=r"each value an integer of at least 1"):
        LocalCluster(adaptive={"minimum": 0, "maximum": 2})


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(client_module, "ANSWER_S", 0.2)


@pytest.mark.parametrize(
    "deaf", [Deaf(CommClosedError("closed")), Deaf(TimeoutError(), is_running=False)]
)
def test_what_was_started_is_ended_also_when_no_client_reaches_it(deaf, hurried):
    connect_to(deaf)
    assert deaf.closed == 1


@pytest.mark.parametrize("error", [OSError("no permission"), TimeoutError("still there")])
def test_what_cannot_be_ended_is_told_with_what_may_be_left(error, hurried):
    told = rf"cluster any could not be ended: .*{error}\. Look for what Deaf has started"
    with pytest.warns(RunnerWarning, match=told):
        connect_to(Deaf(error))


@pytest.mark.parametrize(
    ("cluster", "told"),
    [
        (LocalCluster(), r"What is left of its processes ends with this one\."),
        (SSHCluster(hosts=["localhost", "127.0.0.1"]), r"dask_spec on localhost, 127.0.0.1, and"),
    ],
)
def test_how_the_rest_is_ended_depends_on_the_cluster(cluster, told):
    with pytest.warns(RunnerWarning, match=told):
        cluster.end(Deaf(OSError("no permission")))
