"""One block at a time out of a lazy part."""

import threading
from collections import Counter

import dask
import dask.array as da
import numpy as np
import pytest
import scipy.sparse
from dask._task_spec import execute_graph

from runner.base import Part, Place
from runner.errors import DatasetError, FitError
from runner.stream.source import BlockSource


def counted_part(n_blocks=8, rows=5):
    """Make a part whose X and y come out of one counted read per block."""
    reads, lock = Counter(), threading.Lock()

    def read(i):
        with lock:
            reads[i] += 1
        return np.full((rows, 2), i)

    whole = [dask.delayed(read, pure=True)(i, dask_key_name=f"read-{i}") for i in range(n_blocks)]
    X = da.concatenate([da.from_delayed(w, (rows, 2), dtype=int) for w in whole])
    y = X[:, 0]
    places = tuple(Place(i, i * rows, (i + 1) * rows) for i in range(n_blocks))
    return Part(X, y, None, places), reads


def test_a_block_is_the_rows_of_the_arrays(make_part, points):
    X, y = points
    weight = np.arange(100.0)
    source = BlockSource(make_part(X, y, weight))
    block = source.read(2, epoch=1, position=3)
    np.testing.assert_array_equal(block.X, X[50:75])
    np.testing.assert_array_equal(block.y, y[50:75])
    np.testing.assert_array_equal(block.sample_weight, weight[50:75])
    assert (block.place, block.epoch, block.position) == (Place(2, 50, 75), 1, 3)
    assert block.load_s > 0


def test_x_and_y_of_a_block_are_computed_in_one_go():
    part, reads = counted_part()
    source = BlockSource(part)
    for i in range(8):
        source.read(i)
    assert reads == dict.fromkeys(range(8), 1)


def test_the_work_for_a_block_does_not_grow_with_the_number_of_blocks(monkeypatch):
    tasks = []
    for n_blocks in (10, 1000):
        part, _ = counted_part(n_blocks)
        source = BlockSource(part)
        monkeypatch.setattr(
            "runner.stream.source.execute_graph",
            lambda graph, keys: tasks.append(len(graph)) or execute_graph(graph, keys=keys),
        )
        source.read(n_blocks // 2)
    assert tasks[0] == tasks[1]


def test_the_graph_is_materialised_once(monkeypatch, make_part, points):
    part = make_part(*points)
    source = BlockSource(part)
    monkeypatch.setattr(type(part.X), "__dask_graph__", lambda self: pytest.fail("again"))
    assert [source.read(i).n_rows for i in range(4)] == [25, 25, 25, 25]


def test_lines_of_text_come_as_a_one_dimensional_block():
    lines = np.array(["a", "b", "c"], dtype=object)
    part = Part(da.from_array(lines, chunks=2), None, None, (Place(0, 0, 2), Place(1, 2, 3)))
    assert BlockSource(part).read(0).X.tolist() == ["a", "b"]


def test_sparse_blocks_stay_sparse():
    X = da.from_array(np.eye(6), chunks=(3, 6)).map_blocks(scipy.sparse.csr_matrix)
    part = Part(X, None, None, (Place(0, 0, 3), Place(1, 3, 6)))
    block = BlockSource(part).read(1)
    assert scipy.sparse.issparse(block.X)
    assert block.n_rows == 3


def test_the_transform_sees_the_rows_of_a_block_once(make_part, points):
    X, y = points
    source = BlockSource(make_part(X, y), transform=lambda X: X * 2)
    np.testing.assert_array_equal(source.read(1).X, X[25:50] * 2)


def test_the_transform_is_spared_an_empty_block():
    part = Part(da.from_array(np.empty((0, 2)), chunks=(1, 2)), None, None, (Place(0, 0, 0),))
    source = BlockSource(part, transform=lambda X: pytest.fail("called"))
    assert source.read(0).n_rows == 0


def test_a_read_that_fails_names_the_block_and_the_cause():
    def read(i):
        raise OSError("disk gone")

    X = da.from_delayed(dask.delayed(read)(0), (5, 2), dtype=float)
    with pytest.raises(DatasetError) as caught:
        BlockSource(Part(X, None, None, (Place(7, 35, 40),))).read(0)
    assert str(caught.value) == (
        "Block 7 (rows 35 to 39) must be readable; got OSError: disk gone. "
        "Check the source of these rows."
    )


def test_what_a_read_says_in_several_lines_is_put_in_one():
    def read(i):
        raise OSError("disk\n  gone.")

    X = da.from_delayed(dask.delayed(read)(0), (5, 2), dtype=float)
    with pytest.raises(DatasetError, match=r"got OSError: disk gone\. Check"):
        BlockSource(Part(X, None, None, (Place(7, 35, 40),))).read(0)


def test_an_error_of_ours_gets_the_block_and_stays_one_sentence():
    def read(i):
        raise DatasetError("The file a.csv", "hold numbers", got="'x'", remedy="Mend it.")

    X = da.from_delayed(dask.delayed(read)(0), (5, 2), dtype=float)
    with pytest.raises(DatasetError) as caught:
        BlockSource(Part(X, None, None, (Place(3, 75, 100),))).read(0)
    assert str(caught.value) == (
        "In block 3 (rows 75 to 99), the file a.csv must hold numbers; got 'x'. Mend it."
    )


def test_blocks_of_different_lengths_are_refused():
    X = da.from_delayed(dask.delayed(np.ones)((5, 2)), (5, 2), dtype=float)
    y = da.from_delayed(dask.delayed(np.ones)(4), (5,), dtype=float)
    with pytest.raises(DatasetError) as caught:
        BlockSource(Part(X, y, None, (Place(0, 0, 5),))).read(0)
    assert "Block 0 (rows 0 to 4) must hold as many rows of each array" in str(caught.value)
    assert "got 5 of X and 4 of y." in str(caught.value)


def test_a_stage_that_refuses_a_block_names_it(make_part, points):
    def refuse(X):
        raise ValueError("no")

    with pytest.raises(FitError, match=r"Block 1 \(rows 25 to 49\) must pass through preprocess"):
        BlockSource(make_part(*points), transform=refuse).read(1)


def test_negative_weights_are_refused_at_their_block(make_part, points):
    weight = np.ones(100)
    weight[60] = -2.0
    source = BlockSource(make_part(*points, weight))
    assert source.read(1).n_rows == 25
    with pytest.raises(DatasetError, match=r"Block 2 \(rows 50 to 74\) must hold no negative"):
        source.read(2)
