"""What is said when there is no worker, or a cluster does not start."""

from types import SimpleNamespace

import pytest
from distributed.comm import CommClosedError

from runner.cluster.client import client_of, could_not_start, wait_for_a_worker
from runner.cluster.heard import Heard, listening
from runner.errors import ClusterError, ConfigError


@pytest.fixture(scope="module")
def nobody():
    """Run a scheduler without workers in a thread."""
    from distributed import LocalCluster

    pages = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    with (
        listening() as heard,
        LocalCluster(
            n_workers=0,
            threads_per_worker=1,
            processes=False,
            protocol="tcp://",
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs=pages,
        ) as cluster,
    ):
        yield cluster, heard


def test_no_worker_is_an_error_within_the_patience(nobody):
    cluster, heard = nobody
    with (
        client_of(cluster) as client,
        pytest.raises(ClusterError, match=r"within 0.05 seconds; got"),
    ):
        wait_for_a_worker(client, 0.05, heard)
    assert client.status == "closed"


@pytest.mark.parametrize("error", [KeyError("workers"), CommClosedError("in <TCP (closed)>")])
def test_a_scheduler_that_ends_meanwhile_is_told_in_plain_words(error):
    def wait_for_workers(*_, **__):
        raise error

    client = SimpleNamespace(wait_for_workers=wait_for_workers)
    with pytest.raises(ClusterError, match=r"got none; the connection was closed\. Start"):
        wait_for_a_worker(client, 5, Heard())


def test_a_client_is_closed_whatever_happens(nobody):
    def fail():
        with client_of(nobody[0]) as client:
            opened.append(client)
            raise KeyboardInterrupt

    opened = []
    with pytest.raises(KeyboardInterrupt):
        fail()
    assert opened[0].status == "closed"


def test_an_error_of_ours_is_told_as_it_is():
    ours = ConfigError("cluster.hosts", "be known", got="a", remedy="Mend it.")
    assert could_not_start("ssh", ours, Heard()) is ours
    assert str(could_not_start("ssh", OSError("no route"), Heard())).startswith(
        "The cluster ssh must start; got OSError: no route. Check"
    )
