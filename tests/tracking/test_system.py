import sys

import pytest

from runner.base import Progress
from runner.tracking.system import SystemMetrics


class Machine:
    """A fit of blocks of 100 rows, each of which takes so many seconds."""

    def __init__(self, seconds, after_s=10.0, total_rows=None):
        self.logged = []
        self.now = 1000.0
        self.seconds = seconds
        self.progress = Progress(total_rows=total_rows)
        log = lambda values, step: self.logged.append((step, values))  # noqa: E731
        self.metrics = SystemMetrics(log, after_s, clock=lambda: self.now)

    def fit(self, n_blocks):
        self.metrics.on_fit_begin(self.progress, None)
        for _ in range(n_blocks):
            self.now += self.seconds
            self.progress.rows += 100
            self.metrics.on_block_end(self.progress, None)
        return self.logged


def test_a_short_fit_is_not_watched():
    assert Machine(0.1, total_rows=2000).fit(20) == []
    assert Machine(0.1).fit(99) == []


def test_a_long_fit_is_watched_over_the_rows_seen_from_the_time_it_is_known_to_be_long():
    promised = Machine(1.0, total_rows=6000).fit(60)
    unknown = Machine(1.0).fit(60)
    assert promised[0][0] == 400
    assert unknown[0][0] == 1200
    assert [step for step, _ in promised] == sorted({step for step, _ in promised})
    assert {name for _, values in promised for name in values} == {
        "system/cpu_utilization_percentage",
        "system/process_cpu_percentage",
        "system/system_memory_usage_percentage",
        "system/process_memory_megabytes",
        "system/disk_megabytes_per_second",
        "system/network_megabytes_per_second",
    }
    for _, values in promised:
        assert all(value >= 0 for value in values.values())
        assert values["system/process_memory_megabytes"] > 10
        assert values["system/system_memory_usage_percentage"] <= 100


def test_a_day_has_about_a_thousand_points():
    metrics = Machine(1.0, total_rows=8_640_000)
    metrics.metrics._sample = lambda rows: metrics.logged.append((rows, {}))
    assert 800 < len(metrics.fit(86_400)) < 1600


def test_no_second_is_too_short_where_that_is_asked_for():
    assert len(Machine(0.001, after_s=0.0).fit(20)) == 19


@pytest.mark.parametrize("broken", ["import", "log"])
def test_what_cannot_be_watched_ends_no_fit_and_is_not_tried_again(broken, monkeypatch):
    machine, tried = Machine(5.0), []

    def refuse(values, step):
        tried.append(step)
        raise OSError("no such counter")

    if broken == "import":
        monkeypatch.setitem(sys.modules, "psutil", None)
    machine.metrics._log = refuse
    machine.fit(20)
    assert len(tried) == (0 if broken == "import" else 1)
