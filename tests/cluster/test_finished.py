"""Tasks as they finish, with more submitted for workers that are free, or that come later."""

import time

from runner.cluster.workers import Workers
from tests.cluster import tasks


def slow(number):
    return tasks.pid_after(0.3, number)


def test_workers_that_come_later_get_their_share(scheduler_and_workers):
    cluster = scheduler_and_workers(1)
    results = Workers(cluster.client).each(slow, range(16), 1)
    done = [next(results)]
    cluster.processes.start_worker("--no-nanny")
    cluster.client.wait_for_workers(2, timeout=30)
    done += results
    assert {number for number, _ in done} == set(range(16))
    assert len({pid for _, (_, pid) in done}) == 2


def test_so_many_tasks_at_once_as_are_asked_for_each_worker(two_workers):
    taken = []

    def numbers():
        for number in range(9):
            taken.append(number)
            yield number

    with_many = Workers(two_workers, blocks_per_worker=4)
    results = with_many.each(slow, numbers(), 1)
    next(results)
    time.sleep(0.1)
    assert len(taken) <= 3
    assert len(list(results)) == 8
