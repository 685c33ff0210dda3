"""Held-out rows whose scores a test decides."""

import pytest

from runner.fit.held_out import EPOCH, HeldOut
from runner.records import Evaluated


class Known:
    """A measurement that knows its scores."""

    def __init__(self, scores):
        self.scores = scores
        self.wants_more = True
        self.blocks = []

    def question(self, block):
        return None

    def add(self, block):
        self.blocks.append(block.place.number)

    def evaluated(self, *, warn=True):
        return Evaluated(self.scores, 0)


@pytest.fixture
def held_out_of():
    """Return what makes held-out rows of what scores an estimator, without any row."""

    def make(score, every=EPOCH, growth=1.0, blocks=()):
        def read(then=None):
            yield from blocks

        return HeldOut(lambda estimator: Known(score(estimator)), read, every, growth)

    return make
