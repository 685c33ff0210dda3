import shutil
import subprocess
import sys

import pytest

from runner.errors import RunnerWarning
from runner.tracking.mending import end_orphans, mend
from runner.tracking.process import Process
from runner.tracking.record import find_all
from runner.tracking.spool import FILE_NAME, Point, Spool, runs_folder
from runner.tracking.tags import PROCESS

KILLED = """
import os, sys
from runner.tracking.client import connect, experiment_id
from runner.tracking.outbox import Outbox
from runner.tracking.store import resolve
store = resolve()
client = connect(store)
run_id = client.create_run(experiment_id(client, store, "any")).info.run_id
outbox = Outbox(client, store, run_id, flush_every_s=1000)
for step in range(50):
    outbox.log({"a": step / 2}, step)
    if step == 20:
        outbox.flush()
print(run_id, flush=True)
os.kill(os.getpid(), 9)
"""


def left_by(run_id, store, *, status=None):
    """Leave what a process leaves that dies with one point, one tag and one artifact unsent."""
    spool = Spool(runs_folder() / run_id, str(store))
    spool.points([Point("a", 1.0, 1000, 7)])
    spool.tags({"told": "yes"})
    if status is not None:
        spool.end(status, 1_700_000_000_000)
    spool.close()
    file = runs_folder() / run_id / "artifacts" / "logs" / "error.txt"
    file.parent.mkdir(parents=True)
    file.write_text("what happened")


def test_a_run_that_was_killed_loses_no_point_and_is_marked(store, client):
    child = [sys.executable, "-c", KILLED]
    done = subprocess.run(child, check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    run_id = done.stdout.strip()
    assert client.get_run(run_id).info.status == "RUNNING"
    assert mend(client, store) == [run_id]
    points = [(m.step, m.value) for m in client.get_metric_history(run_id, "a")]
    assert points == [(step, step / 2) for step in range(50)]
    assert client.get_run(run_id).info.status == "KILLED"
    assert not (runs_folder() / run_id).exists()
    assert mend(client, store) == []


def test_an_ending_that_could_not_be_sent_is_sent_as_it_was(store, client, run_id):
    left_by(run_id, store, status="FINISHED")
    mend(client, store)
    run = client.get_run(run_id)
    assert (run.info.status, run.info.end_time) == ("FINISHED", 1_700_000_000_000)
    assert run.data.metrics == {"a": 1.0}
    assert run.data.tags["told"] == "yes"
    assert [entry.path for entry in client.list_artifacts(run_id, "logs")] == ["logs/error.txt"]


def test_sending_twice_doubles_nothing(store, client, run_id, history):
    for _ in range(2):
        left_by(run_id, store)
        assert mend(client, store) == [run_id]
    assert history("a") == [(7, 1.0)]


def test_what_belongs_to_another_store_stays(store, client, run_id):
    left_by(run_id, "http://elsewhere")
    assert mend(client, store) == []
    assert (runs_folder() / run_id / FILE_NAME).exists()


@pytest.mark.parametrize("deleted", [True, False])
def test_what_belongs_to_a_run_that_is_gone_is_removed(store, client, run_id, deleted):
    if deleted:
        client.delete_run(run_id)
    left_by(run_id if deleted else "0" * 32, store)
    assert len(mend(client, store)) == 1
    assert list(runs_folder().iterdir()) == []


def test_a_live_run_is_left_alone(store, client, run_id):
    spool = Spool(runs_folder() / run_id, str(store))
    assert mend(client, store) == []
    spool.close()


def test_what_cannot_be_sent_is_kept_and_told(store, flaky, run_id):
    left_by(run_id, store)
    flaky.away = True
    with pytest.warns(RunnerWarning, match="could not be sent .* it is kept"):
        assert mend(flaky, store) == []
    assert (runs_folder() / run_id / FILE_NAME).exists()
    flaky.away = False
    shutil.rmtree(runs_folder() / run_id / "artifacts")
    assert mend(flaky, store) == [run_id]


def test_what_goes_on_is_ended_only_where_its_process_is_provably_gone(client, store, tracker):
    with tracker.start_run("a") as run:
        experiment = client.get_run(run.run_id).info.experiment_id
        here = str(Process.current())
        texts = {"gone": f"{here.rpartition('/')[0]}/1", "here": here, "far": "h/b/n/1/2"}
        runs = {
            name: client.create_run(experiment, run_name=name, tags={PROCESS: text}).info.run_id
            for name, text in texts.items()
        }
        running = list(find_all(client, store, "attributes.status = 'RUNNING'"))
        assert len(running) == 4
        assert end_orphans(client, running) == ([runs["gone"]], [runs["far"]])
    assert client.get_run(runs["gone"]).info.status == "KILLED"
    assert client.get_run(runs["far"]).info.status == "RUNNING"
