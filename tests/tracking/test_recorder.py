import math
import pickle
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.base import Block, Place, Progress
from runner.tracking.recorder import Recorder
from runner.tracking.spool import points_of


class Logged(list):
    def __call__(self, values, step):
        self.append((step, dict(values)))
        return points_of(values, step)

    def curve(self, key):
        return [(step, values[key]) for step, values in self if key in values]


def record(sizes, total_rows, *, is_interrupted=False):
    logged = Logged()
    recorder = Recorder(logged)
    progress = Progress(total_rows=total_rows)
    recorder.on_fit_begin(progress, None)
    for i, size in enumerate(sizes):
        progress.rows += size
        progress.blocks += 1
        if i:
            progress.scores = {"accuracy": progress.rows / 1e9}
        recorder.on_block_end(progress, Block(None, None, None, Place(i, 0, size)))
    if not is_interrupted:
        progress.epoch = progress.epochs
    recorder.on_fit_end(progress)
    return logged, recorder


def test_a_short_fit_has_a_point_at_every_block():
    logged, recorder = record([25] * 4, total_rows=100)
    assert [step for step, _ in logged.curve("progress/blocks")] == [25, 50, 75, 100]
    assert [step for step, _ in logged.curve("train/progressive_accuracy")] == [50, 75, 100]
    assert recorder.curves["accuracy"] == logged.curve("train/progressive_accuracy")
    assert {point.key for point in recorder.latest} == {
        "progress/blocks",
        "progress/rows_per_second",
        "train/progressive_accuracy",
    }
    assert {point.step for point in recorder.latest} == {100}


@settings(max_examples=30, deadline=None)
@given(
    n_blocks=st.integers(1, 20_000),
    known=st.booleans(),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=7),
)
def test_a_curve_has_no_more_points_than_charts_show_and_always_its_last(n_blocks, known, sizes):
    every = [sizes[i % len(sizes)] for i in range(n_blocks)]
    logged, _ = record(every, total_rows=sum(every) if known else None)
    steps = [step for step, _ in logged.curve("progress/blocks")]
    assert len(steps) <= 2000
    assert steps == sorted(set(steps))
    assert steps[0] == every[0]
    assert steps[-1] == sum(every)
    if n_blocks <= 100 and len(set(sizes)) == 1:
        assert len(steps) == n_blocks


def test_a_long_curve_is_even():
    logged, _ = record([1] * 50_000, total_rows=50_000)
    steps = [step for step, _ in logged.curve("progress/blocks")]
    assert {b - a for a, b in pairwise(steps[:-1])} == {50}


def test_where_the_time_went_is_told_once_at_step_zero():
    logged, _ = record([25] * 4, total_rows=100)
    totals = {"time/fit_s": 0.0, "time/load_s": 0.0, "progress/rows": 100}
    assert logged[-1] == (0, totals)


def test_empty_blocks_are_told_when_there_were_any():
    logged = Logged()
    recorder = Recorder(logged)
    recorder.on_fit_begin(Progress(), None)
    recorder.on_fit_end(Progress(empty_blocks=3))
    assert logged.curve("progress/empty_blocks") == [(0, 3)]
    assert logged.curve("progress/blocks") == []


def test_the_speed_is_that_since_the_last_point(monkeypatch):
    times = iter([0.0, 1.0, 3.0])
    monkeypatch.setattr("runner.tracking.recorder.time.perf_counter", lambda: next(times))
    logged, _ = record([10, 50], total_rows=60)
    assert logged.curve("progress/rows_per_second") == [(10, 10.0), (60, 25.0)]


def test_a_fit_that_goes_on_from_a_checkpoint_measures_only_its_own_rows(monkeypatch):
    times = iter([0.0, 2.0])
    monkeypatch.setattr("runner.tracking.recorder.time.perf_counter", lambda: next(times))
    logged = Logged()
    recorder = Recorder(logged)
    progress = Progress(rows=1000, total_rows=2000)
    recorder.on_fit_begin(progress, None)
    progress.rows = 1010
    recorder.on_block_end(progress, Block(None, None, None, Place(0, 0, 10)))
    assert logged.curve("progress/rows_per_second") == [(1010, 5.0)]


def test_a_score_that_is_no_number_is_in_the_curve():
    logged = Logged()
    recorder = Recorder(logged)
    progress = Progress(rows=5, blocks=1, scores={"r2": math.nan})
    recorder.on_block_end(progress, Block(None, None, None, Place(0, 0, 5)))
    assert math.isnan(recorder.curves["r2"][0][1])


def test_each_held_out_score_is_in_the_validation_curve_at_the_rows_learned():
    logged = Logged()
    recorder = Recorder(logged)
    progress = Progress(rows=25, held_out={"accuracy": 0.5, "r2": math.inf})
    recorder.on_fit_begin(progress, None)
    for rows in (50, 51):  # a curve of blocks would leave the second point out
        progress.rows = rows
        progress.held_out = {"accuracy": rows / 100, "r2": math.inf}
        recorder.on_held_out(progress)
    assert logged.curve("validation/accuracy") == [(50, 0.5), (51, 0.51)]
    assert recorder.validation["accuracy"] == [(50, 0.5), (51, 0.51)]
    assert recorder.validation["r2"] == [(50, math.inf), (51, math.inf)]
    assert recorder.curves == {}


@pytest.mark.parametrize("best", [None, 75])
def test_where_the_estimator_was_best_is_told_at_step_zero(best):
    logged = Logged()
    Recorder(logged).on_fit_end(Progress(best_rows=best))
    assert logged.curve("progress/best_rows") == ([(0, best)] if best else [])


def stepped(recorder, progress, sizes, first):
    """Learn blocks of these sizes, score held-out rows after every third, return the states."""
    states = []
    for i, size in enumerate(sizes, first):
        progress.rows += size
        progress.blocks += 1
        progress.scores = {"accuracy": progress.rows / 1e9} if i else {}
        recorder.on_block_end(progress, Block(None, None, None, Place(i, 0, size)))
        if i % 3 == 2:
            progress.held_out = {"r2": progress.rows / 1e6}
            recorder.on_held_out(progress)
        states.append((pickle.dumps(recorder.state()), replace(progress)))
    return states


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 50), min_size=2, max_size=40),
    many=st.sampled_from([1, 100]),
    known=st.booleans(),
    data=st.data(),
)
def test_a_fit_that_is_resumed_has_the_points_of_one_that_was_not(sizes, many, known, data):
    sizes = sizes * many
    total = sum(sizes) if known else None
    whole, broken, resumed = Logged(), Logged(), Logged()
    recorder, progress = Recorder(whole), Progress(total_rows=total)
    recorder.on_fit_begin(progress, None)
    stepped(recorder, progress, sizes, 0)
    recorder.on_fit_end(progress)

    saved_at = data.draw(st.integers(1, len(sizes) - 1))
    killed_at = data.draw(st.integers(saved_at, len(sizes)))
    first, progress = Recorder(broken), Progress(total_rows=total)
    first.on_fit_begin(progress, None)
    state, progress = stepped(first, progress, sizes[:killed_at], 0)[saved_at - 1]
    second = Recorder(resumed)
    second.on_fit_begin(progress, None)
    second.restore(pickle.loads(state))  # noqa: S301
    stepped(second, progress, sizes[saved_at:], saved_at)
    second.on_fit_end(progress)

    for key in ("progress/blocks", "train/progressive_accuracy", "validation/r2"):
        before, after = broken.curve(key), resumed.curve(key)
        both = dict(before) | dict(after)
        assert sorted(both.items()) == whole.curve(key)
        assert all(dict(before)[step] == value for step, value in after if step in dict(before))
    assert second.curves == recorder.curves
    assert second.validation == recorder.validation
    assert [point[::3] for point in second.latest] == [point[::3] for point in recorder.latest]


def test_a_state_is_not_changed_by_what_follows():
    recorder, progress = Recorder(Logged()), Progress()
    recorder.on_fit_begin(progress, None)
    stepped(recorder, progress, [5, 5, 5], 0)
    state = recorder.state()
    kept = pickle.dumps(state)
    stepped(recorder, progress, [5, 5, 5], 3)
    assert pickle.dumps(state) == kept


def test_a_fit_that_is_resumed_measures_its_speed_by_its_own_rows(monkeypatch):
    times = iter([0.0, 1.0, 500.0, 502.0])
    monkeypatch.setattr("runner.tracking.recorder.time.perf_counter", lambda: next(times))
    first, logged, progress = Recorder(Logged()), Logged(), Progress(total_rows=2000)
    first.on_fit_begin(progress, None)
    stepped(first, progress, [10], 0)
    second = Recorder(logged)
    second.on_fit_begin(progress, None)
    second.restore(first.state())
    stepped(second, progress, [30], 1)
    assert logged.curve("progress/rows_per_second") == [(40, 15.0)]


def test_an_interrupted_fit_has_no_point_that_it_would_not_have_had_otherwise():
    whole, _ = record([10] * 5000, total_rows=50_000)
    part, _ = record([10] * 1234, total_rows=50_000, is_interrupted=True)
    steps = [step for step, _ in part.curve("progress/blocks")]
    assert steps == [step for step, _ in whole.curve("progress/blocks")][: len(steps)]
    assert steps[-1] < 12_340
