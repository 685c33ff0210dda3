"""What workers tell of members, taken once and in a thread of its own."""

import pickle
import threading
import time

import pytest

from runner.errors import Terminated, TrackingError
from runner.records import Outcome
from runner.sweeps.news import BEGUN, ENDED, OVER, News


def outcome(number, status, **known):
    return Outcome(number=number, name=str(number), key=f"key {number}", status=status, **known)


def test_what_is_heard_is_told_once_by_a_thread_and_all_of_it():
    told, threads = [], set()

    def on_end(each):
        told.append(each)
        threads.add(threading.current_thread())

    news = News(on_end)
    with news.told():
        for number in (0, 1, 0):
            news.hear([ENDED, pickle.dumps(outcome(number, "FINISHED"))])
    assert told == [outcome(0, "FINISHED"), outcome(1, "FINISHED")]
    assert threading.current_thread() not in threads
    assert all(not thread.is_alive() for thread in threads)
    assert news.is_done(0)
    assert not news.is_done(2)


def test_an_interrupted_member_may_finish_later_and_one_that_ended_stays_so():
    told = []
    news = News(told.append)
    interrupted, finished = outcome(0, "KILLED"), outcome(0, "FINISHED", rows=9)
    news.take(interrupted)
    news.take(interrupted)
    assert not news.is_done(0)
    news.take(finished)
    news.take(outcome(0, "FAILED"))
    assert news.is_done(0)
    assert told == [interrupted, finished]


def test_what_cannot_be_told_is_raised_at_the_end_and_the_rest_is_told():
    told = []

    def on_end(each):
        if each.number == 0:
            raise TrackingError("The store", "answer", got="nothing", remedy="Start it.")
        told.append(each.number)

    news = News(on_end)
    for number in (0, 1):
        news.hear([ENDED, pickle.dumps(outcome(number, "FINISHED"))])
    news.hear([ENDED, b"no pickle"])
    news.hear([ENDED, pickle.dumps(outcome(2, "FINISHED"))])
    with pytest.raises(TrackingError, match="must answer"), news.told():
        pass
    assert told == [1, 2]
    assert [news.is_done(number) for number in range(3)] == [False, True, True]


def test_what_ends_the_sweep_goes_before_what_could_not_be_told():
    news = News()
    news.hear([ENDED, b"no pickle"])
    with pytest.raises(KeyboardInterrupt), news.told():
        raise KeyboardInterrupt


def test_what_has_begun_is_waited_for_within_limits():
    news = News()
    with news.told():
        news.hear([BEGUN, "there", "a"])
        began = time.monotonic()
        news.wait_for_all(0.2, lambda: {"there"})
        assert 0.2 <= time.monotonic() - began < 15
        news.hear([BEGUN, "there", "b"])
        news.hear([OVER, "there", "a"])
        threading.Timer(0.2, news.hear, [[OVER, "there", "b"]]).start()
        began = time.monotonic()
        news.wait_for_all(30, lambda: {"there"})
        assert 0.15 <= time.monotonic() - began < 15


def lost():
    raise OSError("no scheduler")


@pytest.mark.parametrize("present", [lambda: {"another"}, lost])
@pytest.mark.parametrize("error", [KeyboardInterrupt, Terminated])
def test_nobody_waits_for_what_a_dead_worker_had_begun(present, error, capsys):
    news, began = News(), time.monotonic()
    with news.told():
        news.hear([BEGUN, "gone", "a"])
        with pytest.raises(error), news.states_kept(present):
            raise error
    assert time.monotonic() - began < 10
    assert ("stopping after this block" in capsys.readouterr().err) == (error is KeyboardInterrupt)


def test_a_fault_ends_it_at_once():
    news = News()
    with pytest.raises(RuntimeError), news.states_kept(pytest.fail):
        raise RuntimeError
