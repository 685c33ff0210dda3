"""Arrays that come from elsewhere are as if they had been made here."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy
from pandas.testing import assert_frame_equal

from runner.base import Block, Place
from runner.cluster.layouts import dumps, dumps_apart, loads, loads_apart, n_bytes

DTYPES = st.one_of(
    st.sampled_from(["O", "U3", "S2", "M8[s]", "m8[D]", "?", "f2", ">f8", "c16", "T", "i4,f8"]),
    of_numpy.scalar_dtypes(),
).map(np.dtype)


@st.composite
def views(draw):
    """Draw an array of any type and order, and a part of it in any steps and directions."""
    shape = draw(of_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6))
    numbers = np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2
    array = np.asarray(
        numbers.astype("u1").astype(draw(DTYPES)), order=draw(st.sampled_from("CF"))
    )
    array = array.transpose(draw(st.permutations(range(array.ndim))))
    steps = st.builds(slice, st.integers(0, 2) | st.none(), st.none(), st.sampled_from([1, 2, -1]))
    return array[(..., *draw(st.tuples(*[steps] * array.ndim)))]


def ways(array):
    """Return what libraries look at: which axes follow each other, and in which direction."""
    sides = [(n, step) for n, step in zip(array.shape, array.strides, strict=True) if n > 1]
    order = np.argsort([-abs(step) for _, step in sides], kind="stable").tolist()
    inner = bool(sides) and abs(sides[order[-1]][1]) == array.itemsize
    return (
        array.flags.c_contiguous,
        array.flags.f_contiguous,
        [s < 0 for _, s in sides],
        order,
        inner,
    )


@given(views())
def test_any_array_arrives_with_its_values_and_its_order(array):
    head, buffers = dumps_apart(array)
    for came in (loads(dumps(array)), loads_apart(head, [bytes(each) for each in buffers])):
        assert (came.dtype, came.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(came, array)
        if array.size:
            assert ways(came) == ways(array)
        assert came.flags.writeable
        assert came.flags.aligned
        assert came.flags.owndata or not array.flags.forc or array.ndim > 2 or array.size < 2


@given(views())
def test_a_field_of_a_table_of_fields_arrives_aligned(array):
    packed = np.zeros(array.shape, np.dtype([("a", "u1"), ("b", "f8")]))
    came = loads(dumps(packed["b"]))
    assert came.flags.aligned
    assert (came == packed["b"]).all()


def test_what_arrives_shares_no_memory_with_what_was_received():
    head, buffers = dumps_apart(np.zeros(4))
    received = bytearray(buffers[0].raw())
    came = loads_apart(head, [received])
    received[:] = bytes([1]) * len(received)
    assert came.tolist() == [0, 0, 0, 0]


def test_nothing_is_copied_to_be_sent_that_is_contiguous():
    array = np.asfortranarray(np.ones((3, 4)))
    _, (buffer,) = dumps_apart(array)
    assert np.shares_memory(np.frombuffer(buffer, np.uint8), array)
    assert 96 <= n_bytes(array) < 1000


def test_a_broadcast_array_arrives_with_memory_of_its_own():
    came = loads(dumps(np.broadcast_to(np.arange(3), (4, 3))))
    came[0, 0] = 9
    assert came.tolist() == [[9, 1, 2], [0, 1, 2], [0, 1, 2], [0, 1, 2]]


def test_an_array_of_lists_stays_one():
    array = np.empty(2, object)
    array[:] = [1, 2], [3, 4]
    assert loads(dumps(array)).tolist() == [[1, 2], [3, 4]]


def test_a_subclass_stays_one():
    came = loads(dumps(np.ma.masked_array([1, 2], mask=[True, False])))
    assert came.mask.tolist() == [True, False]
    assert came.data.flags.writeable


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_array, sp.coo_array])
def test_sparse_rows_arrive(kind):
    X = kind(np.eye(4)[::2])
    came = loads(dumps(X))
    assert type(came) is type(X)
    assert (came != X).nnz == 0
    assert came.data.flags.owndata
    assert came.data.flags.writeable


def test_a_table_arrives_with_its_types_and_may_be_changed():
    frame = pd.DataFrame(
        {
            "n": [1.5, 2.5, None, 4],
            "m": [1.0, 2, 3, 4],
            "word": ["a", "b", None, "a"],
            "kind": pd.Categorical(["x", "y", "x", "x"], categories=["y", "x", "z"]),
            "day": pd.to_datetime(["2020-01-01"] * 4),
            "whole": pd.array([1, None, 3, 4], dtype="Int64"),
        }
    )
    for part in (frame, frame[::2], frame[["m", "n"]], frame.iloc[:, 1:]):
        came = loads(dumps(part))
        assert_frame_equal(came, part)
        wanted, numbers = (each[["m"]].to_numpy() for each in (part, came))
        assert ways(numbers) == ways(wanted)
        came.iloc[0, 0] = None


def test_a_block_arrives_whole():
    X = np.arange(12.0).reshape(3, 4)[:, ::2]
    block = Block(X, np.array(["a", "b", "c"]), None, Place(1, 0, 3), rows=np.arange(3)[::-1])
    came = loads(dumps(block))
    assert came.place == block.place
    assert came.row_name(0) == "row 2"
    assert came.y.tolist() == ["a", "b", "c"]
    assert ways(came.X) == ways(X)
