from collections import Counter
from dataclasses import dataclass, field
from threading import Lock

import cloudpickle
import dask
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, issparse

from runner.dataset.lazy import Arrays, from_reader

METAS = (np.empty((0, 3)), np.empty(0, int), np.empty(0, np.float32))


@dataclass(frozen=True)
class Counting:
    """Reads rows that tell their number, and counts how often it was asked."""

    calls: Counter = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def __call__(self, start, stop):
        with self.lock:
            self.calls[start, stop] += 1
        return read(start, stop)

    def __dask_tokenize__(self):
        return "counting", id(self)


def read(start, stop):
    rows = np.arange(start, stop)
    return rows[:, None] + np.array([0.0, 0.1, 0.2]), rows, (rows / 2).astype(np.float32)


def read_lines(start, stop):
    return (np.array([f"line {i}" for i in range(start, stop)], dtype=object),)


def read_sparse(start, stop):
    return (csr_array(np.eye(100)[start:stop]),)


def raw(*arrays):
    """Return what the arrays compute to as the stream does it: from the graph as it is."""
    graph = {key: task for array in arrays for key, task in array.__dask_graph__().items()}
    return dask.get(graph, [array.__dask_keys__() for array in arrays])


def test_nothing_is_read_until_a_block_is_computed():
    read = Counting()
    arrays = from_reader(read, (4, 4, 2), METAS)
    arrays.X[2:5].sum() + arrays.y.mean()
    assert read.calls == {}
    arrays.X.blocks[1].compute(scheduler="sync")
    assert read.calls == {(4, 8): 1}


def test_a_block_of_x_y_and_weights_is_one_read():
    read = Counting()
    arrays = from_reader(read, (4, 4, 2), METAS)
    raw(arrays.X, arrays.y, arrays.sample_weight)
    assert read.calls == {(0, 4): 1, (4, 8): 1, (8, 10): 1}


def test_a_block_is_one_read_also_where_dask_optimizes_the_graph():
    read = Counting()
    arrays = from_reader(read, (4, 4, 2), METAS)
    dask.compute(arrays.X, arrays.y, arrays.sample_weight, scheduler="sync")
    assert set(read.calls.values()) == {1}


def test_the_arrays_are_of_the_metas_type_and_width():
    arrays = from_reader(read, (4, 4, 2), METAS, ("a", "b", "c"))
    assert arrays.X.chunks == ((4, 4, 2), (3,))
    assert arrays.y.chunks == arrays.sample_weight.chunks == ((4, 4, 2),)
    for array, meta in zip((arrays.X, arrays.y, arrays.sample_weight), METAS, strict=True):
        assert array.dtype == meta.dtype == array.compute().dtype
    assert arrays.feature_names == ("a", "b", "c")


@settings(deadline=None, max_examples=30)
@given(chunks=st.lists(st.integers(1, 9), min_size=1, max_size=8).map(tuple))
def test_the_blocks_are_the_rows_in_order(chunks):
    arrays = from_reader(read, chunks, METAS)
    X, y, weight = dask.compute(arrays.X, arrays.y, arrays.sample_weight, scheduler="sync")
    for got, wanted in zip((X, y, weight), read(0, sum(chunks)), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    ("metas", "present"),
    [
        (METAS[:1], (True, False, False)),
        (METAS[:2], (True, True, False)),
        ((METAS[0], None, METAS[2]), (True, False, True)),
        ((METAS[0], None), (True, False, False)),
    ],
)
def test_there_is_an_array_for_each_meta(metas, present):
    arrays = from_reader(read, (4, 6), metas)
    found = (arrays.X, arrays.y, arrays.sample_weight)
    assert tuple(array is not None for array in found) == present
    if arrays.sample_weight is not None:
        np.testing.assert_array_equal(arrays.sample_weight.compute(), np.arange(10) / 2)


def test_there_is_no_dataset_without_x():
    with pytest.raises(TypeError, match="first meta"):
        from_reader(read, (4, 6), (None, METAS[1]))


def test_lines_of_text_have_one_dimension():
    X = from_reader(read_lines, (2, 1), (np.empty(0, object),)).X
    assert X.shape == (3,)
    assert X.compute().tolist() == ["line 0", "line 1", "line 2"]


def test_blocks_may_be_sparse():
    X = from_reader(read_sparse, (40, 60), (csr_array((0, 100)),)).X
    assert all(issparse(block) for [block] in raw(X)[0])
    np.testing.assert_array_equal(X.compute().toarray(), np.eye(100))


def test_the_arrays_can_be_sent_to_another_process():
    arrays = from_reader(read, (4, 6), METAS)
    sent = cloudpickle.loads(cloudpickle.dumps(arrays))
    assert isinstance(sent, Arrays)
    np.testing.assert_array_equal(sent.X.compute(), arrays.X.compute())


def test_names_are_the_same_for_the_same_read_and_chunks_only():
    names = {
        from_reader(*args, METAS).X.name
        for args in [(read, (4, 6)), (read, (4, 6)), (read, (6, 4)), (read_lines, (4, 6))]
    }
    assert len(names) == 3


def test_many_blocks_cost_little_to_describe():
    X = from_reader(read, (10,) * 10_000, METAS).X
    assert len(X.__dask_graph__()) == 20_001


def test_y_alone_comes_out_of_reads_of_its_own():
    read, read_y = Counting(), Counting()
    arrays = from_reader(read, (4, 6), METAS, read_y=read_y)
    np.testing.assert_array_equal(arrays.y_only.compute(scheduler="sync"), np.arange(10))
    assert (read.calls, read_y.calls) == ({}, {(0, 4): 1, (4, 10): 1})
    assert (arrays.y_only.chunks, arrays.y_only.dtype) == (arrays.y.chunks, arrays.y.dtype)


def test_without_y_nothing_is_read_for_it():
    assert from_reader(read, (4, 6), METAS[:1], read_y=read).y_only is None
    assert from_reader(read, (4, 6), METAS).y_only is None
