"""The first result of a task counts."""

from runner.cluster.item import Item
from runner.cluster.outcomes import Outcome


def test_the_first_end_counts_and_carries_what_is_to_be_told():
    item = Item(0, b"", None, ["a", "b"], told=["soon"])
    answer = item.answer
    item.end(answer, "b", Outcome(1, told=["late"]))
    item.end(answer, "a", Outcome(2))
    copy, outcome = answer.result()
    assert (copy, outcome.value, outcome.told) == ("b", 1, ["soon", "late"])


def test_what_comes_late_is_no_answer_to_the_next_step():
    item = Item(0, b"", None, ["a"])
    before = item.answer
    item.renew()
    item.end(before, "a", Outcome(1))
    assert not item.answer.done()
    assert item.result == "a"
