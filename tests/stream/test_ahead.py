"""Blocks read ahead, in threads or by other processes."""

import gc
import pickle
import weakref
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace

import cloudpickle
import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from runner.base import Part
from runner.dataset.make_classification import MakeClassification
from runner.errors import DatasetError
from runner.preprocessing.stages import Through
from runner.stream.stream import Stream


class Elsewhere:
    """Readers that get and give everything as bytes, as another process would."""

    placement = "client"

    def __init__(self):
        self.closed = 0
        self.n_ahead = None

    def ahead(self, work, given, tasks, n_ahead):
        self.n_ahead = n_ahead
        sent = cloudpickle.dumps((work, given))
        try:
            for task in tasks:
                work, given = pickle.loads(sent)  # noqa: S301
                done = work(given, pickle.loads(cloudpickle.dumps(task)))  # noqa: S301
                yield pickle.loads(cloudpickle.dumps(done))  # noqa: S301
        finally:
            self.closed += 1


def bits(blocks):
    return [
        (b.place, b.epoch, b.position, b.content, b.X.tobytes(), b.y.tobytes()) for b in blocks
    ]


def train(**changes):
    settings = {"n_samples": 400, "chunks": 23, "seed": 1, "random_state": 1} | changes
    return MakeClassification(**settings).split().train


def scaler(part):
    return Through([StandardScaler().fit(part.X.compute())])


@pytest.mark.parametrize("holdout_by", ["blocks", "rows"])
@pytest.mark.parametrize("buffer_blocks", [0, 3])
def test_other_processes_read_the_same_bits(holdout_by, buffer_blocks):
    part = train(holdout_by=holdout_by)
    stream = Stream(buffer_blocks=buffer_blocks, seed=3)
    source = stream.source(part, scaler(part), hashed=True)
    here = [bits(stream.epoch(source, epoch)) for epoch in (0, 1)]
    there = [bits(stream.on(Elsewhere()).epoch(source, epoch)) for epoch in (0, 1)]
    assert here == there
    assert here[0] != here[1]


def test_an_epoch_that_starts_in_its_middle_has_its_positions_elsewhere_too():
    part, stream = train(), Stream(seed=3)
    source = stream.source(part)
    tail = bits(stream.on(Elsewhere()).epoch(source, 0, start=5))
    assert tail == bits(stream.epoch(source, 0))[5:]


def test_a_real_process_reads_a_block_that_it_is_sent():
    from runner.stream.ahead import read_and_then

    source = Stream().source(train(), hashed=True)
    with ProcessPoolExecutor(1) as pool:
        done = pool.submit(read_and_then, (source.given, None), source.reading(3, 0, 7)).result()
    assert bits([done]) == bits([source.read(3, 0, 7)])


def n_rows_alone(block):
    return replace(block, X=np.empty((block.n_rows, 0)))


def test_what_is_made_of_a_block_elsewhere_is_all_that_comes_back():
    stream, elsewhere = Stream(), Elsewhere()
    source = stream.source(train())
    blocks = list(stream.on(elsewhere).in_order(source, n_rows_alone))
    assert {block.X.shape[1] for block in blocks} == {0}
    assert elsewhere.n_ahead == stream.prefetch
    whole = list(stream.in_order(source, n_rows_alone))
    assert {block.X.shape[1] for block in whole} == {20}


def test_a_block_that_cannot_be_read_is_passed_on_as_it_is():
    part = train()
    broken = Part(part.X, part.y[:-1], None, part.places)
    stream = Stream(shuffle=False)
    source = stream.source(broken, tolerant=True)
    *_, last = stream.on(Elsewhere()).in_order(source, n_rows_alone)
    assert isinstance(last.error, DatasetError)
    assert last.place == part.places[-1]
    with pytest.raises(DatasetError, match="hold as many rows"):
        list(stream.on(Elsewhere()).in_order(stream.source(broken)))


def test_closing_in_mid_epoch_closes_what_reads():
    stream, elsewhere = Stream(), Elsewhere()
    with closing(stream.on(elsewhere).epoch(stream.source(train()), 0)) as blocks:
        next(blocks)
    assert elsewhere.closed == 1


@pytest.mark.parametrize("readers", [None, Elsewhere()])
def test_a_block_lives_no_longer_than_its_user_keeps_it(readers):
    stream = Stream(prefetch=1).on(readers)
    alive = []
    for block in stream.epoch(stream.source(train()), 0):
        alive.append(weakref.ref(block))
        del block
        gc.collect()
        assert alive[-1]() is None


def test_twins_of_a_stream_have_the_same_readers():
    elsewhere = Elsewhere()
    stream = Stream(seed=4, buffer_blocks=2, retries=5).on(elsewhere)
    source = stream.source(train())
    list(stream.unhurried().epoch(source, 0))
    assert elsewhere.n_ahead == 0
    one_by_one = stream.one_by_one()
    assert (one_by_one.shuffle, one_by_one.buffer_blocks, one_by_one.retries) == (False, 0, 5)
    elsewhere.n_ahead = None
    list(one_by_one.in_order(source))
    assert elsewhere.n_ahead == 0
    assert stream.on(None) == Stream(seed=4, buffer_blocks=2, retries=5)
