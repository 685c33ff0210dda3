"""Order, reading ahead and its bound."""

import threading
import time
import weakref
from contextlib import closing

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.base import Part, Place
from runner.elsewhere import Elsewhere, answered
from runner.errors import ConfigError, DatasetError
from runner.stream.stream import Stream
from tests.apart import Apart


class Alive:
    """Counts the blocks of X that are alive, by weak references."""

    def __init__(self):
        self.now = self.most = self.loads = 0
        self._lock = threading.Lock()

    def load(self, i, load_s=0.0):
        time.sleep(load_s)
        X = np.full((5, 2), i)
        with self._lock:
            self.loads += 1
            self.now += 1
            self.most = max(self.most, self.now)
        weakref.finalize(X, self._gone)
        return X

    def _gone(self):
        with self._lock:
            self.now -= 1


def part_of(load, n_blocks, *args):
    X = da.concatenate(
        [
            da.from_delayed(dask.delayed(load, pure=False)(i, *args), (5, 2), dtype=int)
            for i in range(n_blocks)
        ]
    )
    places = tuple(Place(i, 5 * i, 5 * i + 5) for i in range(n_blocks))
    return Part(X, None, None, places)


@given(st.integers(0, 2**32), st.integers(1, 200), st.integers(0, 5))
@settings(deadline=None, max_examples=50)
def test_an_order_is_a_permutation_and_always_the_same(seed, n_blocks, epoch):
    order = Stream(seed=seed).order(n_blocks, epoch)
    assert sorted(order) == list(range(n_blocks))
    assert order == Stream(seed=seed).order(n_blocks, epoch)


def test_each_epoch_and_each_seed_has_an_order_of_its_own():
    orders = [tuple(Stream(seed=seed).order(50, epoch)) for seed in (0, 1) for epoch in (0, 1, 2)]
    assert len(set(orders)) == 6


def test_the_blocks_come_in_the_order_of_the_epoch(make_part, points):
    stream = Stream(seed=3)
    source = stream.source(make_part(*points, chunks=5))
    for epoch in (0, 1):
        blocks = list(stream.epoch(source, epoch))
        assert [block.place.number for block in blocks] == stream.order(20, epoch)
        assert [block.position for block in blocks] == list(range(20))
        assert {block.epoch for block in blocks} == {epoch}


def test_evaluation_reads_in_the_order_of_the_dataset(make_part, points):
    stream = Stream(shuffle=True)
    blocks = stream.in_order(stream.source(make_part(*points)))
    assert [block.place.number for block in blocks] == [0, 1, 2, 3]


@pytest.mark.parametrize("prefetch", [0, 1, 2, 4])
@pytest.mark.parametrize(("load_s", "fit_s"), [(0.0, 0.003), (0.003, 0.0)])
def test_at_most_prefetch_plus_one_blocks_are_alive(prefetch, load_s, fit_s):
    alive = Alive()
    stream = Stream(prefetch=prefetch)
    source = stream.source(part_of(alive.load, 40, load_s))
    for block in stream.epoch(source, 0):
        time.sleep(fit_s)
        del block
    assert alive.loads == 40
    assert alive.now == 0
    assert alive.most <= prefetch + 1


@pytest.mark.parametrize("prefetch", [0, 1, 3])
@pytest.mark.parametrize("keeps_rows", [True, False])
def test_at_most_as_many_are_alive_where_threads_ask_about_them(prefetch, keeps_rows):
    alive = Alive()
    stream = Stream(prefetch=prefetch)
    then = as_it_is if keeps_rows else without_rows
    for block in stream.in_order(stream.source(part_of(alive.load, 40)), then):
        time.sleep(0.001)
        del block
    assert (alive.loads, alive.now) == (40, 0)
    assert alive.most <= prefetch + 1


def as_it_is(block):
    return block


def without_rows(block):
    return answered(block, None)


def test_what_is_read_while_the_learner_works_is_not_waited_for():
    source = Stream(prefetch=1).source(part_of(Alive().load, 10, 0.02))
    waits = []
    for block in Stream(prefetch=1).epoch(source, 0):
        waits.append(block.wait_s / block.load_s)
        time.sleep(0.06)
    assert np.median(waits) < 0.5
    alone = Stream(prefetch=0)
    assert all(block.wait_s == block.load_s > 0 for block in alone.epoch(source, 0))


def test_as_many_blocks_load_at_once_as_are_read_ahead():
    both = threading.Barrier(2, timeout=20)

    def load(i):
        both.wait()  # passes only when two loads run at the same time
        return np.full((5, 2), i)

    stream = Stream(prefetch=2, shuffle=False)
    assert len(list(stream.epoch(stream.source(part_of(load, 6)), 0))) == 6


def test_closing_in_mid_epoch_ends_the_threads_and_reads_no_further():
    alive = Alive()
    stream = Stream(prefetch=2)
    with closing(stream.epoch(stream.source(part_of(alive.load, 40)), 0)) as blocks:
        next(blocks)
    assert not [t for t in threading.enumerate() if t.name.startswith("runner-stream")]
    assert alive.loads <= 3


@pytest.mark.parametrize("prefetch", [0, 3])
def test_an_error_surfaces_at_its_own_block_and_ends_the_threads(prefetch):
    def load(i):
        if i == 4:
            raise OSError("gone")
        return np.full((5, 2), i)

    stream = Stream(prefetch=prefetch, shuffle=False)
    seen = []
    blocks = stream.epoch(stream.source(part_of(load, 10)), 0)
    with pytest.raises(DatasetError, match=r"Block 4 \(rows 20 to 24\)"):
        seen.extend(block.place.number for block in blocks)
    assert seen == [0, 1, 2, 3]


def test_the_depth_changes_no_bit_of_what_is_delivered(make_part, points):
    part = make_part(*points, chunks=7)
    delivered = [
        [(b.place, b.X.tobytes(), b.y.tobytes()) for b in stream.epoch(stream.source(part), 0)]
        for stream in (Stream(prefetch=depth) for depth in (0, 1, 3, 50))
    ]
    assert delivered[1:] == delivered[:-1]


@pytest.mark.parametrize("prefetch", [-1, 1.5, True, "2"])
def test_a_prefetch_that_is_no_number_of_blocks_is_refused(prefetch):
    with pytest.raises(ConfigError, match=r"stream\.prefetch must be an integer of at least 0"):
        Stream(prefetch=prefetch)


@pytest.mark.parametrize("buffer_blocks", [-1, 2.0, True, None])
def test_a_buffer_that_is_no_number_of_blocks_is_refused(buffer_blocks):
    with pytest.raises(
        ConfigError, match=r"stream\.buffer_blocks must be an integer of at least 0"
    ):
        Stream(buffer_blocks=buffer_blocks)


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("start", [0, 3, 9, 10])
def test_an_epoch_that_starts_in_its_middle_reads_only_what_follows(start, prefetch):
    reads = []
    stream = Stream(prefetch=prefetch, seed=3)
    source = stream.source(part_of(lambda i: reads.append(i) or np.full((5, 2), i), 10))
    blocks = list(stream.epoch(source, 1, start))
    assert [block.place.number for block in blocks] == stream.order(10, 1)[start:]
    assert [block.position for block in blocks] == list(range(start, 10))
    assert sorted(reads) == sorted(stream.order(10, 1)[start:])


@pytest.mark.parametrize("buffer_blocks", [0, 3])
@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_tolerant_stream_passes_on_in_its_turn_what_cannot_be_read(prefetch, buffer_blocks):
    def load(i):
        if i in {2, 7}:
            raise ValueError("malformed")
        return np.full((5, 2), i)

    stream = Stream(prefetch=prefetch, shuffle=False, buffer_blocks=buffer_blocks)
    source = stream.source(part_of(load, 10), tolerant=True)
    blocks = list(stream.epoch(source, 0))
    assert [block.position for block in blocks] == list(range(10))
    assert [block.place.number for block in blocks if block.error] == [2, 7]
    rows = np.concatenate([block.X[:, 0] for block in blocks if not block.error])
    assert sorted(rows) == sorted(np.repeat([0, 1, 3, 4, 5, 6, 8, 9], 5))


def test_a_block_is_read_again_as_often_as_the_stream_says(monkeypatch):
    monkeypatch.setattr("runner.stream.retries.PAUSES_S", (0.0,))
    calls = []

    def load(i):
        calls.append(i)
        if calls.count(i) <= 2 and i == 1:
            raise ConnectionError("away")
        return np.full((5, 2), i)

    part = part_of(load, 3)
    blocks = list(Stream(shuffle=False).epoch(Stream().source(part), 0))
    assert [block.X[0, 0] for block in blocks] == [0, 1, 2]
    assert sorted(calls) == [0, 1, 1, 1, 2]
    calls.clear()
    stream = Stream(retries=1, shuffle=False)
    with pytest.raises(DatasetError, match="got ConnectionError: away"):
        list(stream.epoch(stream.source(part), 0))


@pytest.mark.parametrize("retries", [-1, 1.5, True, None])
def test_tries_that_are_no_number_are_refused(retries):
    with pytest.raises(ConfigError, match=r"stream\.retries must be an integer of at least 0"):
        Stream(retries=retries)


@pytest.mark.parametrize("seed", [-1, "abc", None])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(ConfigError, match=r"stream\.seed must be an integer of at least 0"):
        Stream(seed=seed)


def test_blocks_to_be_learned_stay_where_they_are_read_and_others_come(make_part, points):
    part = make_part(*points)
    here, away = Stream(seed=1), Stream(seed=1).on(Apart())
    source = here.source(part, hashed=True)
    for learned in (lambda s: s.epoch(source, 0, 3), lambda s: s.once(source)):
        for block, held in zip(learned(here), learned(away), strict=True):
            assert isinstance(held.X, Elsewhere)
            assert (held.place, held.position, held.content) == (
                block.place,
                block.position,
                block.content,
            )
            assert held.X.ask(total) == total(block)
            assert held.wait_s > 0
    assert not any(isinstance(block.X, Elsewhere) for block in away.in_order(source))


def total(block):
    return float(block.X.sum()), float(block.y.sum())


def test_blocks_come_to_be_learned_where_they_are_not_to_stay(make_part, points):
    stream = Stream().on(Apart(placement="client"))
    blocks = stream.epoch(stream.source(make_part(*points)), 0)
    assert not any(isinstance(block.X, Elsewhere) for block in blocks)
