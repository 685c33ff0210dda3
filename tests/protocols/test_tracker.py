"""What every tracker must do, whatever keeps its record."""

from contextlib import suppress

import pytest
from sklearn.linear_model import SGDClassifier

from runner.base import Block, Callback, Progress, Remark
from runner.errors import Terminated, TrackingError
from runner.records import Evaluated, Outcome, Recipe
from runner.tracking.memory_tracker import MemoryTracker
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.tags import member_tags


class MlflowReading:
    """Read a run back from the store."""

    def __init__(self, folder):
        self._uri = f"sqlite:///{folder}/mlflow.db"

    def tracker(self):
        return MlflowTracker(uri=self._uri)

    def status(self, run):
        return self._found(run).info.status

    def curve(self, run, key):
        history = self._client().get_metric_history(run.run_id, key)
        return [(point.step, point.value) for point in history]

    def has_model(self, run):
        return bool(self._found(run).outputs.model_outputs)

    def tags(self, run):
        return self._found(run).data.tags

    def children(self, sweep):
        from runner.tracking.record import children, find_run

        return [run.name for run in children(find_run(sweep.run_id, self._uri), self._uri)]

    def _client(self):
        from runner.tracking.client import connect
        from runner.tracking.store import resolve

        return connect(resolve(self._uri))

    def _found(self, run):
        return self._client().get_run(run.run_id)


class MemoryReading:
    """Read a run's attributes."""

    def __init__(self, folder):
        self.tracker = MemoryTracker

    def status(self, run):
        return run.status

    def curve(self, run, key):
        return run.curves.get(key, [])

    def has_model(self, run):
        return run.model is not None

    def tags(self, run):
        return run.tags

    def children(self, sweep):
        return sorted(outcome.name for outcome in sweep.members().values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("record")


@pytest.fixture(params=[MlflowReading, MemoryReading], ids=["mlflow", "memory"])
def reading(request, folder):
    return request.param(folder)


@pytest.fixture
def tracker(reading):
    return reading.tracker()


def learn(run, make_part, points):
    X, y = points
    part, progress = make_part(X, y), Progress(total_rows=100)
    model = SGDClassifier(random_state=0)
    callbacks = run.callbacks()
    assert all(isinstance(callback, Callback) for callback in callbacks.values())
    for callback in callbacks.values():
        callback.on_fit_begin(progress, None)
    for position, place in enumerate(part.places):
        rows = slice(place.start, place.stop)
        model.partial_fit(X[rows], y[rows], classes=[0, 1])
        progress.rows += 25
        progress.blocks += 1
        progress.scores = {"accuracy": 0.5 + position / 8} if position else {}
        progress.held_out = {"accuracy": position / 8}
        block = Block(X[rows], y[rows], None, place, 0, position)
        for callback in callbacks.values():
            callback.on_block_end(progress, block)
        for callback in callbacks.values():
            callback.on_held_out(progress)
    for callback in callbacks.values():
        callback.on_fit_end(progress)
    return model, part, progress


def test_a_store_that_can_be_written_passes_the_check(tracker):
    assert tracker.check() is None


def test_a_run_can_be_found_again(tracker):
    with tracker.start_run("a") as run:
        assert isinstance(run.run_id, str)
        assert isinstance(run.url, str)


def test_a_whole_run_is_kept(reading, tracker, make_part, points):
    with tracker.start_run("a", command="runner run a") as run:
        assert reading.status(run) == "RUNNING"
        run.log_params(Recipe("a", {"seed": 1}))
        parts = {side: make_part(*points) for side in ("train", "validation")}
        run.log_dataset("a", {"path": "x"}, parts)
        run.log_remark(Remark("inert-setting", "estimator.tol=1 has no effect."))
        run.log_labels([{0: 49, 1: 51}])
        model, part, progress = learn(run, make_part, points)
        run.log_scores(Evaluated({"accuracy": 0.75}, 10))
        run.log_model(model, part, progress)
    assert reading.status(run) == "FINISHED"
    assert reading.curve(run, "holdout/accuracy") == [(0, 0.75)]
    progressive = reading.curve(run, "train/progressive_accuracy")
    assert progressive == [(50, 0.625), (75, 0.75), (100, 0.875)]
    validation = reading.curve(run, "validation/accuracy")
    assert validation == [(25, 0.0), (50, 0.125), (75, 0.25), (100, 0.375)]
    assert reading.curve(run, "progress/blocks") == [(25, 1), (50, 2), (75, 3), (100, 4)]
    assert len(reading.curve(run, "time/fit_s")) == 1
    assert reading.has_model(run)


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("no"), "FAILED"), (KeyboardInterrupt(), "KILLED"), (Terminated(), "KILLED")],
)
def test_the_status_is_true(reading, tracker, error, status):
    with pytest.raises(type(error)), tracker.start_run("a") as run:
        raise error
    assert reading.status(run) == status


def test_nothing_but_a_name_is_needed(reading, tracker):
    with tracker.start_run("a") as run:
        run.log_scores(Evaluated({}, 0))
    assert reading.status(run) == "FINISHED"
    assert not reading.has_model(run)


def test_runs_do_not_mix(reading, tracker):
    with tracker.start_run("a") as first, tracker.start_run("b") as second:
        first.log_scores(Evaluated({"accuracy": 0.25}, 1))
        second.log_scores(Evaluated({"accuracy": 0.5}, 1))
    assert reading.curve(first, "holdout/accuracy") == [(0, 0.25)]
    assert reading.curve(second, "holdout/accuracy") == [(0, 0.5)]


def member(tracker, parent, number, error=None):
    """Run a member, and return how it ended."""
    params = {"estimator.alpha": number / 10}
    name, key = f"alpha={number / 10}", f"key{number}"
    known = {"number": number, "name": name, "key": key, "params": params}
    try:
        tags = member_tags(number, key, params)
        with tracker.start_run(name, parent=parent, tags=tags) as run:
            if error is not None:
                raise error
            run.log_scores(Evaluated({"accuracy": number / 4}, 10))
    except ValueError:
        return Outcome(**known, status="FAILED", run_id=run.run_id)
    scores = {"accuracy": number / 4}
    return Outcome(**known, status="FINISHED", scores=scores, run_id=run.run_id)


def test_words_about_a_run_are_kept(reading, tracker):
    with tracker.start_run("a", tags={"runner.one": "1"}) as run:
        run.log_tags({"runner.halving": "rung 1"})
    tags = reading.tags(run)
    assert (tags["runner.one"], tags["runner.halving"]) == ("1", "rung 1")
    assert tags["runner.kind"] == "run"


def test_a_sweep_holds_its_members(reading, tracker):
    with tracker.start_sweep("s", command="runner run s") as sweep:
        assert isinstance(sweep.run_id, str)
        assert isinstance(sweep.url, str)
        sweep.log_sweep(Recipe("s", {"seed": 1}), {"sweep/members.json": "[]"})
        outcomes = [member(tracker, sweep, 0), member(tracker, sweep.run_id, 1)]
        sweep.log_leaderboard(outcomes, final=True)
        known = sweep.members()
    assert reading.status(sweep) == "FINISHED"
    assert reading.children(sweep) == ["alpha=0.0", "alpha=0.1"]
    assert {key: o.run_id for key, o in known.items()} == {o.key: o.run_id for o in outcomes}
    assert known["key1"].params == {"estimator.alpha": 0.1}
    assert known["key1"].scores == {"accuracy": 0.25}


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("no"), "FAILED"), (KeyboardInterrupt(), "KILLED"), (Terminated(), "KILLED")],
)
def test_the_status_of_a_sweep_is_true(reading, tracker, error, status):
    with pytest.raises(type(error)), tracker.start_sweep("s") as sweep:
        raise error
    assert reading.status(sweep) == status


@pytest.mark.parametrize("status", ["FAILED", "KILLED", "PENDING"])
def test_a_sweep_finishes_only_with_all_its_members(reading, tracker, status):
    with tracker.start_sweep("s") as sweep:
        outcomes = [Outcome(number=0, name="a", key="a", status=status)]
        sweep.log_leaderboard(outcomes, final=True)
    assert reading.status(sweep) == "FAILED"


def test_a_sweep_is_gone_on_with(reading, tracker):
    with tracker.start_sweep("s") as sweep:
        outcomes = [member(tracker, sweep, 0), member(tracker, sweep, 1, ValueError("no"))]
        sweep.log_leaderboard(outcomes, final=True)
    assert reading.status(sweep) == "FAILED"
    with tracker.start_sweep("s", resumed=sweep.run_id) as again:
        assert again.run_id == sweep.run_id
        assert reading.status(again) == "RUNNING"
        known = again.members()
        assert {key: o.status for key, o in known.items()} == {
            "key0": "FINISHED",
            "key1": "FAILED",
        }
        new = member(tracker, again, 1)
        again.log_leaderboard([known["key0"], new], final=True)
        assert again.members()["key1"].run_id == new.run_id
    assert reading.status(again) == "FINISHED"
    assert reading.children(again) == ["alpha=0.0", "alpha=0.1"]


def test_a_sweep_that_is_not_there_cannot_be_gone_on_with(tracker):
    with (
        pytest.raises(TrackingError, match="be a sweep"),
        tracker.start_sweep("s", resumed="nosuch"),
    ):
        pytest.fail("it began")


def test_a_run_is_gone_on_with(reading, tracker, make_part, points):
    with suppress(KeyboardInterrupt), tracker.start_run("went on") as run:
        run.log_params(Recipe("went on", {"seed": 1}))
        learn(run, make_part, points)
        run.log_scores(Evaluated({"accuracy": 0.5}, 10))
        raise KeyboardInterrupt
    curve = reading.curve(run, "progress/blocks")
    with tracker.start_run("went on", resumed=run.run_id or run.name) as again:
        assert again.run_id == run.run_id
        assert reading.status(again) == "RUNNING"
        again.log_params(Recipe("went on", {"seed": 1}))
        again.log_resumed(0)
        learn(again, make_part, points)
        again.log_content({"train": "5f"})
        again.log_scores(Evaluated({"accuracy": 0.75}, 10))
    assert reading.status(again) == "FINISHED"
    assert reading.curve(again, "progress/blocks") == curve
    assert reading.curve(again, "holdout/accuracy") == [(0, 0.5), (0, 0.75)]
    tags = reading.tags(again)
    assert (tags["runner.resumed"], tags["runner.resumed_at"]) == ("1", "0")
    assert tags["runner.content.train"] == "5f"
    assert "runner.stop_reason" not in tags
    with (
        pytest.raises(TrackingError, match="FINISHED"),
        tracker.start_run("went on", resumed=run.run_id or run.name),
    ):
        pytest.fail("it began")


def test_a_run_that_is_not_there_cannot_be_gone_on_with(tracker):
    with (
        pytest.raises(TrackingError, match="got none"),
        tracker.start_run("a", resumed="nosuch"),
    ):
        pytest.fail("it began")
