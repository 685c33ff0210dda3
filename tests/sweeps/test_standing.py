"""How the members of a sweep stand while it runs."""

from runner.records import Outcome
from runner.sweeps.standing import Standing
from runner.tracking.memory_sweep import MemorySweep
from tests.sweeps.conftest import Heard


def outcome(number, status="PENDING", **known):
    return Outcome(number=number, name=str(number), key=str(number), status=status, **known)


def test_all_members_are_pending_until_they_end():
    standing = Standing([outcome(1), outcome(0)], MemorySweep("s"), Heard())
    assert standing.outcomes == [outcome(0), outcome(1)]


def test_each_that_ends_is_told_and_kept_at_once():
    run, heard = MemorySweep("s"), Heard()
    standing = Standing([outcome(0), outcome(1)], run, heard)
    done = outcome(1, "FINISHED", scores={"accuracy": 0.5})
    standing.ended(done)
    assert heard.ended == [done]
    assert run.outcomes == (outcome(0), done)
    assert not run.is_final
    assert standing.outcomes == [outcome(0), done]


def test_what_was_told_elsewhere_is_only_taken():
    run, heard = MemorySweep("s"), Heard()
    standing = Standing([outcome(0)], run, heard)
    standing.take(outcome(0, "FAILED"))
    assert standing.outcomes == [outcome(0, "FAILED")]
    assert heard.ended == []
    assert run.outcomes == ()


def test_members_of_this_process_are_wanted_until_a_signal_says_otherwise():
    assert Standing([], None, None).is_wanted
