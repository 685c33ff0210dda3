"""Workers do what they are asked, in order, once, and through every fault."""

import gc
import logging
import operator
import os
import signal
import threading
import time
import warnings
import weakref
from contextlib import suppress

import numpy as np
import pytest

from runner.cluster import window
from runner.cluster.workers import Workers
from runner.errors import ClusterError, DatasetError, RunnerWarning
from tests.cluster import tasks

LONG = 60


class Taken:
    """Counts what is taken from it."""

    def __init__(self, n):
        self.n_taken, self._numbers = 0, iter(range(n))

    def __iter__(self):
        return self

    def __next__(self):
        number = next(self._numbers)
        self.n_taken += 1
        return number


def is_empty(client):
    """Say whether nothing is left on a cluster, now or soon."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)):
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def workers(two_workers):
    yield Workers(two_workers)
    assert is_empty(two_workers)


@pytest.mark.parametrize("n_ahead", [0, 1, 3, 9])
def test_results_come_in_the_order_of_the_tasks(workers, n_ahead):
    assert list(workers.ahead(operator.add, 1, range(20), n_ahead)) == list(range(1, 21))


def test_no_tasks_are_no_results(workers):
    assert list(workers.ahead(operator.add, 1, [], 2)) == []
    assert list(workers.held(operator.add, 1, [], tasks.host)) == []
    assert list(workers.each(abs, [])) == []


def test_no_more_is_taken_than_the_window_holds(workers):
    taken = Taken(40)
    results = workers.ahead(operator.add, 1, taken, 2)
    for n_yielded in range(1, 20):
        next(results)
        assert taken.n_taken <= n_yielded + 4 + 2
    results.close()


def test_few_results_are_in_this_process(workers):
    alive = []
    for block in workers.ahead(tasks.block, 10, range(20), 2):
        assert block[0] == len(alive)
        alive.append(weakref.ref(block))
        del block
        time.sleep(0.01)
        gc.collect()
        assert sum(ref() is not None for ref in alive) == 0


def test_work_is_done_on_both_workers_at_the_same_time(workers):
    found = list(workers.ahead(tasks.pid_after, 0.05, range(12), 2))
    assert [number for number, _ in found] == list(range(12))
    assert len({pid for _, pid in found} - {os.getpid()}) == 2


def test_a_generator_that_is_closed_leaves_nothing_behind(workers):
    before = threading.active_count()
    results = workers.ahead(tasks.pid_after, 0.1, range(100), 3)
    next(results)
    results.close()
    assert threading.active_count() <= before


def test_an_error_is_raised_at_its_own_turn_and_says_where_it_was(workers):
    results = workers.ahead(tasks.failing, ValueError, range(10), 4)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="no") as raised:
        next(results)
    assert raised.value.__notes__[0].startswith("on worker tcp://127.0.0.1:")
    assert raised.traceback[-1].name == "failing"


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, TimeoutError, OSError])
def test_any_error_comes_as_what_it_is(workers, kind):
    with pytest.raises(kind, match="no"):
        list(workers.ahead(tasks.failing, kind, range(10), 0))


def test_an_error_of_ours_comes_with_its_cause(workers):
    with pytest.raises(DatasetError, match="a must b; got 0") as raised:
        next(workers.ahead(tasks.failing_dataset, None, range(3), 1))
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_what_cannot_be_sent_is_told(workers):
    with pytest.raises(ClusterError, match="be something that can be sent"):
        next(workers.ahead(tasks.unsent, None, range(3), 1))


def test_warnings_are_issued_here_once_each(workers):
    with pytest.warns(RunnerWarning) as told:
        list(workers.ahead(tasks.warning, None, range(5), 2))
    texts = [str(each.message) for each in told]
    assert [text for text in texts if text.startswith("of")] == [f"of {i}" for i in range(5)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = workers.ahead(tasks.warning, None, range(5), 2)
        with pytest.raises(RunnerWarning, match="of 0"):
            next(results)


def test_what_is_shared_arrives_in_its_order_and_however_large_without_a_warning(workers):
    large = np.ones((1500, 2000))[::-1, ::2]
    found = list(workers.ahead(tasks.flags, large, range(4), 1))
    assert found == [(False, False, True)] * 4


def test_a_view_arrives_as_one(workers):
    (came,) = workers.ahead(tasks.columns, np.asfortranarray(np.eye(5)), [2], 1)
    assert came.flags.f_contiguous
    assert came.flags.writeable
    (came,) = workers.ahead(tasks.columns, np.eye(5), [2], 1)
    assert not came.flags.forc
    assert (came == np.eye(5)[:, 2:]).all()


def test_a_worker_uses_one_core(workers):
    for found in workers.ahead(tasks.n_cores, None, range(4), 1):
        assert set(found) == {1}


def test_what_is_held_is_asked_where_it_is(workers):
    n_bytes, pids = received(workers._client), set()
    for number, held in enumerate(workers.held(tasks.block, 500_000, range(12), len)):
        assert held.about == 500_000
        assert held.ask(np.add.reduce) == number * 500_000
        pids.add(held.ask(tasks.host, None))
    assert len(pids - {os.getpid()}) == 2
    assert received(workers._client) - n_bytes < 0.01 * 12 * 4_000_000


def received(client):
    """Return how many bytes of results were sent by workers."""
    sent = client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total)
    return sum(sent.values())


def test_what_fails_while_held_fails_at_its_turn(workers):
    held = workers.held(tasks.failing, ValueError, range(10), tasks.host)
    for _ in range(3):
        next(held)
    with pytest.raises(ValueError, match="no"):
        next(held)


def test_an_error_of_a_question_is_raised_and_the_next_can_be_asked(workers):
    held = next(results := workers.held(tasks.block, 10, range(3), len))
    with pytest.raises(TypeError, match=r"takes exactly one argument"):
        held.ask(len, 3, 4)
    assert held.ask(len) == 10
    results.close()


def test_a_slow_question_to_a_worker_that_answers_is_asked_once(workers, tmp_path, monkeypatch):
    monkeypatch.setattr(window, "LEAST_S", 0.2)
    monkeypatch.setattr(window, "TIMES", 0)
    log = tmp_path / "log"
    for held in workers.held(tasks.block, 10, range(2), len):
        assert held.ask(tasks.slowly, str(log), 1.2) == 10
    assert log.read_text() == "asked\n" * 2


def test_members_come_as_they_finish_each_once(workers):
    found = dict(workers.each(tasks.telling, range(9)))
    assert found == {number: number for number in range(9)}


def test_a_worker_tells_while_it_works(workers):
    heard, is_here = [], threading.Event()

    def handler(message):
        heard.append(message)
        if len(heard) == 3:
            is_here.set()

    with workers.listening("ended", handler):
        list(workers.each(tasks.telling, range(3)))
        assert is_here.wait(10)
    assert sorted(heard) == [(0, "x"), (1, "x"), (2, "x")]


# Faults


@pytest.fixture
def said_nothing(capfd):
    """See that nothing is printed, and that what Dask says is said where it was before."""
    yield
    for name in ("distributed.client", "distributed.core", "distributed.scheduler"):
        assert not [f for h in logging.getLogger(name).handlers for f in h.filters]
    assert capfd.readouterr().err == ""


@pytest.fixture
def often_killed(mended):
    """Return workers of which each is brought back after it is killed."""
    mended.client.wait_for_workers(2, timeout=LONG)
    return Workers(mended.client, patience_s=LONG)


def test_killed_workers_lose_nothing_and_nothing_comes_twice(often_killed, tmp_path, said_nothing):
    found = list(often_killed.ahead(tasks.killed_at, str(tmp_path), range(60), 2))
    assert [block[0] for block in found] == list(range(60))
    assert sorted(path.name for path in tmp_path.glob("?0")) == ["10", "30", "50"]


def test_a_worker_that_dies_while_it_is_asked_is_replaced(often_killed, tmp_path, said_nothing):
    pids = []
    for number, held in enumerate(often_killed.held(tasks.block, 10, range(6), tasks.host)):
        total, pid = held.ask(tasks.counted, str(tmp_path), number)
        assert total == 10 * number
        pids.append((held.about, pid))
    assert pids[0][0] != pids[0][1]
    assert all(pid == there for there, pid in pids[3:])


def test_a_finished_member_is_not_done_again_when_its_worker_dies(
    often_killed, tmp_path, said_nothing
):
    log = tmp_path / "log"
    results = often_killed.each(tasks.logged, [(str(log), number) for number in range(8)])
    first = next(results)
    os.kill(first[1], signal.SIGKILL)
    numbers = [first[0], *(number for number, _ in results)]
    assert sorted(numbers) == list(range(8))
    assert log.read_text().split().count(str(first[0])) == 1


def test_one_that_kills_its_workers_has_an_error_and_the_others_go_on(
    often_killed, mended, said_nothing
):
    mended.client.run_on_scheduler(allow, 0)
    found = dict(often_killed.each(tasks.deadly, range(6)))
    mended.client.run_on_scheduler(allow, 3)
    assert sorted(found) == list(range(6))
    assert isinstance(found[2], ClusterError)
    assert "got 1 workers that died while they worked on it" in str(found[2])
    assert isinstance(found[3], SystemExit)
    assert isinstance(found[4], ValueError)
    assert [found[i][0] for i in (0, 1, 5)] == [0, 1, 5]


def allow(n_failures, dask_scheduler):
    dask_scheduler.allowed_failures = n_failures


def test_a_frozen_worker_costs_seconds(often_killed, tmp_path, monkeypatch, said_nothing):
    monkeypatch.setattr(window, "LEAST_S", 1.0)
    began, once = time.monotonic(), tmp_path / "once"
    try:
        found = list(often_killed.ahead(tasks.frozen_once, str(once), range(30), 2))
    finally:
        # On a slow machine Dask may have ended the process itself by now.
        with suppress(ProcessLookupError):
            os.kill(int(once.read_text()), signal.SIGKILL)
    assert found == list(range(30))
    assert time.monotonic() - began < 45


@pytest.mark.slow
def test_a_worker_that_freezes_with_what_it_holds_is_replaced(
    often_killed, monkeypatch, said_nothing
):
    monkeypatch.setattr(window, "LEAST_S", 1.0)
    held = often_killed.held(tasks.block, 10, range(20), tasks.host)
    pid = next(held).about
    os.kill(pid, signal.SIGSTOP)
    try:
        totals = [each.ask(np.add.reduce) for each in held]
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert totals == [10 * number for number in range(1, 20)]


@pytest.mark.slow
def test_workers_that_are_all_frozen_are_an_error(scheduler_and_workers, monkeypatch):
    monkeypatch.setattr(window, "LEAST_S", 0.5)
    cluster = scheduler_and_workers(1)
    results = Workers(cluster.client, patience_s=1).ahead(tasks.pid_after, 0.02, range(10_000), 2)
    next(results)
    cluster.workers[0].send_signal(signal.SIGSTOP)
    with pytest.raises(ClusterError, match="must answer; got nothing from any for 1 s"):
        list(results)


def test_no_worker_left_is_an_error_and_so_is_a_lost_scheduler(
    scheduler_and_workers, said_nothing
):
    cluster = scheduler_and_workers(1)
    results = Workers(cluster.client, patience_s=1).ahead(tasks.pid_after, 0.05, range(10_000), 2)
    next(results)
    for process in cluster.workers:
        process.kill()
    with pytest.raises(ClusterError, match="must have a worker; got none for 1 s"):
        list(results)
    # The same scheduler, lost, while there is a worker again.
    cluster.processes.start_worker("--no-nanny")
    cluster.client.wait_for_workers(1, timeout=LONG)
    results = Workers(cluster.client).ahead(tasks.pid_after, 0.05, range(10_000), 2)
    next(results)
    cluster.scheduler.kill()
    began = time.monotonic()
    with pytest.raises(ClusterError, match=f"The scheduler at {cluster.address} must stay there"):
        list(results)
    assert time.monotonic() - began < 30


def test_the_workers_that_are_there_are_known_by_their_addresses(two_workers):
    assert Workers(two_workers).addresses == set(two_workers.run(os.getpid))


def test_a_worker_that_joins_late_without_the_data_gets_no_work_and_alone_is_an_error(
    scheduler_and_workers, tmp_path
):
    cluster, data = scheduler_and_workers(1), tmp_path / "rows.csv"
    data.touch()
    workers = Workers(cluster.client, patience_s=LONG)
    workers.check_files([str(data)])
    results = workers.ahead(tasks.pid_after, 0.05, range(60), 2)
    _, pid = next(results)
    data.unlink()  # the first worker has seen it
    cluster.processes.start_worker("--no-nanny")
    cluster.client.wait_for_workers(2, timeout=LONG)
    with pytest.warns(RunnerWarning, match="no .*rows.csv. .* other workers do its work") as told:
        assert list(results) == [(number, pid) for number in range(1, 60)]
    assert len(told) == 1
    assert [each.about for each in workers.held(tasks.block, 9, range(9), len)] == [9] * 9
    assert len(dict(workers.each(tasks.telling, range(9)))) == 9
    cluster.workers[0].kill()
    with pytest.raises(ClusterError, match="must see the files that this process reads") as alone:
        list(workers.ahead(tasks.pid_after, 0.05, range(60), 2))
    assert not isinstance(alone.value, DatasetError)
