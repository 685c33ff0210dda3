"""Results are reached on whichever worker has them."""

import asyncio
import pickle

import pytest

from runner.cluster.at_worker import ask, perform, shared
from runner.cluster.health import Health
from runner.cluster.layouts import dumps
from runner.cluster.reaching import Reaching
from runner.cluster.versions import versions_here
from runner.errors import ClusterError
from tests.cluster import tasks

TASK = dumps((tasks.block, 3))


@pytest.fixture
def reaching(two_workers):
    health = Health(two_workers, 20)
    health.begin()
    yield Reaching(two_workers, health)
    health.end()


@pytest.fixture
def done(two_workers):
    def done(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, two_workers.loop.asyncio_loop).result(
            20
        )

    return done


def test_a_result_is_fetched_and_asked_where_it_is(reaching, done):
    given = reaching.submit(shared, dumps(10), versions_here())
    future = reaching.submit(perform, given, TASK)
    assert done(reaching.fetched(future)).value.tolist() == [3.0] * 10
    asked = done(reaching.asked(future, ask, dumps((len, ()))))
    (holder,) = done(reaching.holders(future))
    assert (asked.value, asked.worker) == (10, holder)


def test_a_result_that_the_client_cannot_fetch_comes_through_the_scheduler(
    reaching, done, monkeypatch
):
    def unreachable(*_):
        raise OSError("no way")

    monkeypatch.setattr("runner.cluster.reaching.get_data_from_worker", unreachable)
    monkeypatch.setattr(reaching._client, "rpc", unreachable)
    given = reaching.submit(shared, dumps(10), versions_here())
    future = reaching.submit(perform, given, TASK)
    assert done(reaching.fetched(future)).value.tolist() == [3.0] * 10
    assert done(reaching.asked(future, ask, dumps((len, ())))).value == 10


def test_a_task_that_nobody_understands_is_told(reaching, done):
    future = reaching.submit(shared, b"no pickle", versions_here())
    with pytest.raises(ClusterError, match="that the scheduler and the workers understand; got"):
        done(reaching.fetched(future))


def test_a_worker_that_can_give_no_answer_is_an_error(reaching, done, monkeypatch):
    future = reaching.submit(perform, reaching.submit(shared, dumps(10), versions_here()), TASK)
    done(reaching.fetched(future))
    monkeypatch.setattr("runner.cluster.reaching._ask", pickle.dumps(no_memory))
    with pytest.raises(ClusterError, match=r"worker tcp.* must do what .*MemoryError\('no'\)"):
        done(reaching.asked(future, ask, dumps((len, ()))))


async def no_memory(*_, **__):
    raise MemoryError("no")


def test_no_worker_is_frozen_here(reaching, done):
    assert done(reaching.frozen()) == set()
    assert set().union(*done(reaching.whereabouts()).values()) == set()
