"""Columns of numbers, compressed piece by piece."""

import pickle
from array import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.tracking.column import PIECE, Column


def filled(numbers, typecode="q"):
    column = Column(typecode)
    column.extend(numbers)
    return column


@settings(deadline=None, max_examples=20)
@given(n=st.integers(0, 3 * PIECE), stop=st.integers(0, 3 * PIECE))
def test_the_numbers_are_those_that_were_added_also_from_a_state(n, stop):
    rng = np.random.default_rng(n)
    numbers = rng.integers(-(2**62), 2**62, size=n).tolist()
    first = filled(numbers[:stop])
    column = Column.of(pickle.loads(pickle.dumps(first.state())))  # noqa: S301
    column.extend(numbers[stop:])
    assert len(column) == n
    assert column.values().tolist() == numbers


@pytest.mark.parametrize(
    ("typecode", "number"), [("d", 0.1), ("d", float("nan")), ("Q", 2**64 - 1), ("i", -(2**31))]
)
def test_no_bit_is_lost_whatever_the_type(typecode, number):
    column = filled([number] * (PIECE + 3), typecode)
    np.testing.assert_array_equal(column.values(), [number] * (PIECE + 3))
    assert column.values().dtype == np.array(array(typecode)).dtype


def test_numbers_that_repeat_take_next_to_nothing():
    assert len(pickle.dumps(filled([7] * 20 * PIECE).state())) < 10_000  # of 655,360


def test_an_array_of_an_older_state_is_a_column():
    older = Column.of(filled(range(5)).state()[1])
    older.extend(range(5, PIECE + 7))
    assert older.values().tolist() == list(range(PIECE + 7))
    long = Column.of(array("q", range(3 * PIECE)))
    long.append(-1)
    assert long.values().tolist() == [*range(3 * PIECE), -1]
