"""What a person is told of a sweep, where nobody listens."""

import inspect
import pickle

from runner.base import Split
from runner.records import Outcome
from runner.shown import Shown
from runner.sweeps.plan import Plan
from runner.sweeps.teller import Teller
from runner.tracking.memory_sweep import MemorySweep


def test_a_teller_of_its_own_is_silent(capsys):
    teller, outcome = Teller(), Outcome(number=0, name="0", key="")
    teller.on_plan(Plan(()), is_dry=False)
    teller.on_result(None, None)
    teller.on_member_end(outcome)
    teller.on_dry_run(None, Split(None))
    teller.on_sweep_end([outcome], MemorySweep("s"), ["halving chose nothing"])
    assert capsys.readouterr() == ("", "")


def test_tellers_go_to_other_processes():
    for teller in (Teller(), Shown()):
        assert type(pickle.loads(pickle.dumps(teller))) is type(teller)  # noqa: S301


def test_what_is_shown_has_the_signatures_of_what_is_told():
    for name, method in inspect.getmembers(Teller, inspect.isfunction):
        assert inspect.signature(getattr(Shown, name)) == inspect.signature(method)
