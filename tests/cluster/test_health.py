"""A cluster is looked at while there is work."""

import pytest
from distributed.comm import CommClosedError

from runner.cluster.health import Health, in_words, lost, scheduler_of, translated
from runner.errors import ClusterError


def test_the_threads_of_all_workers_are_counted(two_workers):
    health = Health(two_workers, 20)
    health.begin()
    try:
        health.check()
        assert health.n_threads == 2
        assert len(health.threads) == 2
    finally:
        health.end()


def test_a_lost_scheduler_is_named(two_workers):
    assert str(lost(scheduler_of(two_workers))).startswith("The scheduler at tcp://127.0.0.1:")


def test_a_client_that_was_closed_has_no_scheduler(two_workers):
    from distributed import Client

    with Client(two_workers.scheduler.address) as client:
        health = Health(client, 20)
    with pytest.raises(ClusterError, match="stay there until the end"):
        health.begin()


def test_a_silent_scheduler_and_missing_workers_are_told(two_workers, monkeypatch):
    health = Health(two_workers, 1)
    health._heard += 5
    with pytest.raises(ClusterError, match="must have a worker; got none for 1 s"):
        health.check()
    health._heard -= 100
    with pytest.raises(ClusterError, match=r"got no answer for 9\d s"):
        health.check()


def test_what_dask_says_of_connections_is_put_in_plain_words():
    where = "in <TCP (closed) ConnectionPool.who_has local=tcp://127.0.0.1:1>: Stream is closed"
    assert in_words(CommClosedError(where)) == "a connection that was closed"
    refused = "in <distributed.comm.tcp.TCPConnector object at 0x7>: Connection refused"
    assert in_words(CommClosedError(refused)) == "a connection that was refused"
    tls = CommClosedError("in <distributed.comm.tcp.TLSConnector object at 0x7>: SSLError: wrong")
    assert in_words(tls) == "SSLError: wrong"


def test_only_a_failed_connection_is_a_lost_scheduler():
    error = MemoryError("no")
    assert translated("s", error) is error
    assert str(translated("s", CommClosedError("in <TCP>"))).startswith("The scheduler at s must")
