"""Blocks read ahead, in threads or by other processes."""

import pickle
import threading
import time
import warnings
import weakref
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace

import cloudpickle
import numpy as np
import pytest
import sklearn
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

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
    there = list(stream.on(elsewhere, asks=False).in_order(source, n_rows_alone))
    assert {block.X.shape[1] for block in there} == {20}


class Noting:
    """Makes of a block who was asked about it: the thread, and which copy of this."""

    def __init__(self, note=lambda block: None):
        self.note = note

    def __call__(self, block):
        answers = threading.current_thread().name, id(self), self.note(block)
        return replace(block, X=np.empty((block.n_rows, 0)), answers=answers)


def passed_on(block):
    return block.X.tobytes()


def asked(prefetch, then, part=None):
    stream = Stream(prefetch=prefetch)
    return list(stream.in_order(stream.source(part or train()), then))


@pytest.mark.parametrize("prefetch", [1, 3, 50])
def test_threads_that_read_ask_copies_of_their_own_and_blocks_come_in_order(prefetch):
    then = Noting(passed_on)
    blocks = asked(prefetch, then)
    assert [block.position for block in blocks] == list(range(len(blocks)))
    assert [block.answers[2] for block in blocks] == [b.X.tobytes() for b in asked(0, None)]
    threads = {}
    for block in blocks:
        name, copy, _ = block.answers
        assert name.startswith("runner-stream")
        assert threads.setdefault(name, copy) == copy != id(then)
    assert len(set(threads.values())) == len(threads) <= prefetch + 1


def reading_threads():
    return [each for each in threading.enumerate() if each.name.startswith("runner-stream")]


class Uncopied(Noting):
    def __deepcopy__(self, memo):
        raise RecursionError("too deep")


class Heavy(Noting):
    def __init__(self):
        super().__init__()
        self.weights = np.zeros(2**27, np.uint8)  # of two copies just too much, with the rest


@pytest.mark.parametrize("then", [Uncopied(), Noting(threading.Lock()), Heavy()])
def test_blocks_come_as_they_are_where_a_thread_cannot_have_what_is_asked(then):
    blocks = asked(1, then)
    assert {(block.X.shape[1], block.answers) for block in blocks} == {(20, None)}
    assert not reading_threads()


def test_nothing_is_asked_of_what_is_read_in_the_calling_thread():
    stream = Stream(prefetch=3).unhurried()
    blocks = list(stream.in_order(stream.source(train()), Noting()))
    assert {block.answers for block in blocks} == {None}


def settings_of_the_thread(block):
    openmp = {each["num_threads"] for each in threadpool_info() if each["user_api"] == "openmp"}
    return openmp, np.geterr()["over"], sklearn.get_config()["working_memory"]


def test_threads_ask_as_the_calling_thread_would_but_on_one_core():
    with np.errstate(over="ignore"), sklearn.config_context(working_memory=7):
        blocks = asked(2, Noting(settings_of_the_thread))
    assert all(block.answers[2] == ({1}, "ignore", 7) for block in blocks)


def changes_filters(block):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        time.sleep(0.001)
        warnings.simplefilter("error", FutureWarning)
    warnings.warn(f"seen {block.position}", UserWarning, stacklevel=1)


def test_what_threads_warn_of_is_told_once_and_they_leave_no_filter_behind():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        before = list(warnings.filters)
        n_blocks = len(asked(3, Noting(changes_filters)))
        assert warnings.filters == before
    said = sorted(int(str(each.message).split()[1]) for each in caught)
    assert said == list(range(n_blocks))


def refuses_the_fifth(block):
    if block.position == 4:
        raise DatasetError("it", "be well", got="ill", remedy="Mend it.")


def test_what_is_refused_in_a_thread_is_raised_at_its_block_and_ends_the_threads():
    stream, seen = Stream(prefetch=3), []
    blocks = stream.in_order(stream.source(train()), Noting(refuses_the_fifth))
    with pytest.raises(DatasetError, match="it must be well; got ill"):
        seen.extend(block.position for block in blocks)
    assert seen == [0, 1, 2, 3]
    assert not reading_threads()


def test_closing_ends_the_threads_that_ask():
    stream = Stream(prefetch=2)
    with closing(stream.in_order(stream.source(train()), Noting())) as blocks:
        next(blocks)
        assert reading_threads()
    assert not reading_threads()


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
        wait_until(lambda: alive[-1]() is None)  # the thread that read it may hold it for a moment
    assert alive


def wait_until(holds, most_s=20):
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < most_s
        time.sleep(0.0005)


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
