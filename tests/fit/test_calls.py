"""Every call of ``partial_fit`` gets the arguments, and weights where there are some."""

import numpy as np

from runner.base import Block, Place
from runner.fit.calls import Calls
from runner.fit.labels import LabelWeights


class Spy:
    def __init__(self):
        self.calls = []

    def partial_fit(self, *args, **arguments):
        self.calls.append((args, arguments))


def block_of(y=None, sample_weight=None):
    return Block(np.ones((2, 1)), y, sample_weight, Place(0, 0, 2))


def test_without_a_target_there_is_only_x():
    spy = Spy()
    Calls({})(spy, block_of())
    ((args, arguments),) = spy.calls
    assert len(args) == 1
    assert arguments == {}


def test_the_weights_of_labels_and_rows_are_multiplied():
    spy, y = Spy(), np.array([0, 1])
    calls = Calls({"classes": [0, 1]}, LabelWeights({0: 1.0, 1: 3.0}))
    calls(spy, block_of(y, np.array([1.0, 2.0])))
    ((args, arguments),) = spy.calls
    assert args[1] is y
    assert arguments["sample_weight"].tolist() == [1.0, 6.0]
    assert arguments["classes"] == [0, 1]


def test_what_learns_elsewhere_is_called_instead():
    told = []
    Calls({})("model", block_of(), lambda *call: told.append(call))
    assert told[0][0] == "model"


def test_a_state_holds_what_a_pass_over_the_labels_found():
    before, after, spy = (
        Calls({"classes": [0, 1]}, LabelWeights({0: 2.0, 1: 1.0})),
        Calls({}),
        Spy(),
    )
    after.restore(before.state())
    assert after.classes == [0, 1]
    after(spy, block_of(np.array([0, 1])))
    assert spy.calls[0][1]["sample_weight"].tolist() == [2.0, 1.0]
