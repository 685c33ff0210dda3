import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import SGDClassifier
from sklearn.multiclass import OneVsRestClassifier

from runner.seeds import derive, seed_estimator, uniform_rows

KEYS = st.lists(st.text(min_size=1, max_size=8) | st.integers(0, 2**31), max_size=3).map(tuple)


def state(*args):
    return derive(*args).generate_state(4).tolist()


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**64), keys=KEYS)
def test_the_same_seed_and_keys_give_the_same_stream(seed, keys):
    assert state(seed, *keys) == state(seed, *keys)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**64), keys=KEYS, others=KEYS)
def test_other_keys_give_another_stream(seed, keys, others):
    assert (state(seed, *keys) == state(seed, *others)) == (keys == others)


def test_another_seed_gives_another_stream():
    assert state(0, "order", 3) != state(1, "order", 3)


def test_a_number_as_key_is_what_numpy_spawns():
    children = np.random.SeedSequence(7).spawn(3)
    assert [state(7, i) for i in range(3)] == [
        child.generate_state(4).tolist() for child in children
    ]


@settings(deadline=None, max_examples=100)
@given(start=st.integers(0, 999), n=st.integers(0, 1000))
def test_a_row_draws_the_same_number_from_wherever_it_is_asked(start, n):
    whole = uniform_rows(derive(3, "split"), 0, 2000)
    np.testing.assert_array_equal(
        uniform_rows(derive(3, "split"), start, start + n), whole[start : start + n]
    )


def test_the_numbers_are_uniform():
    drawn = uniform_rows(derive(0, "split"), 0, 100_000)
    assert drawn.min() >= 0
    assert drawn.max() < 1
    np.testing.assert_allclose(np.histogram(drawn, 10, (0, 1))[0], 10_000, atol=500)


@pytest.mark.parametrize("start", [10**9, 10**15 + 3])
def test_rows_far_away_cost_no_more(start):
    began = time.perf_counter()
    assert uniform_rows(derive(0, "split"), start, start + 100).shape == (100,)
    assert time.perf_counter() - began < 1


def test_different_streams_draw_different_numbers():
    one, other = (uniform_rows(derive(0, key), 0, 1000) for key in ("split", "order"))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.15


def test_a_random_state_that_was_set_is_left_alone():
    estimator = SGDClassifier(random_state=5)
    seed_estimator(estimator, 10)
    assert estimator.random_state == 5


def test_random_states_inside_are_set_too():
    nested = OneVsRestClassifier(SGDClassifier())
    seed_estimator(nested, 3)
    assert nested.estimator.random_state == 3


def test_an_estimator_of_another_kind_needs_no_parameters():
    class Plain:
        def partial_fit(self, X, y=None):
            return self

    seed_estimator(Plain(), 1)
