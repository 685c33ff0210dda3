import os
import signal
import threading
from contextlib import ExitStack

import pytest

from runner.errors import Terminated
from runner.tracking.termination import _raise, terminated_by_signal


def test_sigterm_is_raised_and_the_former_reaction_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), terminated_by_signal():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_exception_says_which_signal_it_was(number):
    with pytest.raises(Terminated, match=number.name), terminated_by_signal():
        os.kill(os.getpid(), number)


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminated_by_signal():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_sigterm_does_not_disturb_the_ending():
    with terminated_by_signal():
        with pytest.raises(Terminated):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGHUP)


def test_another_thread_leaves_signals_alone():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def look():
        with terminated_by_signal():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [before]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_last_of_many_that_are_left_in_any_order_gives_the_signals_back(order):
    before = signal.getsignal(signal.SIGTERM)
    stacks = [ExitStack() for _ in order]
    for stack in stacks:
        stack.enter_context(terminated_by_signal())
    *others, last = order
    for number in others:
        stacks[number].close()
        with pytest.raises(Terminated):
            os.kill(os.getpid(), signal.SIGTERM)
        signal.signal(signal.SIGTERM, _raise)
    assert signal.getsignal(signal.SIGTERM) is not before
    stacks[last].close()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_run_that_opens_after_the_signal_does_not_take_it_again():
    with terminated_by_signal():
        with pytest.raises(Terminated):
            os.kill(os.getpid(), signal.SIGTERM)
        with terminated_by_signal():
            os.kill(os.getpid(), signal.SIGTERM)
