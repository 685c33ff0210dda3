import time

import cloudpickle
import dask
import dask.array as da
import numpy as np
import pandas as pd
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


def read_frame(start, stop):
    rows = np.arange(start, stop)
    words = pd.Series([f"row {row}" for row in rows], dtype=object)
    return pd.DataFrame({"row": rows, "word": words}), rows


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


def split_rows(chunks, holdout, by, seed, validation=0.0):
    try:
        return split(from_reader(read, chunks, METAS), holdout, by, seed, validation)
    except DatasetError:
        assume(False)


@settings(deadline=None, max_examples=60)
@given(
    chunks=CHUNKS,
    holdout=st.just(0) | SHARES,
    validation=st.just(0) | SHARES,
    by=st.sampled_from(["blocks", "rows"]),
    seed=SEEDS,
)
def test_the_sides_share_no_row_and_are_all_rows(chunks, holdout, validation, by, seed):
    assume(holdout + validation < 1)
    parts = split_rows(chunks, holdout, by, seed, validation)
    assert [part is None for part in parts] == [False, holdout == 0, validation == 0]
    sides = [rows_of(part) for part in parts if part is not None]
    assert sorted(row for side in sides for row in side) == list(range(sum(chunks)))
    assert all(side and side == sorted(side) for side in sides)


@settings(deadline=None, max_examples=40)
@given(
    chunks=CHUNKS,
    holdout=st.floats(0.05, 0.6),
    validation=st.floats(0.05, 0.39),
    by=st.sampled_from(["blocks", "rows"]),
    seed=SEEDS,
)
def test_the_holdout_stays_the_same_when_validation_is_switched_on(
    chunks, holdout, validation, by, seed
):
    without = split_rows(chunks, holdout, by, seed)
    with_it = split_rows(chunks, holdout, by, seed, validation)
    assert rows_of(with_it.holdout) == rows_of(without.holdout)
    assert with_it.holdout.places == without.holdout.places
    assert sorted(rows_of(with_it.train) + rows_of(with_it.validation)) == rows_of(without.train)


@settings(deadline=None, max_examples=40)
@given(chunks=CHUNKS, holdout=SHARES, seed=SEEDS)
def test_a_split_by_blocks_holds_out_whole_blocks_of_the_asked_share(chunks, holdout, seed):
    train, held, _ = split_rows(chunks, holdout, "blocks", seed)
    assert held.n_blocks == max(1, round(holdout * len(chunks)))
    for part in (train, held):
        wanted = [row for place in part.places for row in range(place.start, place.stop)]
        assert rows_of(part) == wanted
        assert part.X.chunks[0] == tuple(place.stop - place.start for place in part.places)


@settings(deadline=None, max_examples=40)
@given(chunks=CHUNKS, other=CHUNKS, holdout=SHARES, seed=SEEDS)
def test_which_rows_are_on_which_side_does_not_depend_on_the_chunks(chunks, other, holdout, seed):
    n_rows = min(sum(chunks), sum(other))
    assume(holdout < 0.8)
    one = split_rows(chunks, holdout, "rows", seed, 0.2)
    another = split_rows(other, holdout, "rows", seed, 0.2)
    for side, otherwise in zip(one, another, strict=True):
        assert [row for row in rows_of(side) if row < n_rows] == [
            row for row in rows_of(otherwise) if row < n_rows
        ]


@settings(deadline=None, max_examples=30)
@given(chunks=CHUNKS, holdout=SHARES, seed=SEEDS)
def test_a_split_by_rows_keeps_every_block_and_its_place(chunks, holdout, seed):
    for part in split_rows(chunks, holdout, "rows", seed)[:2]:
        assert [place.number for place in part.places] == list(range(len(chunks)))
        assert part.X.numblocks[0] == part.n_blocks == len(chunks)
        rows = iter(rows_of(part))
        for size, place in zip(part.X.chunks[0], part.places, strict=True):
            assert all(place.start <= next(rows) < place.stop for _ in range(size))


@settings(deadline=None, max_examples=30)
@given(chunks=CHUNKS, holdout=SHARES, seed=SEEDS)
def test_a_part_knows_the_numbers_of_the_rows_that_were_drawn(chunks, holdout, seed):
    for part in split_rows(chunks, holdout, "rows", seed).parts.values():
        for i in range(part.n_blocks):
            np.testing.assert_array_equal(
                part.rows(part.places[i]), part.X.blocks[i].compute()[:, 0]
            )


def test_the_rows_of_whole_blocks_are_those_of_their_places():
    arrays = from_reader(read, (10,) * 10, METAS)
    for side in (*split(arrays, 0.3, "blocks", 0).parts.values(), split(arrays, 0, "rows", 0)[0]):
        assert side.rows is None


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_the_same_seed_gives_the_same_split_and_another_another(by):
    parts = [split(from_reader(read, (10,) * 20, METAS), 0.3, by, seed) for seed in (5, 5, 6)]
    first, again, other = (rows_of(part.holdout) for part in parts)
    assert first == again
    assert first != other


def test_the_share_held_out_by_rows_is_the_asked_one():
    train, held, validation = split(
        from_reader(read, (1000,) * 100, METAS), 0.2, "rows", 0, validation=0.1
    )
    assert held.n_rows + train.n_rows + validation.n_rows == 100_000
    assert held.n_rows == pytest.approx(20_000, abs=500)
    assert validation.n_rows == pytest.approx(10_000, abs=400)


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_nothing_is_held_out_by_a_share_of_zero(by):
    arrays = from_reader(read, (4, 6), METAS, ("a", "b"))
    train, held, validation = split(arrays, 0, by, 0)
    assert held is None
    assert validation is None
    assert train.X is arrays.X
    assert train.y is arrays.y
    assert train.places == (Place(0, 0, 4), Place(1, 4, 10))
    assert train.feature_names == ("a", "b")


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_parts_keep_the_names_and_may_lack_y_and_weights(by):
    for part in split(from_reader(read, (5,) * 10, METAS[:1], ("a", "b")), 0.3, by, 0, 0.2):
        assert part.y is None
        assert part.y_only is None
        assert part.sample_weight is None
        assert part.feature_names == ("a", "b")


@pytest.mark.parametrize(
    ("chunks", "holdout", "validation", "got"),
    [
        ((100,), 0.2, 0, "1 block and dataset.holdout=0.2"),
        ((50, 50), 0.9, 0, "2 blocks and dataset.holdout=0.9"),
        ((10,) * 10, 0.96, 0, "10 blocks and dataset.holdout=0.96"),
        ((5, 5), 0.1, 0.1, "2 blocks and dataset.holdout=0.1 and dataset.validation=0.1"),
        ((100,), 0, 0.1, "1 block and dataset.holdout=0 and dataset.validation=0.1"),
    ],
)
def test_a_holdout_of_every_block_is_refused(chunks, holdout, validation, got):
    with pytest.raises(DatasetError) as refused:
        split(from_reader(read, chunks, METAS), holdout, "blocks", 0, validation)
    assert str(refused.value) == (
        f"A holdout by blocks must leave at least one block to train on; got {got}. "
        "Make dataset.chunks smaller, or set dataset.holdout_by=rows."
    )


@pytest.mark.parametrize(
    ("holdout", "validation", "got"),
    [
        (1e-9, 0, "no row to hold out, of 20 with dataset.holdout=1e-09"),
        (1 - 1e-9, 0, "no row to train on, of 20 with dataset.holdout=0.999999999"),
        (
            0.5,
            1e-9,
            "no row for validation, of 20 with dataset.holdout=0.5 and dataset.validation=1e-09",
        ),
    ],
)
def test_a_side_without_a_row_is_refused(holdout, validation, got):
    with pytest.raises(DatasetError) as refused:
        split(from_reader(read, (10, 10), METAS), holdout, "rows", 0, validation)
    assert str(refused.value) == (
        "A holdout by rows must have at least one row on each side; "
        f"got {got}. Choose other shares, another dataset.seed, or more rows."
    )


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_sparse_blocks_stay_sparse(by):
    arrays = from_reader(read_sparse, (10,) * 10, (csr_array((0, 5)), np.empty(0, int)))
    found = []
    for part in split(arrays, 0.3, by, 0, 0.2):
        X, y = dask.compute(part.X, part.y, scheduler="sync")
        assert issparse(X)
        assert X.shape == part.X.shape
        np.testing.assert_array_equal(X[:, [0]].toarray().ravel(), y)
        found += y.tolist()
    assert sorted(found) == list(range(100))


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_lines_of_text_can_be_split(by):
    lines = da.from_array(np.array([f"line {i}" for i in range(60)], dtype=object), chunks=10)
    train, held, _ = split(Arrays(lines), 0.3, by, 0)
    assert sorted([*train.X.compute(), *held.X.compute()]) == sorted(lines.compute())


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_the_parts_can_be_sent_to_another_process(by):
    train = split(from_reader(read, (10,) * 10, METAS), 0.3, by, 0).train
    sent = cloudpickle.loads(cloudpickle.dumps(train))
    assert rows_of(sent) == rows_of(train)
    assert (
        by == "blocks"
        or sent.rows(sent.places[3]).tolist() == train.rows(train.places[3]).tolist()
    )


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_the_cost_of_a_split_grows_with_the_blocks_and_no_faster(by):
    def seconds(n_blocks):
        arrays = from_reader(read, (10,) * n_blocks, METAS)
        began = time.perf_counter()
        train = split(arrays, 0.2, by, 0).train
        dict(train.X.__dask_graph__())
        return time.perf_counter() - began

    few, many = (min(seconds(n) for _ in range(3)) for n in (250, 2000))
    assert many < 8 * 4 * few


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_frames_stay_frames_with_rows_counted_from_zero(by):
    frame = read_frame(0, 0)[0]
    metas = (np.empty((0, 2), object), np.empty(0, int))
    arrays = from_reader(read_frame, (10,) * 10, metas, ("row", "word"), frame=frame)
    found = []
    for part in split(arrays, 0.3, by, 0, 0.2):
        assert part.frame is frame
        assert part.X.chunks[1] == (2,)
        graph = {**part.X.__dask_graph__(), **part.y.__dask_graph__()}
        blocks = dask.get(
            graph, [[row[0] for row in part.X.__dask_keys__()], part.y.__dask_keys__()]
        )
        for X, y, size in zip(*blocks, part.X.chunks[0], strict=True):
            assert X.index.equals(pd.RangeIndex(size))
            np.testing.assert_array_equal(X["row"], y)
            assert X["word"].tolist() == [f"row {row}" for row in y]
            found += y.tolist()
    assert sorted(found) == list(range(100))


@pytest.mark.parametrize("by", ["blocks", "rows"])
def test_y_alone_is_split_as_y_is(by):
    arrays = from_reader(read, (10,) * 10, METAS, read_y=read)
    for part in split(arrays, 0.3, by, 0, 0.2):
        assert part.y_only.chunks == part.y.chunks
        assert part.y_only is not part.y
        np.testing.assert_array_equal(part.y_only.compute(), part.y.compute(), strict=True)
