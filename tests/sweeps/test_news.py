"""What workers tell of members, taken once and in a thread of its own."""

import pickle
import threading
import time

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


def test_shards_that_have_begun_are_waited_for_within_limits():
    news = News(lambda _: None)
    with news.told():
        news.hear([BEGUN, "a"])
        began = time.monotonic()
        news.wait_for_all(0.2)
        assert 0.2 <= time.monotonic() - began < 5
        threading.Timer(0.2, news.hear, [[OVER, "a"]]).start()
        began = time.monotonic()
        news.wait_for_all(30)
        assert time.monotonic() - began < 15
