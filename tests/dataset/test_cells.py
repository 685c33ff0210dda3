import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cloudpickle
import dask
import numpy as np
import pytest
from dask._task_spec import DataNode
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset.cells import CELL_ROWS, CellReader, Clusters, from_cells, structure
from runner.dataset.make_blobs import MakeBlobs
from runner.dataset.make_classification import MakeClassification
from runner.dataset.make_regression import MakeRegression

N_ROWS = 2 * CELL_ROWS + 300
METAS = (np.empty((0, 2)), np.empty(0, int))
MADE = {
    "classification": MakeClassification(n_samples=N_ROWS, n_classes=3, n_informative=4),
    "sorted classification": MakeClassification(n_samples=N_ROWS, shuffle=False, dtype="float32"),
    "regression": MakeRegression(n_samples=N_ROWS, n_features=7, n_targets=2, noise=1.0),
    "low rank": MakeRegression(n_samples=N_ROWS, n_features=30, effective_rank=5, noise=1.0),
    "blobs": MakeBlobs(n_samples=N_ROWS),
    "sorted blobs": MakeBlobs(n_samples=[1000, 0, N_ROWS - 1000], shuffle=False),
}
EACH = pytest.mark.parametrize("made", MADE.values(), ids=MADE)
WHOLE: dict[int, tuple[np.ndarray, np.ndarray]] = {}


def draw(rng, rows):
    return rng.standard_normal((len(rows), 2)), rows


def computed(dataset, chunks):
    arrays = type(dataset)(**{**vars(dataset), "chunks": chunks}).arrays()
    return dask.compute(arrays.X, arrays.y, scheduler="sync")


def whole(dataset):
    if id(dataset) not in WHOLE:
        WHOLE[id(dataset)] = computed(dataset, N_ROWS)
    return WHOLE[id(dataset)]


def reader(dataset):
    [read] = [
        task.value for task in dataset.arrays().X.dask.values() if isinstance(task, DataNode)
    ]
    return read


@EACH
@settings(deadline=None, max_examples=15)
@given(chunks=st.integers(20, 3000))
def test_the_chunks_cut_the_content_and_do_not_change_a_bit_of_it(made, chunks):
    for got, wanted in zip(computed(made, chunks), whole(made), strict=True):
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got, wanted)


@EACH
@settings(deadline=None, max_examples=25)
@given(start=st.integers(0, N_ROWS), n=st.integers(0, N_ROWS))
def test_any_rows_are_those_of_the_whole(made, start, n):
    stop = min(start + n, N_ROWS)
    for got, wanted in zip(reader(made)(start, stop), whole(made), strict=True):
        np.testing.assert_array_equal(got, wanted[start:stop])


@EACH
def test_threads_and_other_processes_draw_the_same_bits(made):
    read = cloudpickle.loads(cloudpickle.dumps(reader(made)))
    starts = range(0, N_ROWS, 500)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda start: read(start, min(start + 500, N_ROWS)), starts))
    for part, wanted in zip(zip(*parts, strict=True), whole(made), strict=True):
        np.testing.assert_array_equal(np.concatenate(part), wanted)


@EACH
def test_the_arrays_are_of_the_type_and_width_they_announce(made):
    arrays = made.arrays()
    for array, values in zip((arrays.X, arrays.y), whole(made), strict=True):
        assert (array.dtype, array.shape) == (values.dtype, values.shape)


@EACH
def test_another_random_state_is_other_content(made):
    other = type(made)(**{**vars(made), "random_state": 1})
    assert np.isin(computed(other, N_ROWS)[0], whole(made)[0]).mean() < 0.001


@EACH
def test_the_seed_of_the_split_does_not_change_the_content(made):
    other = type(made)(**{**vars(made), "seed": 1})
    np.testing.assert_array_equal(computed(other, N_ROWS)[0], whole(made)[0])


@pytest.mark.parametrize(
    "made",
    [
        MakeClassification(n_samples=10**9, chunks=100_000),
        MakeRegression(n_samples=10**9, n_features=10, effective_rank=3, chunks=100_000),
        MakeBlobs(n_samples=10**9, n_features=10, chunks=100_000),
    ],
    ids=lambda made: type(made).__name__,
)
def test_of_a_billion_rows_one_block_is_drawn_at_once(made):
    began = time.perf_counter()
    train, holdout, _ = made.split()
    assert train.n_rows + holdout.n_rows == 10**9
    assert train.n_blocks == 8000
    tracemalloc.start()
    try:
        X, y = dask.compute(train.X.blocks[7000], train.y.blocks[7000], scheduler="sync")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(X) == len(y) == 100_000
    assert time.perf_counter() - began < 10
    assert peak < 4 * X.nbytes + 20 * 2**20


def test_a_cell_is_drawn_once_for_a_block_and_no_other_cell_is():
    drawn = []

    def note(rng, rows):
        drawn.append((int(rows[0]), len(rows)))
        return draw(rng, rows)

    CellReader(note, 3 * CELL_ROWS - 24, METAS, 0)(CELL_ROWS + 5, 3 * CELL_ROWS - 30)
    assert drawn == [(CELL_ROWS, CELL_ROWS), (2 * CELL_ROWS, CELL_ROWS - 24)]


def test_cells_draw_from_streams_of_their_own():
    X, _ = CellReader(draw, 3 * CELL_ROWS, METAS, 0)(0, 3 * CELL_ROWS)
    assert len(np.unique(X)) == X.size


def test_chunks_may_be_given_in_bytes_of_x():
    arrays = from_cells(draw, 1000, METAS, 0, "1600B")
    assert arrays.X.chunks == ((100,) * 10, (2,))


def test_what_rows_share_is_drawn_from_named_streams():
    first, again, other = (structure(0, name).random() for name in ("centers", "centers", "mix"))
    assert first == again != other


@dataclass(frozen=True)
class Reverse:
    n: int

    def __call__(self, numbers):
        return self.n - 1 - numbers


def test_clusters_have_exactly_their_sizes_in_any_order():
    sizes = np.array([2, 0, 3])
    np.testing.assert_array_equal(Clusters(sizes)(np.arange(5)), [0, 0, 2, 2, 2])
    np.testing.assert_array_equal(Clusters(sizes, Reverse(5))(np.arange(5)), [2, 2, 2, 0, 0])
