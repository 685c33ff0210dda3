import math
import time

import pytest

from runner.errors import RunnerWarning
from runner.tracking.outbox import BATCH, MAX_TAG
from runner.tracking.spool import FILE_NAME, abandoned, read


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
