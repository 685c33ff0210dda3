"""When held-out rows are scored on the way, and that nothing comes of it."""

from itertools import pairwise

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import Birch
from sklearn.linear_model import SGDClassifier

from runner.fit.held_out import EPOCH, HeldOut


def due_after(every, growth, blocks):
    """Return after how many rows a score is due, for blocks of these sizes."""
    held_out = HeldOut(None, None, every, growth)
    learned = np.cumsum(blocks).tolist()
    return [rows for rows in learned if held_out.is_due(rows)]


@pytest.mark.parametrize(
    ("every", "growth", "expected"),
    [
        (100, 1.0, [100, 200, 300, 400, 500, 600, 700, 800]),
        (200, 2.0, [200, 400, 800]),
        (100, 3.0, [100, 300]),
        (100, 1.5, [100, 200, 300, 500, 700]),
        (250, 1.0, [300, 500, 800]),
        (801, 1.0, []),
        (1, 1.0, [100, 200, 300, 400, 500, 600, 700, 800]),
        (EPOCH, 1.0, []),
    ],
)
def test_a_score_is_due_at_the_first_block_that_reaches_its_rows(every, growth, expected):
    assert due_after(every, growth, [100] * 8) == expected


@settings(deadline=None, max_examples=200)
@given(
    every=st.integers(1, 50),
    growth=st.just(1.0) | st.floats(1.0, 4.0),
    blocks=st.lists(st.integers(0, 60), min_size=1, max_size=40),
)
def test_no_score_is_missed_doubled_or_early(every, growth, blocks):
    due = due_after(every, growth, blocks)
    wanted = [float(every)]
    while wanted[-1] <= sum(blocks):
        wanted.append(max(wanted[-1] * growth, wanted[-1] + every))
    learned = [0, *np.cumsum(blocks).tolist()]
    expected = [b for a, b in pairwise(learned) if any(a < rows <= b for rows in wanted)]
    assert due == expected


def test_an_empty_block_asks_for_no_second_score():
    assert due_after(100, 1.0, [100, 0, 0, 100]) == [100, 200]


def test_growth_that_is_next_to_none_takes_no_longer():
    assert len(due_after(1000, float(np.nextafter(1, 2)), [10_000_000] * 3)) == 3


@pytest.mark.parametrize(("every", "is_last", "due"), [(EPOCH, 0, 1), (EPOCH, 1, 1), (5, 0, 0)])
def test_the_end_of_an_epoch_has_a_score_if_that_is_asked_for(every, is_last, due):
    assert HeldOut(None, None, every).is_due_at_epoch_end(10, is_last) == due


def test_the_end_has_a_score_but_no_second_one_of_the_same_state(held_out_of):
    held_out = held_out_of(lambda _: {"accuracy": 0.5}, every=100)
    assert held_out.is_due_at_epoch_end(150, is_last=True)
    assert held_out.begin(None, 150).evaluated().scores == {"accuracy": 0.5}
    assert not held_out.is_due_at_epoch_end(150, is_last=True)
    assert held_out.is_due_at_epoch_end(175, is_last=True)


class Moody:
    """Changes whenever it is asked, and then learns otherwise."""

    def __init__(self):
        self.rng = np.random.default_rng(0)
        self.drawn = []

    def partial_fit(self, X, y=None):
        self.drawn.append(self.rng.random())

    def predict(self, X):
        self.asked = True
        return self.rng.random(len(X))


def test_an_estimator_that_changes_when_it_is_asked_learns_the_same(held_out_of):
    asked, left = Moody(), Moody()
    held_out = held_out_of(lambda estimator: {"mean": estimator.predict(np.ones(3)).mean()})
    for _ in range(3):
        asked.partial_fit(None)
        left.partial_fit(None)
        held_out.begin(asked, 1)
    assert joblib.hash(asked) == joblib.hash(left)


def test_the_score_is_that_of_the_estimator_as_it_is(held_out_of):
    X, y = np.array([[-1.0], [1.0]]), np.array([0, 1])
    model = SGDClassifier(random_state=0).partial_fit(X, y, classes=[0, 1])
    held_out = held_out_of(lambda estimator: {"accuracy": estimator.score(X, y)})
    assert held_out.begin(model, 2).scores == {"accuracy": model.score(X, y)}


def test_what_cannot_be_copied_is_asked_itself(held_out_of):
    rng = np.random.default_rng(0)
    birch = Birch(threshold=0.01, n_clusters=None, branching_factor=5)
    birch.partial_fit(rng.normal(size=(5000, 5)))  # a chain of so many leaves is too deep to copy
    held_out = held_out_of(lambda estimator: {"is_same": estimator is birch})
    assert held_out.begin(birch, 1).scores == {"is_same": True}
