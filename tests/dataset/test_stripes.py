import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset.stripes import Stripes


def rows(stripes, start, stop):
    return [
        (source, row)
        for source, begin, end in stripes.runs(start, stop)
        for row in range(begin, end)
    ]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=5),
    st.integers(1, 9),
    st.integers(1, 40),
)
def test_the_order_is_of_all_rows_and_does_not_depend_on_the_blocks(sizes, n_stripes, size):
    stripes = Stripes(np.array(sizes), n_stripes)
    n_rows = sum(sizes)

    whole = rows(stripes, 0, n_rows)
    by_blocks = [
        row
        for start in range(0, n_rows, size)
        for row in rows(stripes, start, min(start + size, n_rows))
    ]

    assert by_blocks == whole
    assert sorted(whole) == [(i, row) for i, n in enumerate(sizes) for row in range(n)]


def test_one_stripe_is_source_after_source():
    assert rows(Stripes(np.array([2, 0, 1]), 1), 0, 3) == [(0, 0), (0, 1), (2, 0)]


def test_each_stripe_has_its_share_of_each_source():
    stripes = Stripes(np.array([8_000, 2_000]), n_stripes=10)
    for start in range(0, 10_000, 1_000):
        sources = [source for source, _ in rows(stripes, start, start + 1_000)]
        assert sources.count(1) == 200


@pytest.mark.parametrize("n_stripes", [1, 3])
def test_no_rows_have_no_runs(n_stripes):
    assert list(Stripes(np.array([5, 5]), n_stripes).runs(4, 4)) == []
