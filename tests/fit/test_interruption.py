"""The first Ctrl-C is a request, the second one is obeyed at once."""

import os
import signal
import threading

import pytest

from runner.fit.interruption import Interruption


def test_the_first_is_remembered_and_told(capsys):
    with Interruption() as interruption:
        assert not interruption.is_asked
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.is_asked
    assert "Ctrl-C once more stops at once" in capsys.readouterr().err


def test_the_second_is_raised():
    with Interruption():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_the_signal_is_given_back():
    with Interruption():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_somebody_else_has_is_left_to_them():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            os.kill(os.getpid(), signal.SIGINT)
            assert not interruption.is_asked
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_elsewhere_than_in_the_main_thread_nothing_is_taken():
    found = []

    def enter():
        with Interruption() as interruption:
            found.append((interruption.is_asked, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [(False, signal.default_int_handler)]
