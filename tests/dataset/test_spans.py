import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset.spans import edges_of, spans


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.data())
def test_the_spans_of_any_rows_are_those_rows(sizes, data):
    rows = [(part, row) for part, size in enumerate(sizes) for row in range(size)]
    start = data.draw(st.integers(0, len(rows)))
    stop = data.draw(st.integers(start, len(rows)))

    found = list(spans(edges_of(sizes), start, stop))

    assert [(part, row) for part, begin, end in found for row in range(begin, end)] == (
        rows[start:stop]
    )
    assert all(begin < end for _, begin, end in found)


def test_edges_count_rows_beyond_32_bits():
    assert edges_of([2**31, 2**31]).tolist() == [0, 2**31, 2**32]
    assert edges_of(np.array([], dtype=np.int64)).tolist() == [0]
