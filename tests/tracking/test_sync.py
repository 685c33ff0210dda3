import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest

from runner.records import Evaluated, Recipe
from runner.tracking.away import alone, stand_in, stand_ins
from runner.tracking.client import connect
from runner.tracking.copied_model import COPIED_FROM
from runner.tracking.copying import COPYING
from runner.tracking.loading import load_model
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import children_of, find_all, find_run
from runner.tracking.saved_states import saved_states, state_file
from runner.tracking.spool import Point, Spool, runs_folder
from runner.tracking.store import AwayError, Store, preflight, resolve
from runner.tracking.sync import sync, waiting
from runner.tracking.tags import PARENT, PROCESS

OTHER = "sqlite:///other.db"


@pytest.fixture
def other(project, schema):
    """Return a store, not the chosen one, that can be away; its stand-in has a schema already."""
    shutil.copy(schema, project / "other.db")
    store = resolve(OTHER)
    stood_in = stand_in(store)
    stood_in.folder.mkdir(parents=True)
    shutil.copy(schema, stood_in.database)
    return store


@pytest.fixture
def outage(monkeypatch, recwarn):
    """Return a context in which no store answers."""

    def refuse(store):
        raise AwayError(f"The tracking store {store}", "answer", got="nothing", remedy="Start it.")

    @contextmanager
    def outage():
        with monkeypatch.context() as patch:
            patch.setattr("runner.tracking.away.preflight", refuse)
            yield

    return outage


@pytest.fixture
def no_gc(monkeypatch):
    """Leave out what only frees space."""
    freed = []
    monkeypatch.setattr("runner.tracking.sync._free", freed.append)
    return freed


def local(store, **options):
    return MlflowTracker(uri=store.uri, when_away="local", **{"log_model": False} | options)


def runs_in(store):
    return list(find_all(connect(store), store, ""))


def every_run(store):
    """Return the runs of a store, with those that are marked as deleted."""
    from mlflow.entities import ViewType

    client = connect(store)
    experiments = [each.experiment_id for each in client.search_experiments(ViewType.ALL)]
    return client.search_runs(experiments, run_view_type=ViewType.ALL)


def a_run(store, outage, name="a"):
    with outage(), local(store).start_run(name) as run:
        run._outbox.log({"a": 1.0}, 1)
    return run.run_id


def test_nothing_waits_in_a_new_project():
    assert waiting() == {}
    assert sync() == []


def test_a_run_is_sent_with_its_model_and_removed_for_good(
    other, outage, learn, make_part, points
):
    with outage(), local(other, log_model=True).start_run("a") as run:
        run.log_params(Recipe("a", {"seed": 0}, config="seed: 0\n"))
        model, part, progress = learn(run.callbacks())
        run.log_scores(Evaluated({"accuracy": 0.75}, n_rows=20))
        run.log_model(model, part, progress)
    assert waiting() == {str(other): ["1 run kept in the project"]}
    (finding,) = sync()
    assert finding.ok
    assert finding.told == f"sent 1 run to {other}"
    (found,) = runs_in(other)
    assert (found.status, found.scores) == ("FINISHED", {"accuracy": 0.75})
    assert connect(other).get_run(found.run_id).data.tags[COPIED_FROM] == run.run_id
    loaded = load_model(find_run(found.run_id, OTHER), OTHER)
    assert (loaded.model.coef_ == model.coef_).all()
    (away,) = stand_ins()
    kept = [path for path in away.folder.rglob("*") if path.is_file()]
    assert sorted(path.name for path in kept) == ["mlflow.db", "store"]
    assert every_run(away.store) == []
    assert waiting() == {}
    assert sync() == []
    assert [each.run_id for each in runs_in(other)] == [found.run_id]


def test_a_sweep_is_sent_whole(other, outage, no_gc):
    with outage(), local(other).start_sweep("grid") as sweep:
        members = []
        for number in range(2):
            with local(other).start_run(f"{number}", parent=sweep) as member:
                members.append(member.run_id)
    assert waiting() == {str(other): ["3 runs kept in the project"]}
    assert sync()[0].told == f"sent 3 runs to {other}"
    by_name = {run.name: run for run in runs_in(other)}
    parent = by_name["grid"].run_id
    found = children_of(connect(other), other, parent)
    assert {run.name for run in found} == {"0", "1"}
    assert {run.tags[COPIED_FROM] for run in found} == set(members)
    assert len(no_gc) == 1


def test_what_a_killed_run_left_is_sent_to_whatever_store_it_is_for(other):
    client = connect(other)
    run_id = client.create_run(client.create_experiment("any")).info.run_id
    spool = Spool(runs_folder() / run_id, str(other))
    spool.points([Point("a", 1.0, 1000, 7)])
    spool.close()
    assert waiting() == {str(other): ["1 unsent rest"]}
    (finding,) = sync()
    assert finding.told == f"sent 1 unsent rest to {other}"
    assert client.get_run(run_id).data.metrics == {"a": 1.0}
    assert client.get_run(run_id).info.status == "KILLED"


KILLED = """
import os, sys, warnings
from runner.tracking import away
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.store import AwayError
def refuse(store):
    raise AwayError("The store", "answer", got="nothing", remedy="Start it.")
away.preflight = refuse
warnings.simplefilter("ignore")
tracker = MlflowTracker(uri=sys.argv[1], when_away="local", flush_every_s=1000)
with tracker.start_sweep("grid") as sweep, tracker.start_run("member", parent=sweep) as run:
    for step in range(50):
        run._outbox.log({"a": step / 2}, step)
    print(run.run_id, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_sweep_that_was_killed_in_the_project_is_mended_and_then_sent(other, no_gc):
    child = [sys.executable, "-c", KILLED, other.uri]
    done = subprocess.run(child, check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert waiting() == {str(other): ["2 unsent rests", "2 runs kept in the project"]}
    (finding,) = sync()
    assert finding.told == f"sent 2 runs to {other}"
    found = {run.name: run for run in runs_in(other)}
    assert {run.status for run in found.values()} == {"KILLED"}
    assert found["member"].tags[PARENT] == found["grid"].run_id
    client = connect(other)
    points = client.get_metric_history(found["member"].run_id, "a")
    assert [(m.step, m.value) for m in points] == [(step, step / 2) for step in range(50)]


def test_a_saved_state_goes_on_as_that_of_the_copy(other, outage, no_gc):
    run_id = a_run(other, outage)
    state_file(run_id).parent.mkdir(parents=True)
    state_file(run_id).write_bytes(b"state")
    sync()
    (found,) = runs_in(other)
    assert [state.run_id for state in saved_states()] == [found.run_id]


def test_a_store_that_stays_away_keeps_everything(other, outage, monkeypatch):
    run_id = a_run(other, outage)

    def refuse(store):
        raise AwayError(f"The tracking store {store}", "answer", got="nothing", remedy="Start it.")

    monkeypatch.setattr("runner.tracking.sync.preflight", refuse)
    (finding,) = sync()
    assert not finding.ok
    assert finding.told == (
        f"nothing sent to {other}; kept: The tracking store {other} must answer; got nothing. "
        "Start it."
    )
    assert [run.run_id for run in runs_in(stand_in(other).store)] == [run_id]


def test_one_run_that_is_refused_does_not_keep_back_the_others(other, outage, no_gc):
    client = connect(other)
    with outage(), local(other, experiment="gone").start_run("refused") as refused:
        pass
    a_run(other, outage, "well")
    client.delete_experiment(client.create_experiment("gone"))
    (finding,) = sync()
    assert not finding.ok
    assert finding.told.startswith(f"sent 1 run to {other}; kept: {refused.run_id} (The experi")
    assert [run.name for run in runs_in(other)] == ["well"]
    assert waiting() == {str(other): ["1 run kept in the project"]}


def test_a_store_that_goes_away_half_way_is_not_asked_again(other, outage, no_gc, monkeypatch):
    for name in "abc":
        a_run(other, outage, name)
    asked = []

    def refuse(*_, **__):
        asked.append(1)
        raise OSError("connection refused")

    def away(store):
        if asked:
            raise AwayError(f"The store {store}", "answer", got="nothing", remedy="Start it.")
        preflight(store)

    monkeypatch.setattr("runner.tracking.sync.copy", refuse)
    monkeypatch.setattr("runner.tracking.sync.preflight", away)
    (finding,) = sync()
    assert len(asked) == 1
    assert "connection refused" in finding.told
    assert "must answer" in finding.told
    assert len(runs_in(stand_in(other).store)) == 3


def test_a_run_that_goes_on_is_left_alone(other, outage, no_gc):
    with outage(), local(other).start_run("open") as run:
        (finding,) = sync()
        assert finding.told == f"nothing sent to {other}; kept: {run.run_id}, which may go on"
        assert runs_in(other) == []
    assert sync()[0].ok
    assert [each.name for each in runs_in(other)] == ["open"]


def test_a_run_of_another_machine_is_left_alone(other, outage, no_gc):
    run_id = a_run(other, outage)
    there = connect(stand_in(other).store)
    there.set_tag(run_id, PROCESS, "far/boot/pid:[1]/7/1")
    there.update_run(run_id, status="RUNNING")
    assert "which may go on" in sync()[0].told
    assert runs_in(other) == []


def test_two_at_once_do_not_send_the_same(other, outage):
    a_run(other, outage)
    with alone(stand_in(other)):
        (finding,) = sync()
    assert not finding.ok
    assert "which another process is sending" in finding.told
    assert runs_in(other) == []


def test_credentials_come_back_from_the_store_that_is_chosen(outage, monkeypatch):
    uri = "http://ann:hunter2@127.0.0.1:1"
    a_run(Store(uri), outage)
    (finding,) = sync()
    assert not finding.ok
    assert "must be given with its credentials" in finding.told
    assert "Set MLFLOW_TRACKING_URI to it and write `runner doctor --sync` again" in finding.told
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for (finding,) in (sync(), sync(uri)):
        assert "must answer within 3 seconds" in finding.told
        assert "hunter2" not in finding.told


def test_a_file_that_is_gone_is_not_made_anew(other, outage):
    a_run(other, outage)
    other.file.unlink()
    (finding,) = sync()
    assert "must be there; got no such file" in finding.told
    assert not other.file.exists()


SYNC = """
import os, sys
from runner.tracking import copying, sync
from mlflow import MlflowClient
whole = getattr(MlflowClient, sys.argv[1])
def killed(client, *arguments, **options):
    whole(client, *arguments, **options)
    if "other.db" in client.tracking_uri or sys.argv[1].startswith("delete"):
        os.kill(os.getpid(), 9)
setattr(MlflowClient, sys.argv[1], killed)
sync.sync()
"""


@pytest.mark.parametrize("call", ["log_batch", "delete_run"])
def test_a_sync_that_is_killed_is_completed_by_the_next(other, outage, no_gc, call):
    run_id = a_run(other, outage)
    child = [sys.executable, "-c", SYNC, call]
    done = subprocess.run(child, check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    (half,) = runs_in(other)
    tags = connect(other).get_run(half.run_id).data.tags
    assert (COPYING in tags) == (call == "log_batch")
    assert all(finding.ok for finding in sync())
    assert waiting() == {}
    (found,) = runs_in(other)
    assert (found.run_id, found.status) == (half.run_id, "FINISHED")
    assert found.tags[COPIED_FROM] == run_id
    assert len(connect(other).get_metric_history(found.run_id, "a")) == 1
