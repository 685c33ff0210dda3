"""A window takes back what it submitted."""

import operator
import time

import pytest
from distributed.comm import CommClosedError

from runner.cluster import window
from runner.cluster.window import LEAST_S, Window
from runner.errors import ClusterError
from tests.cluster import tasks


def test_a_task_is_submitted_started_and_released(two_workers):
    with Window(two_workers, 3, 20) as window:
        item = window.submit(operator.add, 4)
        assert len(window._items) == 1
        window.start(item, window.taken)
        assert window.wait(item).value == 7
        window.release(item)
        assert not window._items


def test_another_worker_is_asked_after_ten_times_the_usual(two_workers):
    window = Window(two_workers, 3, 20)
    assert window.overtime_s == 20
    window._seconds.extend([0.1, 0.2, 0.3])
    assert window.overtime_s == LEAST_S
    window._seconds.extend([3.0] * 4)
    assert window.overtime_s == 30


def tasks_of(name, dask_scheduler):
    return [key for key in dask_scheduler.tasks if name in str(key)]


def test_what_first_came_counts_and_the_others_are_forgotten(two_workers):
    with Window(two_workers, 3, 20) as window:
        item = window.submit(operator.add, 4)
        window._call(window._ask_others(item))
        window.start(item, window.reaching.fetched)
        assert window.wait(item).value == 7
        assert len(item.copies) == 1
        name = window.reaching._name
        assert two_workers.run_on_scheduler(tasks_of, name)
    deadline = time.monotonic() + 5
    while left := two_workers.run_on_scheduler(tasks_of, name):
        assert time.monotonic() < deadline, left
        time.sleep(0.02)
    assert not window._late


def test_what_all_share_is_sent_again_once_however_often_others_are_asked(
    two_workers, monkeypatch
):
    monkeypatch.setattr(window, "LEAST_S", 0.1)
    monkeypatch.setattr(window, "TIMES", 0)
    with Window(two_workers, 0.5, 0.1) as asked:
        for number in range(4):
            item = asked.submit(tasks.pid_after, number)
            asked.start(item, asked.taken)
            assert asked.wait(item).value[0] == number
            assert len(asked._givens) <= 2
            asked.release(item)


def test_it_ends_on_an_error_too(two_workers):
    with pytest.raises(ZeroDivisionError), Window(two_workers, 3, 20) as window:
        1 / window.submit(operator.add, 4).number
    assert not window._items


def test_a_connection_that_ends_while_others_are_asked_is_a_lost_scheduler(
    two_workers, monkeypatch
):
    async def closed(*_):
        raise CommClosedError("in <TCP (closed) ConnectionPool.who_has local=tcp://127.0.0.1:1>")

    with Window(two_workers, 3, 20) as asked:
        item = asked.submit(operator.add, 4)
        monkeypatch.setattr(asked.reaching, "whereabouts", closed)
        with pytest.raises(ClusterError, match="until the end; got a connection that was closed"):
            asked._call(asked._ask_others(item))
