"""Fits that do something at the same time, and what must not leak from one to the others."""

import gc
import os
import signal
import threading
import time
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import SGDClassifier
from threadpoolctl import threadpool_info

from runner.base import Block, Callback, Place
from runner.errors import FitError
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import fit_loop, measure
from runner.fit.threads import Threads, available_cores

BOTH = pytest.mark.parametrize("n_threads", [1, 2])


class Silent:
    """Learns nothing."""

    def partial_fit(self, X, y=None):
        """Leave everything as it is."""


def look_up(X):
    """Fail with a view of the block at hand."""
    rows = X[:]
    raise KeyError(rows.shape)


class Refusing:
    """Refuses a block by an error that another caused."""

    def partial_fit(self, X, y=None):
        try:
            look_up(X)
        except KeyError as error:
            raise ValueError(f"no {len(X)} rows") from error


class Entangled:
    """Refuses a block by an error that has another cause than the one it was raised beside."""

    def partial_fit(self, X, y=None):
        try:
            look_up(X)
        except KeyError:
            raise ValueError("no") from TypeError("for another reason")


class Grouped:
    """Refuses a block for several reasons at once."""

    def partial_fit(self, X, y=None):
        try:
            look_up(X)
        except KeyError as error:
            reasons = [error]
        raise ExceptionGroup("no", reasons)


class Leaving:
    """Ends the process, or would."""

    def partial_fit(self, X, y=None):
        raise SystemExit(3)


def fits_of(*estimators):
    return [IncrementalFit(estimator) for estimator in estimators]


def block_of(n_rows=4):
    return Block(np.ones((n_rows, 2)), None, None, Place(0, 0, n_rows))


def step(each, block, fits):
    """Let each fit learn from the block, and let go of it; an error keeps the frames around it."""
    held = [block]
    del block
    each(lambda fit: fit.step(held[0]), fits)
    held.clear()


def fit_threads():
    return [each for each in threading.enumerate() if each.name.startswith("runner-fit")]


@BOTH
@pytest.mark.parametrize("failing", [Refusing, Entangled, Grouped, Leaving])
def test_an_error_stays_with_its_fit_and_lets_go_of_the_block(n_threads, failing):
    fits = fits_of(Silent(), failing(), Silent())
    block = block_of()
    seen = [weakref.ref(block), weakref.ref(block.X)]
    with Threads(n_threads) as each:
        step(each, block, fits)
        del block
        gc.collect()
        assert [ref() for ref in seen] == [None, None]
    assert [fit.failed for fit in fits] == [False, True, False]
    assert [fit.progress.rows for fit in fits] == [4, 0, 4]


@BOTH
def test_a_block_is_let_go_before_the_next_is_asked_for(n_threads):
    alive = []

    def blocks():
        for number in range(6):
            gc.collect()
            assert not [ref for ref in alive if ref() is not None], number
            made = [Block(np.ones((4, 2)), None, None, Place(number, 0, 4))]
            alive.append(weakref.ref(made[0]))
            yield made.pop()

    fits = fits_of(Silent(), Refusing(), Leaving(), Silent())
    with Threads(n_threads) as each:
        fit_loop(fits, lambda _: blocks(), each)
    assert len(alive) == 6
    assert [fit.progress.blocks for fit in fits] == [6, 0, 0, 6]


@BOTH
def test_an_error_says_where_it_came_from_and_keeps_its_cause(n_threads):
    fits = fits_of(Silent(), Refusing())
    with Threads(n_threads) as each:
        step(each, block_of(), fits)
    error = fits[1].error
    assert isinstance(error, FitError)
    assert "Block 0 (rows 0 to 3)" in str(error)
    assert repr(error.__cause__) == "ValueError('no 4 rows')"
    assert repr(error.__cause__.__cause__) == "KeyError((4, 2))"
    frames = [line for link in (error, error.__cause__) for line in traceback_names(link)]
    assert {"step", "_learn", "partial_fit"} <= set(frames)


def traceback_names(error):
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_code.co_name
        trace = trace.tb_next


@BOTH
def test_what_would_end_the_process_ends_its_fit_alone(n_threads):
    fits = fits_of(Leaving(), Silent())
    with Threads(n_threads) as each:
        step(each, block_of(), fits)
    assert isinstance(fits[0].error, SystemExit)
    assert fits[0].error.code == 3
    assert fits[1].progress.rows == 4


def test_an_interrupt_cancels_what_has_not_begun_and_waits_for_what_has():
    begun, ended, main = threading.Event(), [], threading.get_ident()

    def action(fit):
        begun.set()
        time.sleep(0.3)
        ended.append(fit)

    def interrupt():
        begun.wait()
        signal.pthread_kill(main, signal.SIGINT)

    fits = fits_of(*[Silent() for _ in range(50)])
    watch = threading.Thread(target=interrupt)
    watch.start()
    with Threads(2) as each:
        with pytest.raises(KeyboardInterrupt):
            each(action, fits)
        so_far = len(ended)
        assert 1 <= so_far <= 2
        assert not fit_threads()
        time.sleep(0.4)
        assert len(ended) == so_far
    watch.join()
    assert not any(fit.failed for fit in fits)


def test_an_interrupt_in_a_thread_reaches_the_caller_when_the_others_are_done():
    begun, done = threading.Barrier(2), []

    def action(fit):
        begun.wait()
        if fit is fits[0]:
            raise KeyboardInterrupt
        time.sleep(0.2)
        done.append(fit)

    fits = fits_of(Silent(), Silent())
    with Threads(2) as each, pytest.raises(KeyboardInterrupt):
        each(action, fits)
    assert done == [fits[1]]


def test_what_python_does_with_warnings_is_as_before_although_steps_changed_it():
    meeting = threading.Barrier(2)

    def action(fit):
        # The second leaves between the first's entry and exit, and each sets back what it found.
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("ignore")
            meeting.wait()
            if fit is fits[0]:
                time.sleep(0.05)
        warnings.simplefilter("always")

    fits = fits_of(Silent(), Silent())
    before, shown = list(warnings.filters), warnings.showwarning
    with Threads(2) as each:
        each(action, fits)
    assert warnings.filters == before
    assert warnings.showwarning is shown
    with pytest.raises(UserWarning, match="an error as before"):
        warnings.warn("an error as before", UserWarning, stacklevel=1)


@BOTH
def test_settings_of_scikit_learn_hold_in_the_threads(n_threads):
    found = []
    with sklearn.config_context(assume_finite=True, working_memory=7), Threads(n_threads) as each:
        each(lambda fit: found.append(sklearn.get_config()), fits_of(Silent(), Silent()))
    for settings_there in found:
        assert settings_there["assume_finite"]
        assert settings_there["working_memory"] == 7
    assert not sklearn.get_config()["assume_finite"]


def test_the_slowest_begins_first():
    fits = fits_of(*[Silent() for _ in range(4)])
    for fit, seconds, blocks in zip(fits, [1.0, 8.0, 3.0, 0.0], [1, 2, 1, 0], strict=True):
        fit.progress.fit_s, fit.progress.blocks = seconds, blocks
    order, first = [], threading.Barrier(2)

    def action(fit):
        order.append(fits.index(fit))
        if len(order) <= 2:
            first.wait()
        if fit is fits[1]:
            time.sleep(0.2)

    with Threads(2) as each:
        each(action, fits)
    assert sorted(order[:2]) == [1, 2]
    assert order[2:] == [0, 3]


def test_one_thread_means_in_turn_in_the_calling_thread():
    fits = fits_of(*[Silent() for _ in range(5)])
    fits[3].progress.fit_s, fits[3].progress.blocks = 9.0, 1
    seen = []
    with Threads(1) as each:
        each(lambda fit: seen.append((threading.get_ident(), fit)), fits)
        assert not fit_threads()
    assert seen == [(threading.get_ident(), fit) for fit in fits]


def test_a_single_fit_is_done_in_the_calling_thread():
    seen = []
    with Threads(4) as each:
        each(lambda _: seen.append(threading.get_ident()), fits_of(Silent()))
        each(lambda _: seen.append(threading.get_ident()), [])
    assert seen == [threading.get_ident()]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, ValueError])
def test_no_thread_is_left_after_an_error_in_the_caller(ending):
    def begin_and_fail(each):
        each(lambda _: time.sleep(0.01), fits_of(*[Silent() for _ in range(6)]))
        assert len(fit_threads()) == 3
        raise ending

    with pytest.raises(ending), Threads(3) as each:
        begin_and_fail(each)
    assert not fit_threads()


def test_no_thread_is_left_after_the_end_and_what_follows_is_done_in_turn():
    seen = []
    with Threads(3) as each:
        assert len(fit_threads()) == 3
    assert not fit_threads()
    each(lambda _: seen.append(threading.get_ident()), fits_of(Silent(), Silent()))
    assert seen == [threading.get_ident()] * 2


def test_openmp_has_one_thread_in_each_thread():
    meeting, found = threading.Barrier(3), []

    def action(fit):
        meeting.wait()
        found.append([each["num_threads"] for each in openmp()])

    before = [each["num_threads"] for each in openmp()]
    with Threads(3) as each:
        each(action, fits_of(*[Silent() for _ in range(3)]))
    assert before
    assert found == [[1] * len(before)] * 3
    assert [each["num_threads"] for each in openmp()] == before


def openmp():
    return [each for each in threadpool_info() if each["user_api"] == "openmp"]


def test_as_many_threads_as_cores_that_this_process_may_use():
    assert Threads().n_threads == available_cores() == len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(1) as alone:
        alone.submit(os.sched_setaffinity, 0, {min(os.sched_getaffinity(0))}).result()
        assert alone.submit(available_cores).result() == 1


@BOTH
def test_a_fit_that_fails_while_it_is_measured_fails_alone(n_threads):
    class Asked:
        wants_more, question = True, None

        def __init__(self, estimator):
            self.estimator, self.rows = estimator, 0

        def add(self, block):
            self.rows += block.n_rows
            if self.estimator is failing:
                raise RuntimeError("cannot predict")

    failing, read = Silent(), []
    fits = fits_of(Silent(), failing, Silent())

    def blocks(then):
        for number in range(3):
            read.append(number)
            yield block_of()

    with Threads(n_threads) as each:
        measure(fits, [Asked] * 3, blocks, each)
    assert [fit.failed for fit in fits] == [False, True, False]
    assert [fit.measurement.rows for fit in fits] == [12, 4, 12]
    assert read == [0, 1, 2]


WHAT = st.sampled_from(["ok", "fail", "exit", "stop"])


@settings(deadline=None, max_examples=20)
@given(
    n_threads=st.integers(1, 5),
    plans=st.lists(st.lists(WHAT, max_size=6), max_size=9),
)
def test_each_fit_comes_as_far_as_it_would_alone(n_threads, plans):
    """Whatever the others do: each learns until its own plan ends or fails."""

    class Planned(Callback):
        def __init__(self, plan):
            self.plan = list(plan)

        def partial_fit(self, X, y=None):
            what = self.plan[0] if self.plan else "ok"
            if what == "fail":
                raise ValueError("as planned")
            if what == "exit":
                raise SystemExit

        def on_block_end(self, progress, block):
            if (self.plan.pop(0) if self.plan else "ok") == "stop":
                progress.stop("as planned")

    def learned(plans, n_threads):
        members = [Planned(plan) for plan in plans]
        fits = [IncrementalFit(each, callbacks={"plan": each}) for each in members]
        with Threads(n_threads) as each:
            fit_loop(fits, lambda _: (block_of() for _ in range(4)), each)
        return [(f.progress.rows, f.progress.stop_reason, type(f.error)) for f in fits]

    assert learned(plans, n_threads) == [learned([plan], 1)[0] for plan in plans]


def test_the_same_fit_in_threads_has_the_bits_of_the_fit_in_turn():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 20))
    y = (X[:, 0] > 0).astype(int)

    def learned(n_threads):
        models = [SGDClassifier(alpha=10.0**-k, random_state=k) for k in range(1, 7)]
        fits = [IncrementalFit(model, {"classes": [0, 1]}) for model in models]
        with Threads(n_threads) as each:
            for start in range(0, 600, 100):
                rows = slice(start, start + 100)
                step(each, Block(X[rows], y[rows], None, Place(0, start, start + 100)), fits)
        return [model.coef_.tobytes() for model in models]

    assert learned(1) == learned(2) == learned(4)
