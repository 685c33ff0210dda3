"""Rows of several blocks in one, each once, by the seed alone."""

import threading
import time
import tracemalloc
import weakref
from contextlib import closing

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

from runner.base import Block, Part, Place, Progress
from runner.errors import DatasetError
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import fit_loop
from runner.stream.mix import Mix, mixed
from runner.stream.stream import Stream


def places_of(sizes):
    stops = np.cumsum(sizes).tolist()
    sized = zip(sizes, stops, strict=True)
    return [Place(i, stop - size, stop) for i, (size, stop) in enumerate(sized)]


def blocks_of(sizes, make_X=lambda rows: rows[:, None], load_s=1.0):
    """Yield blocks of which y and the weights are the numbers of the rows."""
    for place in places_of(sizes):
        rows = np.arange(place.start, place.stop)
        times = {"load_s": load_s, "wait_s": load_s / 2}
        yield Block(make_X(rows), rows, rows + 0.5, place, 0, place.number, **times)


def part_of(load, n_blocks, n_rows=5, n_features=2):
    X = da.concatenate(
        [
            da.from_delayed(
                dask.delayed(load, pure=False)(i), (n_rows, n_features), dtype=np.float64
            )
            for i in range(n_blocks)
        ]
    )
    return Part(X, None, None, tuple(places_of([n_rows] * n_blocks)))


@given(st.lists(st.integers(0, 12), max_size=15), st.integers(1, 8), st.integers(0, 3))
@settings(deadline=None)
def test_each_row_comes_once_with_its_target_and_weight_in_blocks_of_the_sizes_read(
    sizes, k, seed
):
    delivered = list(mixed(blocks_of(sizes), Mix(k, epoch=0, seed=seed)))
    rows = np.concatenate([[], *(block.y for block in delivered)])
    assert sorted(rows) == list(range(sum(sizes)))
    assert [b.n_rows for b in delivered if b.n_rows] == [size for size in sizes if size]
    assert len(delivered) == len(sizes)
    assert [block.position for block in delivered] == list(range(len(sizes)))
    for block in delivered:
        np.testing.assert_array_equal(block.X[:, 0], block.y)
        np.testing.assert_array_equal(block.sample_weight, block.y + 0.5)


@given(st.lists(st.integers(0, 12), max_size=15), st.integers(1, 8))
@settings(deadline=None)
def test_a_delivered_block_says_where_its_rows_come_from(sizes, k):
    places, seen = places_of(sizes), 0
    for block in mixed(blocks_of(sizes), Mix(k, epoch=2, seed=0)):
        if block.n_rows == 0:
            assert block.place in places
            continue
        np.testing.assert_array_equal(block.rows, block.y)
        sources = [p for p in places if any(p.start <= row < p.stop for row in block.rows)]
        assert block.place == Place(
            number=sources[-1].number,
            start=sources[0].start,
            stop=sources[-1].stop,
            mixed=tuple(p.number for p in sources),
        )
        assert block.epoch == 2
        assert block.row_name(0) == f"row {block.y[0]}"
        # Of the blocks with rows, none is used before the buffer has room for it.
        assert len([p for p in places[: sources[-1].number + 1] if p.stop > p.start]) <= seen + k
        seen += 1


def test_row_numbers_are_unknown_where_a_block_is_not_whole():
    whole, cut = Place(0, 0, 2), Place(1, 2, 9)
    blocks = (Block(np.zeros((2, 1)), None, None, place) for place in (whole, cut))
    for block in mixed(blocks, Mix(2, epoch=0, seed=0)):
        assert block.place.mixed == (0, 1)
        assert block.rows is None


def test_known_row_numbers_of_a_block_that_is_not_whole_are_kept():
    rows = np.array([3, 5, 8])
    blocks = (Block(rows, None, None, place, rows=rows) for place in [Place(0, 0, 10)])
    (block,) = mixed(blocks, Mix(3, epoch=0, seed=0))
    assert sorted(block.rows) == [3, 5, 8]
    np.testing.assert_array_equal(block.rows, block.X)


def test_the_time_of_reading_is_that_of_the_blocks_read_since_the_last_delivery():
    delivered = list(mixed(blocks_of([4, 4, 0, 4, 4, 4]), Mix(3, epoch=0, seed=0)))
    assert [(b.n_rows, b.load_s) for b in delivered] == [
        *((0, 1.0), (4, 3.0), (4, 1.0), (4, 1.0), (4, 0.0), (4, 0.0))
    ]
    assert [b.wait_s for b in delivered] == [b.load_s / 2 for b in delivered]


def test_every_block_in_the_buffer_is_drawn_from_alike():
    """Count, over many draws, the block of the first row; each of four is due a quarter."""
    counts = np.zeros(4)
    for seed in range(2000):
        block = next(mixed(blocks_of([3, 3, 3, 3]), Mix(4, epoch=0, seed=seed)))
        counts[block.y[0] // 3] += 1
    assert np.abs(counts - 500).max() < 100  # five standard deviations


def words(rows):
    """Make text whose width differs from block to block."""
    return np.array([str(row) * (1 + row // 4) for row in rows])


KINDS = {
    "text": words,
    "objects": lambda rows: words(rows).astype(object),
    "float32": lambda rows: np.outer(rows, [1, 2]).astype(np.float32),
    "columns first": lambda rows: np.asfortranarray(np.outer(rows, [1, 2])),
    "sparse array": lambda rows: scipy.sparse.csr_array(np.outer(rows, [0, 1, 2])),
    "sparse matrix": lambda rows: scipy.sparse.csr_matrix(np.outer(rows, [0, 1, 2])),
    "frame": lambda rows: pd.DataFrame(
        {"a": rows, "b": words(rows).astype(object), "c": rows > 5, "d": rows.astype("f4")}
    ),
}


def dense(X):
    return X.toarray() if scipy.sparse.issparse(X) else np.asarray(X)


@pytest.mark.parametrize("k", [1, 3, 9])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_any_kind_stay_as_they_are(kind, k):
    make_X = KINDS[kind]
    for block in mixed(blocks_of([4] * 8, make_X), Mix(k, epoch=0, seed=0)):
        expected = make_X(block.y)
        assert type(block.X) is type(expected)
        np.testing.assert_array_equal(dense(block.X), dense(expected))
        if isinstance(expected, pd.DataFrame):
            pd.testing.assert_series_equal(block.X.dtypes, expected.dtypes)
            assert block.X.index.is_unique
        else:
            assert kind == "text" or block.X.dtype == expected.dtype


@pytest.mark.parametrize("targets", [None, 1, 2])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_targets_and_weights_may_be_there_or_not(make_part, targets, is_weighted):
    X = np.arange(100.0)[:, None]
    y = {None: None, 1: X[:, 0], 2: np.hstack([X, -X])}[targets]
    weight = X[:, 0] if is_weighted else None
    stream = Stream(buffer_blocks=2)
    for block in stream.epoch(stream.source(make_part(X, y, weight, chunks=10)), 0):
        for found, column in ((block.y, targets), (block.sample_weight, is_weighted or None)):
            if column is None:
                assert found is None
            else:
                np.testing.assert_array_equal(found.reshape(10, -1)[:, 0], block.X[:, 0])


def delivered_by(stream, part, epoch):
    source = stream.source(part)
    return [
        (b.place, b.position, b.X.tobytes(), b.y.tobytes()) for b in stream.epoch(source, epoch)
    ]


def test_the_same_seed_gives_the_same_bits_however_many_threads_read(make_part, points):
    part = make_part(*points, chunks=7)
    first, *others = (
        delivered_by(Stream(seed=3, buffer_blocks=4, prefetch=prefetch), part, 1)
        for prefetch in (0, 1, 2, 5)
    )
    assert others == [first] * 3


def test_each_epoch_and_each_seed_mixes_anew(make_part, points):
    part = make_part(*points, chunks=10)
    bits = {
        tuple(delivered_by(Stream(seed=seed, shuffle=False, buffer_blocks=3), part, epoch))
        for seed in (0, 1)
        for epoch in (0, 1, 2)
    }
    assert len(bits) == 6


def test_without_a_buffer_and_in_order_rows_stay_in_their_blocks(make_part, points):
    part = make_part(*points)
    for blocks in (
        Stream().epoch(Stream().source(part), 0),
        Stream(buffer_blocks=3).in_order(Stream().source(part)),
    ):
        for block in blocks:
            np.testing.assert_array_equal(block.X, points[0][block.place.start : block.place.stop])
            assert block.place.mixed == ()


@pytest.mark.parametrize("n_taken", [0, 1, 20, 39])
def test_closing_in_mid_epoch_ends_the_threads_and_reads_no_further(n_taken):
    reads = []
    stream = Stream(prefetch=2, buffer_blocks=5)
    source = stream.source(part_of(lambda i: reads.append(i) or np.ones((5, 2)), 40))
    with closing(stream.epoch(source, 0)) as blocks:
        for _ in range(n_taken):
            next(blocks)
    assert not [t for t in threading.enumerate() if t.name.startswith("runner-stream")]
    assert len(reads) <= (n_taken + 4 + 2 if n_taken else 0)


def test_closing_closes_what_reads_the_blocks_even_if_it_is_in_use_elsewhere():
    blocks = blocks_of([5] * 10)
    with closing(mixed(blocks, Mix(3, epoch=0, seed=0))) as delivered:
        next(delivered)
    assert blocks.gi_frame is None


@pytest.mark.parametrize("prefetch", [0, 2])
def test_an_error_names_the_block_that_cannot_be_read(prefetch):
    def load(i):
        if i == 6:
            raise OSError("gone")
        return np.full((5, 2), i)

    stream = Stream(prefetch=prefetch, shuffle=False, buffer_blocks=3)
    seen = []
    with pytest.raises(DatasetError, match=r"Block 6 \(rows 30 to 34\) must be readable"):
        seen.extend(b.position for b in stream.epoch(stream.source(part_of(load, 10)), 0))
    assert seen == [0, 1, 2, 3]  # six blocks were read, and two of them fill the buffer


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("k", [1, 3, 8])
def test_memory_is_bounded_by_the_buffer_and_what_is_read_ahead(prefetch, k):
    n_rows, n_features = 2000, 50
    alive, most, lock = 0, 0, threading.Lock()

    def load(i):
        nonlocal alive, most
        X = np.full((n_rows, n_features), float(i))
        with lock:
            alive += 1
            most = max(most, alive)
        weakref.finalize(X, gone)
        return X

    def gone():
        nonlocal alive
        with lock:
            alive -= 1

    stream = Stream(prefetch=prefetch, buffer_blocks=k)
    source = stream.source(part_of(load, 40, n_rows, n_features))
    tracemalloc.start()
    try:
        for block in stream.epoch(source, 0):
            time.sleep(0.002)
            del block
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert alive == 0
    assert most <= prefetch + 1 + (k if k > 1 else 0)  # with one block nothing stays behind
    assert peak / (n_rows * n_features * 8) <= prefetch + 2.3 + 1.1 * k


def sorted_digits():
    """Return 20 training blocks of digits sorted by label, and a held-out fifth."""
    X, y = load_digits(return_X_y=True)
    order = np.argsort(y, kind="stable")
    is_held = np.random.default_rng(0).random(len(y)) < 0.2
    held, train = order[is_held[order]], order[~is_held[order]]
    sizes = [len(part) for part in np.array_split(train, 20)]
    part = Part(
        da.from_array(X[train], chunks=(tuple(sizes), -1)),
        da.from_array(y[train], chunks=(tuple(sizes),)),
        None,
        tuple(places_of(sizes)),
    )
    return part, X[held], y[held]


@pytest.mark.parametrize(("epochs", "margin"), [(1, 0.3), (5, 0.1)])
def test_on_sorted_data_a_buffer_learns_more_than_shuffled_blocks(epochs, margin):
    part, X, y = sorted_digits()
    accuracy = {0: [], 5: []}
    for buffer_blocks, found in accuracy.items():
        for seed in range(5):
            stream = Stream(seed=seed, prefetch=0, buffer_blocks=buffer_blocks)
            source = stream.source(part)
            model, progress = SGDClassifier(random_state=seed), Progress(epochs=epochs)
            fit = IncrementalFit(model, {"classes": list(range(10))}, progress=progress)
            fit_loop([fit], lambda epoch, s=stream, b=source: s.epoch(b, epoch))
            found.append(fit.estimator.score(X, y))
    assert np.mean(accuracy[5]) > np.mean(accuracy[0]) + margin
