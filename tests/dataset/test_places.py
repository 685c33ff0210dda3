"""The places of blocks, without an object for each."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.base import Place
from runner.dataset.places import Places
from runner.dataset.spans import edges_of

SIZES = st.lists(st.integers(0, 9), max_size=8)


def as_tuple(sizes):
    edges = edges_of(sizes).tolist()
    return tuple(Place(i, edges[i], edges[i + 1]) for i in range(len(sizes)))


@given(sizes=SIZES, data=st.data())
def test_they_are_like_the_tuple_of_them(sizes, data):
    places, wanted = Places(edges_of(sizes)), as_tuple(sizes)
    assert places == wanted
    assert wanted == places
    assert hash(places) == hash(wanted)
    assert (len(places), list(places), repr(places)) == (len(wanted), list(wanted), repr(wanted))
    cut = data.draw(st.slices(len(sizes)))
    assert places[cut] == wanted[cut]
    numbers = data.draw(st.lists(st.sampled_from(range(len(sizes))))) if sizes else []
    assert places.some(np.array(numbers, int)) == tuple(wanted[number] for number in numbers)


def test_the_numbers_of_a_place_are_of_python():
    place = Places(edges_of([4, 5]))[-1]
    assert place == Place(1, 4, 9)
    assert {type(each) for each in (place.number, place.start, place.stop)} == {int}


@pytest.mark.parametrize("other", [(Place(0, 0, 4),), (), (Place(0, 0, 4), Place(1, 4, 8)), None])
def test_others_are_not_equal(other):
    assert Places(edges_of([4, 5])) != other


def test_there_is_no_place_behind_the_last():
    with pytest.raises(IndexError):
        Places(edges_of([4, 5]))[2]


def test_they_take_some_bytes_a_block_when_they_are_sent():
    places = Places(edges_of([10] * 10_000))
    sent = pickle.dumps(places)
    assert len(sent) < 20 * 10_000
    assert pickle.loads(sent) == places  # noqa: S301
