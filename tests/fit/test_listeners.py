"""Callbacks are told together, in their order, and their states go with the fit."""

import numpy as np
import pytest

from runner.base import Block, Callback, Place, Progress
from runner.errors import FitError, RunnerWarning
from runner.fit.listeners import Listeners

BLOCK = Block(np.ones((2, 1)), None, None, Place(4, 8, 10), epoch=1, position=3)


class Hears(Callback):
    def __init__(self, told, name="one"):
        self.told = told
        self.name = name
        self.seen = 0

    def on_fit_begin(self, progress, estimator):
        self.told.append((self.name, "begin", estimator))

    def on_block_end(self, progress, block):
        self.seen += 1
        self.told.append((self.name, "block", block.position))

    def on_bad_block(self, progress, place, epoch, position, error):
        self.told.append((self.name, "bad", place.number, epoch, position))

    def on_held_out(self, progress):
        self.told.append((self.name, "held out"))

    def on_epoch_end(self, progress):
        self.told.append((self.name, "epoch"))

    def on_fit_end(self, progress):
        self.told.append((self.name, "end"))

    def state(self):
        return self.seen

    def restore(self, state):
        self.told.append((self.name, "restore", state))
        self.seen = state


class Breaks(Callback):
    def on_fit_end(self, progress):
        raise RuntimeError("no")


def test_all_hear_of_everything_in_their_order():
    told = []
    listeners = Listeners({"a": Hears(told, "a"), "b": Hears(told, "b")}, Progress())
    listeners.begin("it")
    listeners.learned(BLOCK)
    listeners.passed_over(BLOCK, FitError("x", "y", got="z", remedy="w."))
    listeners.tested()
    listeners.end_epoch()
    listeners.end()
    heard = [("begin", "it"), ("block", 3), ("bad", 4, 1, 3), ("held out",), ("epoch",), ("end",)]
    assert told == [(name, *what) for what in heard for name in ("a", "b")]


def test_a_state_is_restored_after_the_beginning_and_only_where_there_is_one():
    told = []
    before = Listeners({"a": Hears([]), "none": Callback()}, Progress())
    before.learned(BLOCK)
    after = Listeners({"a": Hears(told, "a"), "none": Callback(), "new": Hears([])}, Progress())
    after.restore(before.state())
    after.begin(None)
    assert told == [("a", "begin", None), ("a", "restore", 1)]


def test_one_that_fails_in_the_end_does_not_silence_the_others():
    told = []
    listeners = Listeners({"breaks": Breaks(), "hears": Hears(told)}, Progress())
    with pytest.warns(RunnerWarning, match="callback breaks failed at the end of the fit"):
        listeners.end()
    assert told == [("one", "end")]
