"""The progressive score's window."""

import math

import numpy as np

from runner.base import Block, Place
from runner.fit.progressive import Progressive


def block_of(n_rows):
    return Block(np.ones((n_rows, 1)), None, None, Place(0, 0, n_rows))


def progressive_of(values, window):
    scores = iter(values)
    return Progressive(lambda *_: {"accuracy": next(scores)}, window)


def test_blocks_count_by_their_rows():
    score = progressive_of([1.0, 0.0], window=5)
    score.update(None, block_of(30))
    assert score.update(None, block_of(10)) == {"accuracy": 0.75}


def test_only_the_last_blocks_of_the_window_count():
    score = progressive_of([0.0, 1.0, 1.0], window=2)
    for _ in range(2):
        score.update(None, block_of(10))
    assert score.update(None, block_of(10)) == {"accuracy": 1.0}


def test_a_score_that_is_not_defined_on_a_block_is_left_out():
    score = progressive_of([0.5, math.nan], window=5)
    score.update(None, block_of(10))
    assert score.update(None, block_of(10)) == {"accuracy": 0.5}


def test_where_none_is_defined_the_average_is_not_either():
    assert math.isnan(progressive_of([math.nan], 5).update(None, block_of(1))["accuracy"])


def test_a_restart_forgets():
    score = progressive_of([0.0, 1.0], window=5)
    score.update(None, block_of(10))
    score.restart()
    assert score.update(None, block_of(10)) == {"accuracy": 1.0}
