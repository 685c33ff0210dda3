import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from runner.errors import (
    ConfigError,
    DatasetError,
    RunnerWarning,
    Terminated,
    TrackingError,
)
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.spool import runs_folder

CHILD = """
import sys, time
from runner.tracking.mlflow_tracker import MlflowTracker
with MlflowTracker().start_run("child") as run:
    print(run.run_id, flush=True)
    time.sleep(60)
"""


def test_a_signal_leaves_a_true_status(store, client):
    endings = {signal.SIGINT: "KILLED", signal.SIGTERM: "KILLED", signal.SIGKILL: "RUNNING"}
    children = {
        number: subprocess.Popen(
            [sys.executable, "-c", CHILD], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for number in endings
    }
    runs = {number: child.stdout.readline().decode().strip() for number, child in children.items()}
    for number, child in children.items():
        child.send_signal(number)
        child.communicate()
        assert child.returncode != 0
    found = {number: client.get_run(run_id).info.status for number, run_id in runs.items()}
    assert found == endings
    assert client.get_run(runs[signal.SIGINT]).data.tags["runner.stop_reason"] == "Ctrl-C"
    tags = client.get_run(runs[signal.SIGTERM]).data.tags
    assert tags["runner.stop_reason"] == "SIGTERM"
    with MlflowTracker().start_run("next"):
        pass
    assert client.get_run(runs[signal.SIGKILL]).info.status == "KILLED"
    assert list(runs_folder().iterdir()) == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("no"), "FAILED"),
        (SystemExit(3), "FAILED"),
        (SystemExit(0), "FINISHED"),
        (KeyboardInterrupt(), "KILLED"),
        (Terminated(), "KILLED"),
        (GeneratorExit(), "KILLED"),
    ],
)
def test_an_exception_leaves_a_true_status_and_goes_on(tracker, client, error, status):
    with pytest.raises(type(error)), tracker.start_run("a") as run:
        raise error
    assert client.get_run(run.run_id).info.status == status


def test_a_failure_says_why_in_a_tag_a_file_and_the_note(tracker, client):
    from mlflow.artifacts import load_text

    error = DatasetError("Block 3", "be finite", got="NaN in\nrow 7", remedy="Drop it.")
    with pytest.raises(DatasetError), tracker.start_run("a") as run:
        raise error
    found = client.get_run(run.run_id)
    told = "Block 3 must be finite; got NaN in row 7. Drop it."
    assert found.data.tags["runner.error"] == told
    assert told in found.data.tags["mlflow.note.content"]
    trace = load_text(f"{found.info.artifact_uri}/logs/error.txt")
    assert trace.startswith("Traceback")
    assert "raise error" in trace


def test_an_interrupt_while_the_run_ends_still_ends_it(tracker, client, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr("runner.tracking.open_run.peak_mb", interrupt)
    with pytest.raises(KeyboardInterrupt), tracker.start_run("a") as run:
        pass
    assert client.get_run(run.run_id).info.status == "KILLED"


def full_disk(monkeypatch):
    """Let the file that a run keeps beside the store be refused, as on a full disk."""

    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.tracking.spool.Spool._write", refuse)


def the_only_run(client):
    experiment = client.get_experiment_by_name("runner").experiment_id
    (found,) = client.search_runs([experiment])
    return found


def test_a_run_that_cannot_begin_is_failed_and_leaves_no_folder(tracker, client, monkeypatch):
    full_disk(monkeypatch)
    with pytest.raises(TrackingError, match="No space left"), tracker.start_run("a"):
        pytest.fail("the fit began")
    assert the_only_run(client).info.status == "FAILED"
    assert list(runs_folder().iterdir()) == []


def test_a_run_that_is_interrupted_as_it_begins_is_killed(tracker, client, monkeypatch):
    def terminate(*_, **__):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("runner.tracking.open_run.Outbox", terminate)
    with pytest.raises(Terminated), tracker.start_run("a"):
        pytest.fail("the fit began")
    assert the_only_run(client).info.status == "KILLED"


@pytest.mark.parametrize("error", [None, ValueError("no")])
def test_an_ending_that_cannot_be_told_keeps_the_true_status(tracker, client, monkeypatch, error):
    def fail():
        raise OSError("no /proc here")

    def end(run):
        if error is not None:
            raise error

    monkeypatch.setattr("runner.tracking.open_run.peak_mb", fail)
    with (
        pytest.warns(RunnerWarning, match="no /proc here"),
        suppress(ValueError),
        tracker.start_run("a") as run,
    ):
        end(run)
    expected = "FINISHED" if error is None else "FAILED"
    assert client.get_run(run.run_id).info.status == expected


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("uri", 5, "tracking.uri must be text, or null; got 5"),
        ("log_model", 3, "tracking.log_model must be true or false; got 3"),
        ("flush_every_s", "abc", "tracking.flush_every_s must be a number of at least 0; got 'a"),
        ("flush_every_s", -1, "tracking.flush_every_s must be a number of at least 0; got -1"),
        ("system_metrics_after_s", -1, "tracking.system_metrics_after_s must be a number of at"),
        ("experiment", 5, "tracking.experiment must be text of 1 to 1000 characters; got 5"),
        ("tags", [1], "tracking.tags must be a mapping, each value text, or a finite number, or"),
        ("tags", {"a": [1]}, "tracking.tags must be a mapping, each value text, or a finite"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_at_once(key, value, said):
    with pytest.raises(ConfigError) as told:
        MlflowTracker(**{key: value})
    assert str(told.value).startswith(said)


def test_a_check_imports_nothing_of_mlflow_and_leaves_nothing_in_the_store(project):
    code = (
        "import sys; from runner.tracking.mlflow_tracker import MlflowTracker;"
        "MlflowTracker().check(); assert 'mlflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert not (project / "mlflow.db").exists()


UNWRITABLE = """
import sys, time
from sklearn.linear_model import SGDClassifier
from runner.records import Recipe
from runner.dataset.dataset import Dataset
from runner.errors import TrackingError
from runner.experiment import Experiment, run
from runner.tracking.mlflow_tracker import MlflowTracker

class Untouched(Dataset):
    def arrays(self, *_):
        sys.exit("the dataset was touched")

    split = arrays

tracking = MlflowTracker(uri=sys.argv[1])
experiment = Experiment(
    name="a", dataset=Untouched(), estimator=SGDClassifier(), tracking=tracking
)
began = time.monotonic()
try:
    run(experiment, Recipe("a", {}))
except TrackingError:
    sys.exit(time.monotonic() - began > 5)
sys.exit("nothing was told")
"""


def test_an_unusable_store_is_told_in_a_fresh_process_before_the_dataset_is_touched():
    code = [sys.executable, "-c", UNWRITABLE, "sqlite:////proc/mlflow.db"]
    done = subprocess.run(code, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_run_says_who_what_and_which_code(project, store, client):
    git = ["git", "-C", str(project), "-c", "user.name=a", "-c", "user.email=a@b.org"]
    subprocess.run([*git, "init", "-b", "trunk"], check=True, capture_output=True)
    subprocess.run([*git, "remote", "add", "origin", "https://u:pw@h.org/c"], check=True)
    subprocess.run([*git, "commit", "--allow-empty", "-m", "x"], check=True, capture_output=True)
    tracker = MlflowTracker(experiment="mine", tags={"team": "blue", "try": 3})
    with tracker.start_run("named", command="runner run named") as run:
        pass
    found = client.get_run(run.run_id)
    tags = found.data.tags
    assert found.info.run_name == "named"
    assert client.get_experiment(found.info.experiment_id).name == "mine"
    assert tags["mlflow.user"]
    assert tags["mlflow.source.name"] == "runner run named"
    assert tags["mlflow.source.type"] == "LOCAL"
    assert len(tags["mlflow.source.git.commit"]) == 40
    assert tags["mlflow.source.git.branch"] == "trunk"
    assert tags["mlflow.source.git.repoURL"] == "https://<redacted>@h.org/c"
    assert tags["runner.version"]
    assert (tags["team"], tags["try"]) == ("blue", "3")
    assert "runner run named" in tags["mlflow.note.content"]


def test_a_user_without_a_name_may_run(tracker, client, monkeypatch):
    def nobody():
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nobody)
    with tracker.start_run("a") as run:
        pass
    assert client.get_run(run.run_id).data.tags["mlflow.user"] == "unknown"


@pytest.mark.parametrize(
    "uri", ["sqlite:////proc/mlflow.db", "http://127.0.0.1:1", "./mlruns"], ids=str
)
def test_an_unusable_store_is_told_within_five_seconds_and_before_the_fit(uri):
    began = time.monotonic()
    with pytest.raises(TrackingError), MlflowTracker(uri=uri).start_run("a"):
        pytest.fail("the fit began")
    assert time.monotonic() - began < 5


def test_a_folder_for_what_is_unsent_that_cannot_be_made_is_told(project, tracker, client):
    (project / ".runner").write_text("a file in its place")
    with (
        pytest.raises(TrackingError, match="runs must be writable"),
        tracker.start_run("a"),
    ):
        pytest.fail("the fit began")
    assert client.get_experiment_by_name("runner") is None


def test_two_stores_in_one_process_do_not_mix(project, schema, store, client):
    other = project / "other.db"
    other.write_bytes(schema.read_bytes())
    with MlflowTracker(uri="sqlite:///other.db").start_run("a") as elsewhere:
        pass
    assert "MLFLOW_TRACKING_URI" not in os.environ
    with MlflowTracker().start_run("b") as here:
        pass
    assert client.get_run(here.run_id).info.run_name == "b"
    with pytest.raises(Exception, match="not found"):
        client.get_run(elsewhere.run_id)


def test_runs_of_several_threads_do_not_mix(tracker, client):
    from concurrent.futures import ThreadPoolExecutor

    def one(number):
        with tracker.start_run(str(number)) as run:
            run._outbox.log({"number": number}, 0)
        return run.run_id

    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(one, range(8)))
    for number, run_id in enumerate(ids):
        found = client.get_run(run_id)
        assert found.info.run_name == str(number)
        assert found.data.metrics["number"] == number


KILLED = """
import os, sys
from runner.records import Recipe
from runner.tracking.mlflow_tracker import MlflowTracker
with MlflowTracker(flush_every_s=1000).start_run("killed") as run:
    run.log_params(Recipe("killed", {"seed": 1}))
    for step in range(1, 6):
        run._outbox.log({"a": step / 2, "b": step / 4}, step)
        if step == 3:
            run._outbox.flush()
    run._outbox.log({"time/fit_s": 1.0}, 0)
    print(run.run_id, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_run_that_was_killed_is_gone_on_with_and_doubles_no_point(store, client):
    code = [sys.executable, "-c", KILLED]
    done = subprocess.run(code, check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    run_id = done.stdout.strip()
    assert len(client.get_metric_history(run_id, "a")) == 3
    assert (runs_folder() / run_id).exists()
    killed = client.get_run(run_id)
    with MlflowTracker(tags={"team": "blue"}).start_run("killed", resumed=run_id) as run:
        assert run.run_id == run_id
        for step in range(1, 9):
            run._outbox.log({"a": step * 2, "b": step * 4}, step)
        run._outbox.log({"time/fit_s": 3.0}, 0)
        during = client.get_run(run_id)
    for key, before, after in (("a", 0.5, 2), ("b", 0.25, 4)):
        history = [(m.step, m.value) for m in client.get_metric_history(run_id, key)]
        assert history == [(step, step * (before if step < 6 else after)) for step in range(1, 9)]
    found = client.get_run(run_id)
    assert found.data.metrics["time/fit_s"] == 3.0
    assert during.info.status == "RUNNING"
    assert (found.info.status, found.info.run_name) == ("FINISHED", "killed")
    assert found.info.start_time == killed.info.start_time
    assert found.data.tags["runner.process"] != killed.data.tags["runner.process"]
    assert found.data.tags["mlflow.source.type"] == "LOCAL"
    assert found.data.tags["team"] == "blue"
    assert not (runs_folder() / run_id).exists()


def test_what_cannot_be_gone_on_with_is_left_as_it_is(tracker, client):
    with tracker.start_run("a") as run:
        pass
    before = client.get_run(run.run_id)
    with (
        pytest.raises(TrackingError, match="got FINISHED"),
        tracker.start_run("a", resumed=run.run_id),
    ):
        pytest.fail("it began")
    after = client.get_run(run.run_id)
    assert after.data.tags == before.data.tags
    assert after.info.end_time == before.info.end_time
    assert not (runs_folder() / run.run_id).exists()
