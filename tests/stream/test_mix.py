"""An epoch of mixed rows that starts in its middle, as the whole one goes on there."""

import threading
import weakref
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.base import Block, Place
from runner.dataset.lazy import from_reader
from runner.dataset.split import split
from runner.errors import DatasetError
from runner.stream.mix import Mix, mixed
from runner.stream.stream import Stream


class Rows:
    """Reads rows whose labels have a width of their own in each block, and counts the reads."""

    metas = (np.empty((0, 2)), np.empty(0, "U1"))

    def __init__(self, bad=()):
        self.bad = bad
        self.reads = Counter()
        self._lock = threading.Lock()

    def __call__(self, start, stop):
        with self._lock:
            self.reads[start, stop] += 1
        if start in self.bad:
            raise ValueError("malformed")
        rows = np.arange(start, stop)
        return np.outer(rows, [1.0, 0.5]), np.array([str(row) for row in rows], str)

    def __dask_tokenize__(self):
        return id(self)


def bits(blocks):
    return [
        (
            *(block.place, block.epoch, block.position, block.content, str(block.error)),
            *(block.X.tobytes(), block.X.dtype),
            *(None if array is None else (array.tobytes(), array.dtype) for array in (block.y,)),
            None if block.rows is None else block.rows.tolist(),
        )
        for block in blocks
    ]


@st.composite
def epochs(draw):
    """Draw blocks, which of them are bad, a stream and a position."""
    sizes = draw(st.lists(st.integers(0, 25), min_size=1, max_size=12).filter(any))
    edges = np.cumsum([0, *sizes]).tolist()
    bad = [edge for edge, size in zip(edges, sizes, strict=False) if size and draw(st.booleans())]
    stream = Stream(
        shuffle=draw(st.booleans()),
        prefetch=draw(st.integers(0, 3)),
        buffer_blocks=draw(st.integers(0, 5)),
        seed=draw(st.integers(0, 9)),
    )
    bad = bad if draw(st.booleans()) else []
    return sizes, bad, stream, draw(st.integers(0, 1)), draw(st.integers(0, len(sizes)))


@given(epochs())
@settings(deadline=None, max_examples=150)
def test_from_any_position_on_come_the_bits_of_the_whole_epoch_and_only_what_they_need_is_read(
    drawn,
):
    sizes, bad, stream, epoch, start = drawn
    read = Rows(bad)
    part = split(from_reader(read, tuple(sizes), Rows.metas), 0, "blocks", 0).train
    source = stream.source(part, hashed=True, tolerant=True)
    whole = list(stream.epoch(source, epoch))
    read.reads.clear()
    unread = {block.place.number for block in whole[:start] if block.error is not None}
    tail = list(stream.epoch(source, epoch, start, unread))
    assert bits(tail) == bits(whole[start:])
    rows = [block.place for block in whole[start:] if not block.n_rows]
    needed = {(place.start, place.stop) for place in rows}
    needed |= {
        (place.start, place.stop)
        for block in whole[start:]
        for place in part.places
        if block.n_rows and place.number in (block.place.mixed or (block.place.number,))
    }
    assert {reads for reads in read.reads if reads[0] < reads[1]} == {
        reads for reads in needed if reads[0] < reads[1]
    }
    assert all(n == 1 for reads, n in read.reads.items() if reads[0] < reads[1])


KINDS = {
    "objects": lambda rows: np.array([f"line {row}" for row in rows], object),
    "sparse": lambda rows: scipy.sparse.csr_array(np.outer(rows, [0.0, 1.0, 2.0])),
    "frame": lambda rows: pd.DataFrame({"a": rows, "b": [f"{row}" for row in rows]}),
}


def blocks_of(make, n_blocks, n_rows=20):
    for i in range(n_blocks):
        place = Place(i, i * n_rows, (i + 1) * n_rows)
        rows = np.arange(place.start, place.stop)
        yield Block(make(rows), rows, None, place)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_any_kind_go_on_as_they_were(kind):
    whole = list(mixed(blocks_of(KINDS[kind], 8), Mix(3, epoch=0, seed=0)))
    for start in range(9):
        mix = Mix(3, epoch=0, seed=0)
        mix.go_to(start, [(i, 20) for i in range(8)])
        every = list(blocks_of(KINDS[kind], 8))
        to_read = [*mix.missing, *range(mix.n_added, 8)]
        tail = list(mixed((every[i] for i in to_read), mix))
        assert [block.position for block in tail] == list(range(start, 8))
        for block, other in zip(tail, whole[start:], strict=True):
            assert type(block.X) is type(other.X)
            assert block.place == other.place
            np.testing.assert_array_equal(block.y, other.y)
            np.testing.assert_array_equal(block.rows, other.rows)
            if kind == "frame":
                pd.testing.assert_frame_equal(block.X, other.X)
            else:
                found, expected = (
                    each.toarray() if kind == "sparse" else each for each in (block.X, other.X)
                )
                np.testing.assert_array_equal(found, expected, strict=True)


def test_the_rows_of_a_side_drawn_by_rows_go_on_with_their_numbers():
    stream = Stream(buffer_blocks=3, seed=1)
    part = split(from_reader(Rows(), (30,) * 8, Rows.metas), 0.4, "rows", 0).train
    source = stream.source(part, hashed=True)
    whole = list(stream.epoch(source, 0))
    assert all(block.rows is not None for block in whole)
    for start in (1, 4, 7):
        assert bits(stream.epoch(source, 0, start)) == bits(whole[start:])


@pytest.mark.parametrize("k", [1, 3])
def test_the_content_of_a_mix_is_that_of_the_blocks_read_since_the_last_one(k):
    def hashed():
        for block in blocks_of(lambda rows: rows[:, None], 6, 4):
            yield Block(block.X, None, None, block.place, content=2**63 + block.place.number)

    contents = [block.content for block in mixed(hashed(), Mix(k, epoch=0, seed=0))]
    each = [2**63 + i for i in range(6)]
    assert contents == [sum(each[:k]) % 2**64, *each[k:], *[0] * (k - 1)]


def test_a_block_in_the_buffer_that_has_other_rows_than_before_is_refused():
    mix = Mix(2, epoch=0, seed=0)
    mix.go_to(1, [(0, 20), (1, 20), (2, 20)])
    with pytest.raises(DatasetError) as refused:
        next(mixed(blocks_of(lambda rows: rows[:, None], 3, n_rows=19), mix))
    assert str(refused.value) == (
        "Block 0 (rows 0 to 18) must have the rows it had before; got 19 of 20. "
        "Bring the data back as they were, or begin anew."
    )


def test_a_block_in_the_buffer_that_can_no_longer_be_read_ends_even_what_is_tolerant():
    stream = Stream(shuffle=False, buffer_blocks=3, prefetch=0)
    part = split(from_reader(Rows([20]), (20,) * 5, Rows.metas), 0, "blocks", 0).train
    with pytest.raises(DatasetError, match=r"Block 1 \(rows 20 to 39\) must be readable"):
        next(stream.epoch(stream.source(part, tolerant=True), 0, start=1))


@pytest.mark.parametrize("prefetch", [0, 2])
def test_filling_the_buffer_again_needs_no_more_memory_than_the_whole_epoch(prefetch):
    alive, most, lock = 0, 0, threading.Lock()

    class Counted(Rows):
        def __call__(self, start, stop):
            nonlocal alive, most
            X, y = super().__call__(start, stop)
            with lock:
                alive += 1
                most = max(most, alive)
            weakref.finalize(X, gone)
            return X, y

    def gone():
        nonlocal alive
        with lock:
            alive -= 1

    stream = Stream(prefetch=prefetch, buffer_blocks=4)
    part = split(from_reader(Counted(), (50,) * 20, Rows.metas), 0, "blocks", 0).train
    for block in stream.epoch(stream.source(part), 0, start=10):
        del block
    assert alive == 0
    assert most <= prefetch + 1 + 4
