import math
import time

import pytest
from mlflow.entities import Metric

from runner.errors import RunnerWarning, Terminated
from runner.tracking.outbox import BATCH, MAX_TAG, Outbox, by_step
from runner.tracking.spool import FILE_NAME, Point, abandoned, read


def artifacts(client, run_id, folder=None):
    for entry in client.list_artifacts(run_id, folder):
        if entry.is_dir:
            yield from artifacts(client, run_id, entry.path)
        else:
            yield entry.path


def test_metrics_go_in_batches_and_all_arrive(outbox, flaky, history):
    for step in range(BATCH + 10):
        outbox.log({"a": step / 2}, step)
    assert flaky.calls == ["log_batch"]
    outbox.close("FINISHED")
    assert history("a") == [(step, step / 2) for step in range(BATCH + 10)]


def test_metrics_do_not_wait_longer_than_asked(outbox, history, monkeypatch):
    outbox.log({"a": 1.0}, 1)
    assert history("a") == []
    later = time.monotonic() + 1001
    monkeypatch.setattr("runner.tracking.outbox.time.monotonic", lambda: later)
    outbox.log({"a": 2.0}, 2)
    assert history("a") == [(1, 1.0), (2, 2.0)]
    outbox.close("FINISHED")


def test_a_metric_is_in_the_file_before_the_store_hears_of_it(outbox):
    points = outbox.log({"a": 1.0}, 1)
    assert read(outbox.folder / FILE_NAME).points == points
    outbox.close("FINISHED")


def test_nothing_is_left_of_a_run_that_has_arrived(outbox, client, run_id):
    outbox.put("plots/a.png", b"png")
    outbox.close("FINISHED")
    assert not outbox.folder.exists()
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.info.end_time >= run.info.start_time


def test_a_store_that_goes_away_is_left_alone_and_loses_nothing(
    outbox, flaky, client, run_id, history
):
    outbox.log({"a": 0.0}, 0)
    outbox.flush()
    flaky.away = True
    outbox.log({"a": 1.0}, 1)
    with pytest.warns(RunnerWarning, match=r"fails for now .* The run goes on; .*/\.runner/runs/"):
        outbox.flush()
    tried = len(flaky.calls)
    outbox.log({"a": 2.0, "b": math.inf}, 2)
    outbox.flush()
    outbox.tag({"runner.stop_reason": "enough"})
    outbox.put("plots/a.png", b"png")
    assert not outbox.attempt(lambda: 1 / 0)
    assert len(flaky.calls) == tried
    flaky.away = False
    outbox.close("FAILED")
    assert history("a") == [(0, 0.0), (1, 1.0), (2, 2.0)]
    run = client.get_run(run_id)
    assert run.info.status == "FAILED"
    assert run.data.tags["runner.stop_reason"] == "enough"
    assert list(artifacts(client, run_id)) == ["plots/a.png"]
    assert not outbox.folder.exists()


def test_a_store_that_comes_back_is_used_again(outbox, flaky, history):
    flaky.away = True
    outbox.log({"a": 1.0}, 1)
    with pytest.warns(RunnerWarning):
        outbox.flush()
    flaky.away = False
    outbox.recover()
    assert history("a") == [(1, 1.0)]
    outbox.log({"a": 2.0}, 2)
    outbox.flush()
    assert history("a") == [(1, 1.0), (2, 2.0)]
    outbox.close("FINISHED")


def test_a_store_that_stays_away_leaves_a_file_and_a_warning_that_names_it(outbox, flaky):
    flaky.away = True
    outbox.log({"a": 1.0}, 1)
    with pytest.warns(RunnerWarning) as told:
        outbox.close("FINISHED")
    texts = [str(warning.message) for warning in told]
    assert len(texts) == 2
    assert str(outbox.folder) in texts[1]
    assert "is sent when the next run of this project starts" in texts[1]
    assert "hunter2" not in "".join(texts)
    spooled = read(outbox.folder / FILE_NAME)
    assert [point.key for point in spooled.points] == ["a"]
    assert spooled.status == "FINISHED"


def test_a_folder_that_cannot_be_written_does_not_stop_the_store(outbox, history):
    outbox._spool._stream.close()
    with pytest.warns(RunnerWarning, match="I/O operation on closed file"):
        outbox.log({"a": 1.0}, 1)
    outbox.close("FINISHED")
    assert history("a") == [(1, 1.0)]


def test_an_infinite_value_is_kept_as_no_number(outbox, client, run_id):
    outbox.log({"r2": -math.inf, "gap": 1.0}, 1)
    outbox.log({"r2": math.nan, "gap": math.nan}, 2)
    outbox.close("FINISHED")
    values = [m.value for m in client.get_metric_history(run_id, "r2")]
    assert len(values) == 2
    assert all(math.isnan(value) for value in values)
    assert client.get_run(run_id).data.tags["runner.nonfinite"] == "r2"


def test_an_over_long_tag_is_cut(outbox, client, run_id):
    outbox.tag({"mlflow.note.content": "x" * (MAX_TAG + 1)})
    assert client.get_run(run_id).data.tags["mlflow.note.content"] == "x" * MAX_TAG
    outbox.close("FINISHED")


def test_nobody_takes_a_run_that_is_ending_for_abandoned(outbox, monkeypatch):
    seen = []

    def look(folder, **_):
        assert folder == outbox.folder
        seen.append(list(abandoned()))

    monkeypatch.setattr("runner.tracking.outbox.shutil.rmtree", look)
    outbox.close("FINISHED")
    assert seen == [[]]
    assert list(abandoned()) == [outbox.folder]


def test_what_can_wait_goes_in_one_call_each_and_is_in_the_folder_until_then(
    outbox, flaky, client, run_id, history
):
    outbox.log({"a": 1.0}, 1, can_wait=True)
    outbox.tag({"b": "1"}, can_wait=True)
    outbox.put("plots/c.png", b"png", can_wait=True)
    outbox.put("d.md", b"text", can_wait=True)
    assert flaky.calls == []
    spooled = read(outbox.folder / FILE_NAME)
    assert (len(spooled.points), spooled.tags) == (1, {"b": "1"})
    assert (outbox.folder / "artifacts/plots/c.png").read_bytes() == b"png"
    outbox.close("FINISHED")
    assert flaky.calls == ["log_batch", "log_artifacts", "set_terminated"]
    assert history("a") == [(1, 1.0)]
    assert client.get_run(run_id).data.tags["b"] == "1"
    assert sorted(artifacts(client, run_id)) == ["d.md", "plots/c.png"]


def test_what_waits_goes_with_what_cannot(outbox, flaky, client, run_id, history):
    outbox.log({"a": 1.0}, 1)
    outbox.tag({"b": "1"}, can_wait=True)
    outbox.tag({"c": "2"})
    assert flaky.calls == ["log_batch"]
    assert history("a") == [(1, 1.0)]
    tags = client.get_run(run_id).data.tags
    assert (tags["b"], tags["c"]) == ("1", "2")
    outbox.close("FINISHED")
    assert flaky.calls == ["log_batch", "set_terminated"]


def test_a_metric_that_is_delivered_otherwise_is_not_sent_twice(
    outbox, flaky, client, run_id, history
):
    outbox.log({"a": 1.0}, 1)
    [point] = outbox.log({"a": math.nan}, 2)
    outbox.deliver([Metric(*point, dataset_name="d", dataset_digest="1")])
    outbox.close("FINISHED")
    assert flaky.calls == ["log_batch", "set_terminated"]
    assert [step for step, _ in history("a")] == [1, 2]


def test_what_waits_while_the_store_is_away_arrives_in_the_end(
    outbox, flaky, client, run_id, history
):
    flaky.away = True
    with pytest.warns(RunnerWarning, match="fails for now"):
        outbox.tag({"b": "1"})
    outbox.log({"a": 1.0}, 1, can_wait=True)
    outbox.tag({"c": "2"}, can_wait=True)
    outbox.put("d.md", b"text", can_wait=True)
    assert flaky.calls == ["log_batch"]
    flaky.away = False
    outbox.close("FINISHED")
    assert history("a") == [(1, 1.0)]
    tags = client.get_run(run_id).data.tags
    assert (tags["b"], tags["c"]) == ("1", "2")
    assert list(artifacts(client, run_id)) == ["d.md"]


@pytest.fixture
def again(client, store, run_id):
    """Return the outbox of a run whose curve has one point, which was no number, in the store."""
    kept = [Point("a", math.nan, 1000, 1), Point("total", 5.0, 1000, 0)]
    for point in kept:
        client.log_metric(run_id, *point)
    return Outbox(client, store, run_id, 1000, by_step(kept))


def test_a_point_that_the_store_has_is_not_logged_again(again, history):
    assert math.isnan(again.log({"a": 0.5}, 1)[0].value)
    assert again.log({"a": 0.75, "b": 0.25}, 2)[0].value == 0.75
    assert [point.key for point in read(again.folder / FILE_NAME).points] == ["a", "b"]
    again.close("FINISHED")
    assert [step for step, _ in history("a")] == [1, 2]
    assert history("b") == [(2, 0.25)]


def test_a_single_value_is_logged_again_and_the_latest_counts(again, client, run_id, history):
    again.log({"total": 4.0}, 0)
    again.close("FINISHED")
    assert history("total") == [(0, 5.0), (0, 4.0)]
    assert client.get_run(run_id).data.metrics["total"] == 4.0


def test_a_curve_that_never_was_a_number_is_told_whoever_logged_it(again, client, run_id):
    again.close("FINISHED")
    assert client.get_run(run_id).data.tags["runner.nonfinite"] == "a"


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Terminated])
def test_what_an_interrupt_cuts_short_arrives_in_the_end(outbox, flaky, history, stop):
    outbox.log({"a": 1.0}, 1)
    original = flaky.log_batch

    def interrupted(*arguments, **options):
        flaky.log_batch = original
        raise stop

    flaky.log_batch = interrupted
    with pytest.raises(stop):
        outbox.flush()
    outbox.log({"a": 2.0}, 2)
    outbox.close("KILLED")
    assert history("a") == [(1, 1.0), (2, 2.0)]


def test_of_an_interrupted_run_even_what_was_never_buffered_arrives(outbox, history):
    outbox._spool.points([Point("a", 1.0, 1_700_000_000_000, 1)])  # and then came the interrupt
    outbox.close("KILLED")
    assert history("a") == [(1, 1.0)]
