"""A real server that is killed while runs go on: no point is lost, and none is doubled."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import psutil
import pytest

from runner.base import Block, Place, Progress
from runner.cli import WRONG, main
from runner.errors import RunnerWarning
from runner.records import Evaluated
from runner.tracking.client import connect
from runner.tracking.copied_model import COPIED_FROM
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import children, find_all, recent_runs
from runner.tracking.spool import runs_folder
from runner.tracking.store import resolve
from runner.tracking.tags import BEST_RUN, PARENT

BLOCKS, ROWS = 40, 25
X, Y = np.zeros((ROWS, 2)), np.zeros(ROWS)
# What depends on the clock differs from run to run; when it is logged does not.
CLOCKED = ("memory/", "progress/rows_per_second", "time/")


class Fit:
    """What a fit tells its run, block by block, and how long each telling takes."""

    def __init__(self, tracker, name):
        self.run = tracker.start_run(name)
        self.took = []
        self._progress = Progress(total_rows=BLOCKS * ROWS)

    def begin(self):
        self.opened = self.run.__enter__()
        self._callbacks = self.opened.callbacks().values()
        for callback in self._callbacks:
            callback.on_fit_begin(self._progress, None)

    def learn(self, position):
        progress = self._progress
        place = Place(position, position * ROWS, (position + 1) * ROWS)
        progress.blocks += 1
        progress.rows += ROWS
        progress.scores = {"accuracy": position / 7}
        began = time.monotonic()
        for callback in self._callbacks:
            callback.on_block_end(progress, Block(X, Y, None, place, 0, position))
        self.took.append(time.monotonic() - began)

    def end(self):
        for callback in self._callbacks:
            callback.on_fit_end(self._progress)
        self.opened.log_scores(Evaluated({"accuracy": 0.75}, n_rows=20))
        self.run.__exit__(None, None, None)

    @property
    def run_id(self):
        return self.opened.run_id


def points(client, run_id):
    """Return every point of a run, of those that depend on the clock without the value."""
    return {
        key: sorted(
            (m.step, 0 if key.startswith(CLOCKED) else m.value)
            for m in client.get_metric_history(run_id, key)
        )
        for key in client.get_run(run_id).data.metrics
    }


def one_failing_call(client):
    """Return how long a call takes to a server that is gone, with its retries."""
    began = time.monotonic()
    with pytest.raises(Exception, match="refused"):
        client.search_experiments()
    return time.monotonic() - began


def _command(process):
    try:
        return process.cmdline()
    except psutil.Error:  # one that has ended just now
        return []


@contextmanager
def outage(server):
    """Kill the server and all its processes, and start it again at the same address."""
    port = server.url.rpartition(":")[2]
    (process,) = [each for each in psutil.Process().children() if port in _command(each)]
    os.killpg(process.pid, signal.SIGKILL)
    server.stop()
    try:
        yield
    finally:
        server.start()


def through(fits, positions, pause=0.0):
    """Let several fits learn the same blocks, one after the other."""
    for position in positions:
        for fit in fits:
            fit.learn(position)
        time.sleep(pause)


def through_an_outage(server, short, long, seconds):
    """Let one fit end while the server is gone and the other go on; return what a call takes."""
    client = connect(resolve(server.url))
    with outage(server):
        one_call = one_failing_call(client)
        through([short, long], range(15, 30), seconds / 15)
        through([short], range(30, BLOCKS))
        short.end()
    return one_call


@pytest.mark.parametrize(
    ("seconds", "retrying"),
    [
        (1, ("1", "1")),
        pytest.param(1, ("2", "1"), marks=pytest.mark.slow),
        pytest.param(30, ("2", "2"), marks=pytest.mark.slow),
    ],
)
def test_a_server_that_is_killed_in_mid_run_loses_and_doubles_nothing(
    server, seconds, retrying, capsys, monkeypatch
):
    for name, value in zip(("MAX_RETRIES", "BACKOFF_FACTOR"), retrying, strict=True):
        monkeypatch.setenv(f"MLFLOW_HTTP_REQUEST_{name}", value)
    quick = {"flush_every_s": 0.05, "system_metrics_after_s": None}  # it takes about 10 s
    tracker = MlflowTracker(uri=server.url, log_model=False, **quick)
    undisturbed, short, long = fits = [Fit(tracker, name) for name in ("whole", "short", "long")]
    for fit in fits:
        fit.begin()
    through([undisturbed], range(BLOCKS))
    through([short, long], range(15))
    undisturbed.end()
    with pytest.warns(RunnerWarning) as told:
        one_call = through_an_outage(server, short, long, seconds)
    assert f"{short.run_id} is not wholly in the tracking store" in str(told[-1].message)
    assert (runs_folder() / short.run_id).is_dir()
    through([long], range(30, BLOCKS))
    long.end()
    assert [main(["doctor", "--sync"]) for _ in range(2)] == [0, 0]
    client = connect(resolve(server.url))
    expected, *found = [points(client, fit.run_id) for fit in fits]
    assert len(expected["train/progressive_accuracy"]) == BLOCKS
    assert found == [expected] * 2
    assert {client.get_run(fit.run_id).info.status for fit in fits} == {"FINISHED"}
    delays = [sum(took for took in fit.took if took > one_call / 2) for fit in (short, long)]
    with capsys.disabled():
        sys.stdout.write(f"\nT17 outage_delay {max(delays):.2f} s, one call {one_call:.2f} s\n")
    assert max(delays) < 1.5 * one_call + 1


SWEEP = ["sweep={grid: {estimator.alpha: [0.1, 0.01]}}", "callbacks=[]"]


@pytest.mark.slow
def test_runs_that_begin_while_the_server_is_gone_are_sent_when_it_is_back(
    server, capsys, monkeypatch, recwarn
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    local = "tracking.when_away=local"
    with outage(server):
        began = time.monotonic()
        assert main(["run", "quickstart", "callbacks=[]"]) == WRONG
        assert time.monotonic() - began < 10
        assert f"or set {local} to keep the run" in capsys.readouterr().err
        assert main(["run", "quickstart", "callbacks=[]", local]) == 0
        assert main(["run", "quickstart", *SWEEP, local]) == 0
        assert main(["doctor"]) == WRONG
        assert f"4 runs kept in the project for {server.url}" in capsys.readouterr().out
    store = resolve()
    before = {run.run_id for run in find_all(connect(store), store, "")}
    assert main(["doctor", "--sync"]) == 0
    assert f"sync: sent 4 runs to {server.url}" in capsys.readouterr().out
    assert main(["doctor", "--sync"]) == 0
    new = [r for r in find_all(connect(store), store, "") if r.run_id not in before]
    assert len(new) == 4
    assert {run.status for run in new} == {"FINISHED"}
    assert all(run.tags[COPIED_FROM] for run in new)
    (sweep,) = [run for run in new if run.is_sweep]
    members = children(sweep)
    assert len(members) == 2
    assert sweep.tags[BEST_RUN] in {run.run_id for run in members}
    (alone,) = [run for run in new if not run.is_sweep and PARENT not in run.tags]
    for run in (alone, members[0]):
        assert run.scores.keys() == {"accuracy", "roc_auc"}
        assert main(["predict", run.run_id, f"output=predicted-{run.run_id}"]) == 0
    assert recent_runs()[0].run_id in {run.run_id for run in new}


# A process that is killed after the store has what a call sent, and before it says so.
UNHEARD = """
import os, sys
from mlflow import MlflowClient
from runner.records import Evaluated
from runner.tracking.mlflow_tracker import MlflowTracker
name, after = sys.argv[2], int(sys.argv[3])
whole = getattr(MlflowClient, name)
left = [after]
def killed(client, *arguments, **options):
    answer = whole(client, *arguments, **options)
    if "metrics" in options or name != "log_batch":
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), 9)
    return answer
with MlflowTracker(uri=sys.argv[1], log_model=False, flush_every_s=1000).start_run("a") as run:
    print(run.run_id, flush=True)
    setattr(MlflowClient, name, killed)
    for step in range(1200):
        run._outbox.log({"curve": step / 3}, step)
    run.log_scores(Evaluated({"accuracy": 0.75}, n_rows=20))
"""
# What has then arrived of the curve, and how the run is to be seen to have ended.
KILLS = {
    ("log_batch", "1"): (500, "KILLED"),
    ("log_batch", "2"): (1000, "KILLED"),
    ("log_artifacts", "1"): (1200, "FINISHED"),
    ("set_terminated", "1"): (1200, "FINISHED"),
}


def killed_by(uri):
    """Run one process for each kill, and return their runs."""
    children = {
        kill: subprocess.Popen(
            [sys.executable, "-c", UNHEARD, uri, *kill],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for kill in KILLS
    }
    said = {kill: child.communicate(timeout=120) for kill, child in children.items()}
    assert {child.returncode for child in children.values()} == {-signal.SIGKILL}, said
    return {kill: out.strip() for kill, (out, _) in said.items()}


def test_a_run_that_is_killed_between_sending_and_the_answer_doubles_nothing(server):
    runs = killed_by(server.url)
    client = connect(resolve(server.url))

    def steps(kill):
        return [m.step for m in client.get_metric_history(runs[kill], "curve")]

    assert {kill: len(steps(kill)) for kill in KILLS} == {
        kill: n for kill, (n, _) in KILLS.items()
    }
    for _ in range(2):
        assert main(["doctor", "--sync"]) == 0
        for kill, (n, status) in KILLS.items():
            assert steps(kill) == list(range(n))
            assert client.get_run(runs[kill]).info.status == status
    assert not list(runs_folder().iterdir())
