"""Warnings are recorded where work is done, and issued where it was asked for."""

import threading
import warnings

import pytest

from runner.cluster.told import Told, issue, recorded


def test_what_a_thread_warns_of_is_its_own():
    heard, ready = {}, threading.Barrier(2)

    def work(name):
        with recorded() as told:
            ready.wait(5)
            warnings.warn(name, UserWarning, stacklevel=1)
            ready.wait(5)
        heard[name] = [str(each.message) for each in told]

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {"a": ["a"], "b": ["b"]}


def test_what_a_helping_thread_warns_of_is_not_lost():
    with recorded() as told:
        thread = threading.Thread(target=warnings.warn, args=("from afar", UserWarning))
        thread.start()
        thread.join()
    assert [str(each.message) for each in told] == ["from afar"]


def test_afterwards_warnings_are_shown_as_before():
    before = warnings.showwarning, list(warnings.filters)
    with pytest.raises(ValueError, match="no"), recorded():
        raise ValueError("no")
    assert (warnings.showwarning, list(warnings.filters)) == before


def test_what_is_to_be_shown_once_is_shown_once():
    told, seen = [Told(UserWarning("again"), UserWarning, "a.py", 3)], {}
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")
        for _ in range(3):
            issue(told, seen)
    assert [(each.filename, each.lineno) for each in shown] == [("a.py", 3)]
