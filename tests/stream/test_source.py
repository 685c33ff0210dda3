"""One block at a time out of a lazy part."""

import gc
import threading
import tracemalloc
import weakref
from collections import Counter

import dask
import dask.array as da
import numpy as np
import pytest
import scipy.sparse
from dask._task_spec import execute_graph

from runner.base import Part, Place
from runner.dataset.lazy import from_reader
from runner.dataset.split import split
from runner.errors import DatasetError, FitError
from runner.stream.content import content
from runner.stream.source import BlockSource
from runner.stream.stream import Stream


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
            "runner.stream.reading.execute_graph",
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


def rows_from(start, stop):
    rows = np.arange(start, stop)
    return np.outer(rows, [1.0, -2.0]), rows % 3, rows / 2.0


METAS = (np.empty((0, 2)), np.empty(0, int), np.empty(0))
WHOLE = content(*rows_from(0, 100), np.arange(100))


def contents_of(part, **settings):
    source = BlockSource(part, hashed=True, **settings)
    return [source.read(i).content for i in range(part.n_blocks)]


@pytest.mark.parametrize("by", ["blocks", "rows"])
@pytest.mark.parametrize("chunks", [(100,), (7,) * 14 + (2,), (50, 0, 50)])
def test_the_contents_of_all_blocks_of_all_sides_are_that_of_the_rows(chunks, by):
    arrays = from_reader(rows_from, chunks, METAS)
    sides = split(arrays, 0.0 if len(chunks) == 1 else 0.3, by, 0).parts.values()
    assert sum(sum(contents_of(side)) for side in sides) % 2**64 == WHOLE


def test_the_content_is_of_what_was_read_and_only_of_the_first_epoch():
    part = split(from_reader(rows_from, (50, 50), METAS), 0, "blocks", 0).train
    source = BlockSource(part, lambda X: X[:, :1] * 2, hashed=True)
    assert (source.read(0).content + source.read(1).content) % 2**64 == WHOLE
    assert source.read(0, epoch=1).content is None
    assert BlockSource(part).read(0).content is None


def test_rows_drawn_from_a_block_have_their_numbers_in_the_dataset():
    for part in split(from_reader(rows_from, (25,) * 4, METAS), 0.5, "rows", 0).parts.values():
        block = BlockSource(part).read(2)
        np.testing.assert_array_equal(block.rows, block.X[:, 0])
        assert block.row_name(1) == f"row {block.X[1, 0]:.0f}"


def failing_part(error, good_at=None):
    """Make a part of three blocks of which the second raises until it was read so often."""
    calls = Counter()

    def read(start, stop):
        calls[start] += 1
        if start == 25 and (good_at is None or calls[start] < good_at):
            raise error
        return rows_from(start, stop)

    return split(from_reader(read, (25,) * 3, METAS), 0, "blocks", 0).train, calls


def test_a_read_that_fails_for_a_reason_that_may_pass_is_repeated(monkeypatch):
    pauses = []
    monkeypatch.setattr("runner.stream.retries.time.sleep", pauses.append)
    part, calls = failing_part(OSError("gone"), good_at=3)
    block = BlockSource(part, retries=2).read(1)
    np.testing.assert_array_equal(block.X[:, 0], np.arange(25, 50))
    assert calls[25] == 3
    assert pauses == [0.1, 0.5]
    part, calls = failing_part(OSError("gone"), good_at=3)
    with pytest.raises(DatasetError, match=r"got OSError: gone\."):
        BlockSource(part, retries=1).read(1)
    assert calls[25] == 2


@pytest.mark.parametrize("error", [FileNotFoundError("gone"), ValueError("malformed")])
def test_a_read_that_fails_for_good_is_not_repeated(error):
    part, calls = failing_part(error)
    with pytest.raises(DatasetError, match=r"Block 1 \(rows 25 to 49\) must be readable"):
        BlockSource(part, retries=2).read(1)
    assert calls[25] == 1


def test_a_tolerant_source_gives_a_block_that_cannot_be_read_as_one_without_rows():
    part, _ = failing_part(ValueError("malformed"))
    source = BlockSource(part, hashed=True, tolerant=True)
    block = source.read(1, epoch=2, position=5)
    assert (block.n_rows, block.y, block.sample_weight, block.rows) == (0, None, None, None)
    assert (block.place, block.epoch, block.position) == (Place(1, 25, 50), 2, 5)
    assert block.content is None
    assert block.load_s > 0
    assert str(block.error) == (
        "Block 1 (rows 25 to 49) must be readable; got ValueError: malformed. "
        "Check the source of these rows."
    )
    assert source.read(2).error is None


@pytest.mark.parametrize("part_of_it", ["weights", "lengths", "stage"])
def test_a_tolerant_source_is_so_of_all_that_reading_refuses(make_part, points, part_of_it):
    X, y = points
    if part_of_it == "weights":
        source = BlockSource(make_part(X, y, np.full(100, -1.0)), tolerant=True)
    elif part_of_it == "lengths":
        y = da.from_delayed(dask.delayed(np.ones)(4), (5,), dtype=float)
        X = da.from_delayed(dask.delayed(np.ones)((5, 2)), (5, 2), dtype=float)
        source = BlockSource(Part(X, y, None, (Place(0, 0, 5),)), tolerant=True)
    else:
        source = BlockSource(make_part(X, y), lambda X: 1 / 0, tolerant=True)
    block = source.read(0)
    assert block.n_rows == 0
    assert str(block.error).startswith("Block 0 (rows 0 to ")


def test_the_error_of_a_block_keeps_none_of_its_rows_in_memory():
    seen = []

    def refuse(X):
        seen.append(weakref.ref(X))
        raise ValueError("no")

    part = split(from_reader(rows_from, (25,), METAS), 0, "blocks", 0).train
    gc.disable()
    try:
        block = BlockSource(part, refuse, tolerant=True).read(0)
        assert "ValueError: no" in str(block.error)
        assert seen[0]() is None
    finally:
        gc.enable()


def test_no_interrupt_is_tolerated():
    part, _ = failing_part(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        BlockSource(part, tolerant=True, retries=2).read(1)


def test_a_source_without_some_blocks_is_one_that_cannot_read_them(make_part, points):
    source = Stream().source(make_part(*points), tolerant=True)
    twin = source.without([2])
    assert [twin.read(i).n_rows for i in range(4)] == [25, 25, 0, 25]
    assert "was not when it was to be learned" in str(twin.read(2).error)
    assert source.read(2).n_rows == 25


class Asked:
    """A graph that counts how often each of its tasks is asked for."""

    def __init__(self, graph):
        self.graph = graph
        self.keys = Counter()

    def __getitem__(self, key):
        self.keys[key] += 1
        return self.graph[key]


@pytest.mark.parametrize("by", ["blocks", "rows"])
@pytest.mark.parametrize("n_blocks", [10, 3000])
def test_only_the_tasks_of_the_block_are_looked_at(n_blocks, by):
    part = split(from_reader(rows_from, (10,) * n_blocks, METAS), 0.2, by, 0).train
    source = BlockSource(part)
    source._graph = asked = Asked(source._graph)
    reading = source.reading(part.n_blocks // 2)
    n_tasks = 4 if by == "blocks" else 7  # the read, three picks of it, and three takes of these
    assert len(reading.tasks) == n_tasks
    assert asked.keys == dict.fromkeys(reading.tasks, 1)


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_what_is_kept_per_block_is_a_few_numbers(by):
    def kept(n_blocks):
        tracemalloc.start()
        try:
            part = split(from_reader(rows_from, (10,) * n_blocks, METAS), 0.2, by, 0).train
            source = BlockSource(part, hashed=True)
            source.reading(n_blocks // 2)
            return tracemalloc.get_traced_memory()[0], part, source
        finally:
            tracemalloc.stop()

    kept(100)
    assert kept(11_000)[0] - kept(1000)[0] < 300 * 10_000


def test_what_all_blocks_share_is_given_once():
    part = split(from_reader(rows_from, (10,) * 20, METAS), 0.2, "blocks", 0).train
    source = BlockSource(part)
    [constant] = source.given.constants.values()
    assert constant.value is rows_from
    assert not set(source.given.constants) & set(source.reading(3).tasks)
    rows = np.arange(200.0).reshape(100, 2)
    source = BlockSource(make_foreign(da.from_array(rows, chunks=-1).rechunk((10, 2))))
    assert any(np.array_equal(task.value, rows) for task in source.given.constants.values())
    assert all(task.dependencies for task in source.reading(3).tasks.values())
    np.testing.assert_array_equal(source.read(3).X, rows[30:40])


def make_foreign(X):
    places = tuple(Place(i, 10 * i, 10 * i + 10) for i in range(X.numblocks[0]))
    return Part(X, None, None, places)


def test_layers_of_dask_and_tasks_of_an_older_kind_are_walked_too():
    rows = np.arange(200.0).reshape(100, 2)
    legacy = {("old", i, 0): (np.array, [("part", i)]) for i in range(10)}
    legacy |= {("part", i): (np.multiply, "two", rows[10 * i : 10 * i + 10]) for i in range(10)}
    legacy |= {"two": 2.0}
    old = da.Array(legacy, "old", chunks=((10,) * 10, (2,)), dtype=float)
    mean = (da.from_array(rows, chunks=(20, 2)).rechunk((10, 2)) - 1)[:, ::-1]
    squeezed = old.map_blocks(np.squeeze, axis=0, dtype=float)
    for X, wanted in ((squeezed, 2 * rows), (mean, (rows - 1)[:, ::-1])):
        source = BlockSource(make_foreign(X))
        for i in (0, 3, 9):
            np.testing.assert_array_equal(source.read(i).X, wanted[10 * i : 10 * i + 10])
