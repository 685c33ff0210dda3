"""States are kept as often as it costs next to nothing, and a failure to do so ends no fit."""

import pytest

from runner.base import Progress
from runner.callbacks.checkpoint import Checkpoint
from runner.errors import CheckpointError, ConfigError, RunnerWarning


class Clock:
    """Goes on when it is told to, and by what keeping a state takes."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Disk:
    def __init__(self, clock, takes=0.0):
        self.clock = clock
        self.takes = takes
        self.written = []

    def __call__(self, content, *, is_durable=True):
        self.clock.now += self.takes
        self.written.append(content)


def begun(takes=0.0, **options):
    clock = Clock()
    checkpoint, disk = Checkpoint(clock=clock, **options), Disk(clock, takes)
    checkpoint.attach(disk)
    checkpoint.on_fit_begin(Progress(), None)
    return checkpoint, disk, clock


def passed(checkpoint, clock, seconds, step=0.05):
    """Let time pass in blocks; return when a state was kept."""
    began, kept = clock.now, []
    n = 0
    while clock.now - began < seconds:
        clock.now += step
        if checkpoint.is_due():
            checkpoint.keep(lambda n=n: b"%d" % n)
            kept.append(clock.now - began)
        n += 1
    return kept


def test_a_fit_of_less_than_a_minute_writes_nothing():
    checkpoint, disk, clock = begun()
    assert passed(checkpoint, clock, 59.9)
    assert disk.written == []


def test_after_a_minute_a_state_is_written_every_ten_seconds():
    checkpoint, disk, clock = begun()
    passed(checkpoint, clock, 60 + 35)
    assert len(disk.written) == 4


@pytest.mark.parametrize("takes", [0.2, 1.0, 5.0])
def test_keeping_states_takes_a_hundredth_of_the_time(takes):
    checkpoint, disk, clock = begun(takes, after_s=0, every_s=0)
    began = clock.now
    passed(checkpoint, clock, 2000 * takes, step=takes / 4)
    assert len(disk.written) >= 15
    assert checkpoint.spent_s <= 0.0105 * (clock.now - began) + takes
    assert checkpoint.spent_s == pytest.approx(takes * len(disk.written))


def test_many_fits_share_the_time_that_may_be_spent():
    checkpoint, disk, clock = begun(1.0, after_s=0, every_s=0)
    checkpoint.begin(lambda: b"", 10, is_new=False)
    passed(checkpoint, clock, 5000, step=1.0)
    assert 5 <= len(disk.written) <= 6


def test_the_first_state_is_written_at_once_and_counts_as_none():
    checkpoint, disk, _clock = begun()
    checkpoint.begin(lambda: b"first")
    assert disk.written == [b"first"]
    assert checkpoint.kept == 0


def test_of_many_fits_nothing_is_held_in_memory():
    checkpoint, _disk, clock = begun()
    checkpoint.begin(lambda: b"", 2, is_new=False)
    checkpoint.on_fit_begin(Progress(), None)
    assert passed(checkpoint, clock, 59) == []


def test_a_large_state_is_not_held_in_memory(monkeypatch):
    monkeypatch.setattr(Checkpoint, "IN_MEMORY_NBYTES", 3)
    checkpoint, disk, clock = begun()
    clock.now += 1
    checkpoint.keep(lambda: b"large")
    checkpoint.keep_last(None)
    assert disk.written == []


def test_the_share_can_be_set():
    checkpoint, disk, clock = begun(1.0, after_s=0, every_s=0, cost=0.1)
    passed(checkpoint, clock, 100)
    assert 8 <= len(disk.written) <= 10


def test_an_error_in_the_first_minute_writes_the_latest_state_that_is_known():
    checkpoint, disk, clock = begun()
    passed(checkpoint, clock, 1.0)
    checkpoint.keep_last(None)
    assert len(disk.written) == 1
    assert int(disk.written[0]) >= 15


def test_an_error_that_left_the_estimator_whole_writes_the_very_last_state():
    checkpoint, disk, _clock = begun()
    checkpoint.keep_last(lambda: b"last")
    assert disk.written == [b"last"]


def test_an_error_before_any_state_writes_nothing():
    checkpoint, disk, _clock = begun()
    checkpoint.keep_last(None)
    assert disk.written == []


def test_what_is_written_is_not_held_in_memory_as_well():
    checkpoint, disk, clock = begun(after_s=0, every_s=0)
    passed(checkpoint, clock, 1.0)
    n_written = len(disk.written)
    checkpoint.keep_last(None)
    assert len(disk.written) == n_written


def test_nothing_is_due_where_nothing_can_be_written():
    clock = Clock()
    checkpoint = Checkpoint(after_s=0, clock=clock)
    checkpoint.on_fit_begin(Progress(), None)
    clock.now += 1000
    assert not checkpoint.is_due()
    checkpoint.keep_last(lambda: b"last")


def test_a_state_that_cannot_be_written_is_told_once_and_tried_again():
    checkpoint, disk, clock = begun(after_s=0, every_s=1)
    failing = CheckpointError("The file a.state", "be written", got="ENOSPC", remedy="Free space.")

    def full(content, **_):
        raise failing

    checkpoint.attach(full)
    with pytest.warns(RunnerWarning, match="The file a.state must be written.*goes on") as said:
        passed(checkpoint, clock, 5)
    assert len(said) == 1
    checkpoint.attach(disk)
    passed(checkpoint, clock, 5)
    assert len(disk.written) >= 3


def test_a_state_that_cannot_be_pickled_is_told():
    checkpoint, _disk, clock = begun(after_s=0, every_s=0)

    def unable():
        raise TypeError("cannot pickle a lock")

    clock.now += 1
    with pytest.warns(RunnerWarning, match="cannot pickle a lock"):
        checkpoint.keep(unable)


@pytest.mark.parametrize(
    ("options", "key"),
    [({"after_s": -1}, "after_s"), ({"every_s": "x"}, "every_s"), ({"cost": 0}, "cost")],
)
def test_settings_that_mean_nothing_are_refused(options, key):
    with pytest.raises(ConfigError, match=rf"callbacks\.checkpoint\.{key}"):
        Checkpoint(**options)


def test_a_fit_that_goes_on_from_a_state_writes_without_waiting_a_minute():
    first, disk, clock = begun()
    passed(first, clock, 1.0)
    assert disk.written == []
    checkpoint, disk, clock = begun()
    checkpoint.restore(first.state())
    passed(checkpoint, clock, 25)
    assert len(disk.written) == 3
