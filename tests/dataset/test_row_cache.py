import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from runner.dataset.row_cache import RowCache

TABLE = pa.table({"x": range(10)})


class Loader:
    """Loads the table, and counts how often."""

    def __init__(self, pause_s=0.0):
        self.calls, self.pause_s = 0, pause_s

    def __call__(self):
        self.calls += 1
        time.sleep(self.pause_s)
        return TABLE


def take(cache, key, start, stop, load, *, nbytes=10):
    return cache.rows(key, (start, stop, 10), nbytes, load).column("x").to_pylist()


def test_the_rows_of_a_group_are_loaded_once():
    cache, load = RowCache(100), Loader()
    assert take(cache, "a", 0, 4, load) == [0, 1, 2, 3]
    assert take(cache, "a", 4, 10, load) == [4, 5, 6, 7, 8, 9]
    assert load.calls == 1


def test_a_group_leaves_when_all_its_rows_were_taken():
    cache, load = RowCache(100), Loader()
    take(cache, "a", 0, 5, load)
    assert len(cache._groups) == 1
    take(cache, "a", 5, 10, load)
    assert cache._groups == {}


def test_the_group_used_longest_ago_leaves_first():
    cache, a, b, c = RowCache(25), Loader(), Loader(), Loader()
    take(cache, "a", 0, 1, a)
    take(cache, "b", 0, 1, b)
    take(cache, "a", 1, 2, a)
    take(cache, "c", 0, 1, c)
    take(cache, "a", 2, 3, a)
    take(cache, "b", 1, 2, b)
    assert (a.calls, b.calls, c.calls) == (1, 2, 1)


def test_never_more_bytes_than_the_limit_are_kept():
    cache = RowCache(100)
    for i in range(50):
        take(cache, i % 7, 0, 1, Loader(), nbytes=30)
        assert sum(group.nbytes for group in cache._groups.values()) <= 100


def test_threads_that_want_the_same_group_load_it_once():
    cache, load = RowCache(100), Loader(pause_s=0.05)
    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(lambda i: take(cache, "a", i, i + 1, load), range(5)))
    assert found == [[i] for i in range(5)]
    assert load.calls == 1


def test_threads_that_want_other_groups_do_not_wait_for_each_other():
    cache, both = RowCache(100), threading.Barrier(2, timeout=10)

    def load():
        both.wait()
        return TABLE

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda key: take(cache, key, 0, 1, load), "ab"))
    assert found == [[0], [0]]


def test_a_failure_reaches_all_who_wait_and_is_tried_again_after():
    cache, entered = RowCache(100), threading.Event()

    def fail():
        entered.set()
        time.sleep(0.05)
        raise OSError("bad page")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(take, cache, "a", 0, 1, fail)
        entered.wait(10)
        second = pool.submit(take, cache, "a", 1, 2, fail)
        for waiting in (first, second):
            with pytest.raises(OSError, match="bad page"):
                waiting.result()
    assert take(cache, "a", 0, 1, Loader()) == [0]
