"""What a worker does is wanted as long as its client waits for it."""

import pytest

from runner.sweeps import wanted as module
from runner.sweeps.wanted import WhileWanted, check_wanted, followed, wanted


class Fit:
    reason = ""

    def interrupt(self, reason):
        self.reason = reason


def test_outside_a_worker_everything_is_wanted():
    assert wanted()()
    with followed("topic") as is_wanted:
        assert is_wanted()


def test_the_client_hears_of_the_beginning_and_of_the_end_however_it_comes(monkeypatch):
    heard = []
    monkeypatch.setattr(module, "tell", lambda topic, message: heard.append((topic, *message)))
    with pytest.raises(RuntimeError), followed("a topic"):
        raise RuntimeError
    (begun, over) = heard
    assert begun[:2] == ("a topic", "begun")
    assert over == ("a topic", "over", *begun[2:])


def test_what_nobody_waits_for_does_not_begin(monkeypatch):
    monkeypatch.setattr(module, "wanted", lambda: lambda: False)
    with pytest.raises(KeyboardInterrupt), followed("topic"):
        pytest.fail("it began")
    check_wanted(lambda: True)


@pytest.mark.parametrize("is_wanted", [True, False])
def test_what_learns_stops_after_its_block_when_nobody_waits(is_wanted):
    fits = [Fit(), Fit()]
    WhileWanted(lambda: is_wanted).between_blocks(fits)
    assert [fit.reason for fit in fits] == ["" if is_wanted else "the sweep was stopped"] * 2
