import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset.permutation import permutation, row_order, unshuffled
from runner.seeds import derive


@settings(deadline=None, max_examples=150)
@given(n=st.integers(1, 3000), seed=st.integers(0, 2**32))
def test_every_number_is_reached_once(n, seed):
    moved = permutation(derive(seed), n)(np.arange(n))
    assert sorted(moved.tolist()) == list(range(n))


@settings(deadline=None, max_examples=100)
@given(n=st.integers(1, 10**18), seed=st.integers(0, 2**32), share=st.floats(0, 1))
def test_numbers_stay_below_however_many_there_are(n, seed, share):
    most = max(0, n - 50)
    start = min(int(share * most), most)
    numbers = np.arange(start, min(n, start + 50))
    moved = permutation(derive(seed), n)(numbers)
    assert moved.dtype == np.int64
    assert len(set(moved.tolist())) == len(numbers)
    assert moved.min() >= 0
    assert moved.max() < n


@settings(deadline=None, max_examples=50)
@given(numbers=st.lists(st.integers(0, 999), max_size=50))
def test_a_number_goes_where_it_goes_whatever_it_is_asked_with(numbers):
    order = permutation(derive(1), 1000)
    whole = order(np.arange(1000))
    np.testing.assert_array_equal(order(np.array(numbers, int)), whole[numbers])


def test_every_place_is_as_likely():
    n, draws = 10, 5000
    places = np.array([permutation(derive(seed), n)(np.arange(n)) for seed in range(draws)])
    for number in range(n):
        counts = np.bincount(places[:, number], minlength=n)
        np.testing.assert_allclose(counts, draws / n, atol=6 * (draws / n) ** 0.5)


def test_every_order_of_three_is_as_likely():
    orders = [tuple(permutation(derive(seed), 3)(np.arange(3))) for seed in range(3000)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    np.testing.assert_allclose(counts, 500, atol=6 * 500**0.5)


def test_neighbours_do_not_stay_neighbours():
    n = 100_000
    moved = permutation(derive(0), n)(np.arange(n))
    assert abs(np.corrcoef(moved[:-1], moved[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(moved, np.arange(n))[0, 1]) < 0.02


def test_blocks_are_as_mixed_as_by_drawing_them():
    n, size = 100_000, 500
    first_half = permutation(derive(0), n)(np.arange(n)) < n // 2
    share = first_half.reshape(-1, size).mean(axis=1)
    assert share.std() == pytest.approx((0.25 / size) ** 0.5, rel=0.2)


def test_the_seed_decides_the_order():
    first, again, other = (row_order(100, True, seed)(np.arange(100)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_rows_that_are_not_shuffled_stay_where_they_are():
    order = row_order(10, False, 3)
    assert order is unshuffled
    np.testing.assert_array_equal(order(np.arange(10)), np.arange(10))


def test_an_order_survives_the_way_to_a_worker():
    order = row_order(100, True, 3)
    sent = pickle.loads(pickle.dumps(order))  # noqa: S301  (our own bytes)
    np.testing.assert_array_equal(sent(np.arange(100)), order(np.arange(100)))
