"""What is known of a block is what a look at all its rows would tell."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array
from sklearn.linear_model import SGDClassifier

from runner.base import Block, Place
from runner.elsewhere import label_counts
from runner.errors import FitError
from runner.facts import MOST_LABELS, examine, squares
from runner.fit.blame import check_block
from runner.fit.mixing import Mixing
from runner.fit.scale import Scales

SHAPES = hnp.array_shapes(min_dims=1, max_dims=2, max_side=6)
LABELS = {
    "whole numbers": st.integers(-3, 3),
    "text": st.sampled_from(["a", "bb", ""]),
    "yes and no": st.booleans(),
    "objects": st.sampled_from(["a", 1, None, ("b", 2)]),
}


@pytest.mark.parametrize("kind", LABELS)
@given(data=st.data())
def test_labels_are_counted(kind, data):
    labels = data.draw(st.lists(LABELS[kind], max_size=30))
    dtype = {"whole numbers": np.int64, "text": "<U2", "yes and no": bool, "objects": object}[kind]
    y = np.fromiter(labels, dtype, len(labels))
    facts = examine(None, y)
    assert dict(zip(facts.labels.tolist(), facts.n_rows.tolist(), strict=True)) == Counter(labels)
    assert facts.labels.dtype == y.dtype


@pytest.mark.parametrize(
    "y",
    [
        None,
        np.ones(3),
        np.ones((3, 2), dtype=int),
        np.arange(MOST_LABELS + 1),
        np.array([{}, {}], object),
    ],
)
def test_fractions_several_columns_too_many_and_odd_things_are_not_counted(y):
    facts = examine(np.ones((3, 1)), y)
    assert facts.labels is None
    assert facts.n_rows is None


@given(hnp.arrays(st.sampled_from([np.float32, np.float64, np.int16]), SHAPES))
def test_squares_are_finite_only_if_every_number_is(array):
    total = squares(array)
    if np.isfinite(total):
        assert np.isfinite(array).all()
    elif array.dtype.kind == "f" and np.isfinite(array).all():
        assert np.abs(array).max() > np.sqrt(np.finfo(array.dtype).max / array.size) * 0.9


@pytest.mark.parametrize("values", [None, np.array(["a"]), pd.DataFrame({"a": [1.0]})])
def test_what_is_no_array_of_numbers_has_no_squares(values):
    assert squares(values) is None


def test_whole_numbers_to_learn_from_are_no_fractions_that_may_overflow():
    assert examine(np.ones((2, 1)), np.array([3, 4])).y_squares is None
    assert examine(np.ones((2, 1)), np.array([3.0, 4.0])).y_squares == 25


def test_of_sparse_rows_what_they_hold_is_squared():
    assert squares(csr_array(3 * np.eye(4))) == 36


def told(blocks):
    """Return all that the checks say of some blocks."""
    estimator, mixing, found = SGDClassifier(), Mixing(), []
    scales = Scales(estimator)
    for block in blocks:
        try:
            check_block(estimator, [0, 1], block)
        except FitError as error:
            found.append(str(error))
            continue
        mixing.add(block.y, block.facts)
        found += [scales(block), mixing.remark(), label_counts(block)]
    return found


@pytest.mark.parametrize("as_held", [np.asarray, csr_array, pd.DataFrame])
@given(
    numbers=st.lists(st.sampled_from([0.0, 1.0, -1.0, 1e7, 1e200, np.nan]), min_size=1),
    y=st.sampled_from([[0, 1, 1], [0, 0, 0], [0, 1, 7], [True, False, True]]),
)
def test_the_checks_say_the_same_of_blocks_that_were_examined_before(as_held, numbers, y):
    blocks = [
        Block(as_held(np.full((3, 2), number)), np.array(y), None, Place(i, 3 * i, 3 * i + 3))
        for i, number in enumerate(numbers)
    ]
    assert told(blocks) == told([block.examined() for block in blocks])
