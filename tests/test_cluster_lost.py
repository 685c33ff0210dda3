"""A cluster that is lost in mid-fit: it is told at once and plainly, and no bit is lost by it."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from runner.cli import WRONG
from runner.cluster.cluster import CLIENT, DATA
from runner.tracking.record import recent_runs
from runner.tracking.tags import MODEL_HASH, rows_resumed_at
from tests.cluster.conftest import running

ROOT = Path(__file__).resolve().parents[1]
N_BLOCKS, AT = 40, 10
LEARNED = N_BLOCKS * 4 // 5

# A callback of the project's own kills the process of which the number is in a file.
PARTS = f"""
import os
import signal
import time
from pathlib import Path

from sklearn.linear_model import SGDClassifier

from runner.base import Callback

FOLDER = Path(__file__).parent


class Own(SGDClassifier):
    "One that only the project has."


class Kill(Callback):
    def on_block_end(self, progress, block):
        doomed = FOLDER / "doomed"
        if progress.blocks == {AT} and doomed.exists():
            os.kill(int(doomed.read_text()), signal.SIGKILL)
            doomed.rename(FOLDER / "dead")
            (FOLDER / "dead").touch()
"""
EXPERIMENT = """\
defaults: [{override /dataset: npy}, {override /callbacks: [checkpoint]}]
dataset: {X: X.npy, y: y.npy, chunks: 50, holdout: 0.2}
estimator: {_target_: losing.Own, random_state: 0}
partial_fit: {classes: [0, 1]}
callbacks: {checkpoint: {after_s: 0, every_s: 0, cost: 100}, kill: {_target_: losing.Kill}}
tracking: {log_model: false}
"""


@pytest.fixture(autouse=True)
def losing(project, schema, monkeypatch):
    """Give the project a store, an experiment, its rows, and the module that it allows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50 * N_BLOCKS, 3))
    np.save(project / "X.npy", X)
    np.save(project / "y.npy", (X[:, 0] + rng.normal(size=len(X)) > 0).astype(int))
    (project / "losing.py").write_text(PARTS)
    (project / "experiments").mkdir()
    (project / "experiments" / "mine.yaml").write_text(EXPERIMENT)
    shutil.copy(schema, project / "mlflow.db")
    monkeypatch.setenv("RUNNER_ALLOW", "losing")
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.delitem(sys.modules, "losing", raising=False)
    yield
    sys.modules.pop("losing", None)


@pytest.fixture
def cluster(project, tmp_path):
    """Start a scheduler and a worker without a nanny, which knows the module too."""
    with running(tmp_path / "dask", 1, "--no-nanny") as cluster:
        shutil.copy(project / "losing.py", tmp_path / "dask")
        yield cluster


def lose(project, run, cluster, doomed, *options):
    """Run the experiment, let it kill a process; return how long it took to end, and its words."""
    (project / "doomed").write_text(str(doomed.pid))
    where = ("cluster=address", f"cluster.address={cluster.address}", *options)
    code, out, err = run("run", "mine", *where)
    assert (project / "dead").exists(), err
    took = time.time() - (project / "dead").stat().st_mtime
    assert doomed.wait(50) < 0
    assert code == WRONG, err
    assert "Traceback" not in out + err
    return took, err


def apart(*arguments):
    """Run a command in a process of its own, which must end too."""
    done = subprocess.run(
        [sys.executable, "-m", "runner", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def check_the_rest_is_done_here(said):
    """Go on with the run without a cluster, and compare its model with an undisturbed one."""
    (lost,) = recent_runs()
    assert lost.status == "FAILED"
    assert MODEL_HASH not in lost.tags
    assert said("resume", lost.run_id[:12], "cluster=none")[0] == 0
    assert said("run", "mine")[0] == 0
    whole, gone_on = recent_runs()
    assert (whole.status, gone_on.status) == ("FINISHED", "FINISHED")
    assert gone_on.run_id == lost.run_id
    assert AT <= rows_resumed_at(gone_on.tags)[0] / 50 < LEARNED
    assert gone_on.tags[MODEL_HASH] == whole.tags[MODEL_HASH]
    assert gone_on.scores == whole.scores


def slow(placement):
    return pytest.param(placement, marks=pytest.mark.slow)


@pytest.mark.parametrize("placement", [CLIENT, slow(DATA)])
def test_a_scheduler_that_is_lost_ends_the_fit_at_once(project, cluster, placement, said):
    where = (f"cluster.placement={placement}",)
    took, err = lose(project, apart, cluster, cluster.scheduler, *where)
    assert took < 50
    assert f"The scheduler at {cluster.address} must stay there until the end" in err
    check_the_rest_is_done_here(said)


@pytest.mark.parametrize("placement", [slow(CLIENT), DATA])
def test_a_last_worker_that_is_lost_ends_the_fit_after_a_while(project, cluster, placement, said):
    options = (f"cluster.placement={placement}", "cluster.patience_s=5")
    took, err = lose(project, said, cluster, cluster.workers[0], *options)
    assert took < 50
    assert f"The cluster of {cluster.address} must have a worker; got none for 5 s" in err
    check_the_rest_is_done_here(said)


@pytest.mark.slow
def test_with_the_usual_patience_it_ends_within_a_minute(project, cluster):
    took, err = lose(project, apart, cluster, cluster.workers[0])
    assert 30 < took < 60
    assert "got none for 30 s" in err
