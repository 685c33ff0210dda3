import time

import cloudpickle
import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, issparse

from runner.base import Place
from runner.dataset.lazy import Arrays, from_reader
from runner.dataset.split import split
from runner.errors import DatasetError

CHUNKS = st.lists(st.integers(1, 40), min_size=2, max_size=12).map(tuple)
SHARES = st.floats(0.05, 0.9)
SEEDS = st.integers(0, 2**32)
METAS = (np.empty((0, 2)), np.empty((0, 2), int), np.empty(0))


def read(start, stop):
    rows = np.arange(start, stop)
    return np.stack([rows, -rows], axis=1).astype(float), np.stack([rows, rows], 1), rows / 2


def read_sparse(start, stop):
    return csr_array(np.arange(start, stop)[:, None] * np.eye(1, 5)), np.arange(start, stop)


def rows_of(part):
    """Return the numbers of the rows of a part, after checking that y and weights follow X."""
    X, y, weight = dask.compute(part.X, part.y, part.sample_weight, scheduler="sync")
    assert X.shape == part.X.shape
    assert y.shape == part.y.shape
    assert weight.shape == part.sample_weight.shape
    np.testing.assert_array_equal(X[:, 0], -X[:, 1])
    np.testing.assert_array_equal(X[:, 0], y[:, 1])
    np.testing.assert_array_equal(X[:, 0], weight * 2)
    return X[:, 0].astype(int).tolist()


def split_rows(chunks, holdout, by, seed):
    try:
        parts = split(from_reader(read, chunks, METAS), holdout, by, seed)
    except DatasetError:
        assume(False)
    return parts


@settings(deadline=None, max_examples=60)
@given(chunks=CHUNKS, holdout=SHARES, by=st.sampled_from(["blocks", "rows"]), seed=SEEDS)
def test_train_and_holdout_share_no_row_and_are_all_rows(chunks, holdout, by, seed):
    train, held = map(rows_of, split_rows(chunks, holdout, by, seed))
    assert sorted(train + held) == list(range(sum(chunks)))
    assert train == sorted(train)
    assert held == sorted(held)


@settings(deadline=None, max_examples=40)
@given(chunks=CHUNKS, holdout=SHARES, seed=SEEDS)
def test_a_split_by_blocks_holds_out_whole_blocks_of_the_asked_share(chunks, holdout, seed):
    train, held = split_rows(chunks, holdout, "blocks", seed)
    assert held.n_blocks == max(1, round(holdout * len(chunks)))
    for part in (train, held):
        wanted = [row for place in part.places for row in range(place.start, place.stop)]
        assert rows_of(part) == wanted
        assert part.X.chunks[0] == tuple(place.stop - place.start for place in part.places)


@settings(deadline=None, max_examples=40)
@given(chunks=CHUNKS, other=CHUNKS, holdout=SHARES, seed=SEEDS)
def test_which_rows_are_held_out_does_not_depend_on_the_chunks(chunks, other, holdout, seed):
    n_rows = min(sum(chunks), sum(other))
    _, held = split_rows(chunks, holdout, "rows", seed)
    _, held_otherwise = split_rows(other, holdout, "rows", seed)
    assert [row for row in rows_of(held) if row < n_rows] == [
        row for row in rows_of(held_otherwise) if row < n_rows
    ]


@settings(deadline=None, max_examples=30)
@given(chunks=CHUNKS, holdout=SHARES, seed=SEEDS)
def test_a_split_by_rows_keeps_every_block_and_its_place(chunks, holdout, seed):
    for part in split_rows(chunks, holdout, "rows", seed):
        assert [place.number for place in part.places] == list(range(len(chunks)))
        assert part.X.numblocks[0] == part.n_blocks == len(chunks)
        rows = iter(rows_of(part))
        for size, place in zip(part.X.chunks[0], part.places, strict=True):
            assert all(place.start <= next(rows) < place.stop for _ in range(size))


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_the_same_seed_gives_the_same_split_and_another_another(by):
    parts = [split(from_reader(read, (10,) * 20, METAS), 0.3, by, seed) for seed in (5, 5, 6)]
    first, again, other = (rows_of(held) for _, held in parts)
    assert first == again
    assert first != other


def test_the_share_held_out_by_rows_is_the_asked_one():
    train, held = split(from_reader(read, (1000,) * 100, METAS), 0.2, "rows", 0)
    assert held.n_rows + train.n_rows == 100_000
    assert held.n_rows == pytest.approx(20_000, abs=500)


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_nothing_is_held_out_by_a_share_of_zero(by):
    arrays = from_reader(read, (4, 6), METAS, ("a", "b"))
    train, held = split(arrays, 0, by, 0)
    assert held is None
    assert train.X is arrays.X
    assert train.y is arrays.y
    assert train.places == (Place(0, 0, 4), Place(1, 4, 10))
    assert train.feature_names == ("a", "b")


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_parts_keep_the_names_and_may_lack_y_and_weights(by):
    for part in split(from_reader(read, (5,) * 10, METAS[:1], ("a", "b")), 0.3, by, 0):
        assert part.y is None
        assert part.sample_weight is None
        assert part.feature_names == ("a", "b")


@pytest.mark.parametrize(
    ("chunks", "holdout", "got"),
    [
        ((100,), 0.2, "1 block and dataset.holdout=0.2"),
        ((50, 50), 0.9, "2 blocks and dataset.holdout=0.9"),
        ((10,) * 10, 0.96, "10 blocks and dataset.holdout=0.96"),
    ],
)
def test_a_holdout_of_every_block_is_refused(chunks, holdout, got):
    with pytest.raises(DatasetError) as refused:
        split(from_reader(read, chunks, METAS), holdout, "blocks", 0)
    assert str(refused.value) == (
        f"A holdout by blocks must leave at least one block to train on; got {got}. "
        "Make dataset.chunks smaller, or set dataset.holdout_by=rows."
    )


@pytest.mark.parametrize(
    ("holdout", "got"),
    [
        (1e-9, "0 of 20 rows with dataset.holdout=1e-09"),
        (1 - 1e-9, "20 of 20 rows with dataset.holdout=0.999999999"),
    ],
)
def test_a_holdout_of_no_row_or_of_every_row_is_refused(holdout, got):
    with pytest.raises(DatasetError) as refused:
        split(from_reader(read, (10, 10), METAS), holdout, "rows", 0)
    assert str(refused.value) == (
        "A holdout by rows must hold out at least one row and leave one to train on; "
        f"got {got}. Choose another dataset.holdout or dataset.seed, or more rows."
    )


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_sparse_blocks_stay_sparse(by):
    arrays = from_reader(read_sparse, (10,) * 10, (csr_array((0, 5)), np.empty(0, int)))
    found = []
    for part in split(arrays, 0.3, by, 0):
        X, y = dask.compute(part.X, part.y, scheduler="sync")
        assert issparse(X)
        assert X.shape == part.X.shape
        np.testing.assert_array_equal(X[:, [0]].toarray().ravel(), y)
        found += y.tolist()
    assert sorted(found) == list(range(100))


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_lines_of_text_can_be_split(by):
    lines = da.from_array(np.array([f"line {i}" for i in range(60)], dtype=object), chunks=10)
    train, held = split(Arrays(lines), 0.3, by, 0)
    assert sorted([*train.X.compute(), *held.X.compute()]) == sorted(lines.compute())


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_the_parts_can_be_sent_to_another_process(by):
    train, _ = split(from_reader(read, (10,) * 10, METAS), 0.3, by, 0)
    assert rows_of(cloudpickle.loads(cloudpickle.dumps(train))) == rows_of(train)


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_the_cost_of_a_split_grows_with_the_blocks_and_no_faster(by):
    def seconds(n_blocks):
        arrays = from_reader(read, (10,) * n_blocks, METAS)
        began = time.perf_counter()
        train, _ = split(arrays, 0.2, by, 0)
        dict(train.X.__dask_graph__())
        return time.perf_counter() - began

    few, many = (min(seconds(n) for _ in range(3)) for n in (250, 2000))
    assert many < 8 * 4 * few
