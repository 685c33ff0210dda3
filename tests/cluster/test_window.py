"""A window takes back what it submitted."""

import operator

import pytest

from runner.cluster.window import LEAST_S, Window


def test_a_task_is_submitted_started_and_released(two_workers):
    with Window(two_workers, 3, 20) as window:
        item = window.submit(operator.add, 4)
        assert window.n_items == 1
        window.start(item, window.taken)
        assert window.wait(item).value == 7
        window.release(item)
        assert window.n_items == 0


def test_another_worker_is_asked_after_ten_times_the_usual(two_workers):
    window = Window(two_workers, 3, 20)
    assert window.overtime_s == 20
    window._seconds.extend([0.1, 0.2, 0.3])
    assert window.overtime_s == LEAST_S
    window._seconds.extend([3.0] * 4)
    assert window.overtime_s == 30


def test_what_first_came_counts_and_the_others_are_forgotten(two_workers):
    with Window(two_workers, 3, 20) as window:
        item = window.submit(operator.add, 4)
        window._call(window._ask_others(item))
        window.start(item, window.reaching.fetched)
        assert window.wait(item).value == 7
        assert len(item.copies) == 1
    assert item.copies[0].status == "cancelled" or item.copies[0].status == "finished"


def test_it_ends_on_an_error_too(two_workers):
    with pytest.raises(ZeroDivisionError), Window(two_workers, 3, 20) as window:
        1 / window.submit(operator.add, 4).number
    assert window.n_items == 0
