"""`runner resume`: what it goes on with, what it refuses, and what it says."""

import shutil
import sys

import numpy as np
import pytest

from runner.cli import WRONG, main
from runner.cluster.local import LocalCluster
from runner.errors import CheckpointError, ConfigError, RunnerWarning, TrackingError
from runner.reproduction.job import reproduce
from runner.resuming import resume
from runner.saved import read
from runner.sweeps.job import Job
from runner.sweeps.teller import Teller
from runner.tracking.client import connect
from runner.tracking.record import children, kept_bytes, recent_runs
from runner.tracking.saved_states import state_file
from runner.tracking.store import resolve
from runner.tracking.tags import MODEL_HASH, RESUMED

# An estimator of the project's own that fails at one block until it is mended.
FAILING = """
from pathlib import Path

from sklearn.linear_model import SGDClassifier

from runner.base import Callback

FOLDER = Path(__file__).parent


class Failing(SGDClassifier):
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        if getattr(self, "t_", 1) > 200 and not (FOLDER / "mended").exists():
            raise RuntimeError("not mended yet")
        return super().partial_fit(X, y, classes, sample_weight)


class Told(Callback):
    def __init__(self, api_key):
        self.api_key = api_key

    def on_fit_begin(self, progress, estimator):
        (FOLDER / "told").write_text(self.api_key)
"""
EXPERIMENT = """\
# fails in the middle
defaults: [{override /dataset: npy}, {override /callbacks: [checkpoint]}]
dataset: {X: X.npy, y: y.npy, chunks: 50, holdout: 0.2}
estimator: {_target_: failing.Failing, random_state: 0}
partial_fit: {classes: [0, 1]}
callbacks: {checkpoint: {after_s: 0, every_s: 0, cost: 100}}
tracking: {log_model: false}
"""


class Heard(Teller):
    """Keeps what it is told."""

    def __init__(self):
        self.resumed, self.results, self.dry, self.ended = [], [], [], []

    def on_resumed(self, resumed):
        self.resumed.append(resumed)

    def on_result(self, experiment, result):
        self.results.append(result)

    def on_dry_run(self, experiment, split):
        self.dry.append(split)

    def on_member_end(self, outcome):
        self.ended.append(outcome)


@pytest.fixture(autouse=True)
def failing(project, schema, monkeypatch):
    """Give the project an experiment that fails, and all that it needs."""
    shutil.copy(schema, project / "mlflow.db")
    (project / "failing.py").write_text(FAILING)
    (project / "pyproject.toml").write_text('[tool.runner]\nallow = ["failing"]\n')
    (project / "experiments").mkdir()
    (project / "experiments" / "mine.yaml").write_text(EXPERIMENT)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4))
    np.save(project / "X.npy", X)
    np.save(project / "y.npy", (X[:, 0] > 0).astype(int))
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.delitem(sys.modules, "failing", raising=False)
    yield
    sys.modules.pop("failing", None)


@pytest.fixture
def failed(capsys):
    """Return a run that failed after 200 of its 400 rows."""
    assert main(["run", "mine"]) == WRONG
    capsys.readouterr()
    (run,) = recent_runs()
    assert run.status == "FAILED"
    return run


def gone_on(run, **options):
    job = Job(Heard(), dry_run=options.pop("dry_run", False))
    resume(run.run_id[:12], job, **options)
    return job


def test_a_run_goes_on_from_its_state_in_its_own_run(failed, project):
    assert read(failed.run_id).header["rows"] == 200
    (project / "mended").touch()
    heard = gone_on(failed).teller
    (run,) = recent_runs()
    assert (run.run_id, run.status, run.rows) == (failed.run_id, "FINISHED", 400)
    assert run.tags[RESUMED] == "1"
    assert heard.resumed[0].saved.header["rows"] == 200
    assert heard.results[0].run_id == failed.run_id
    assert not state_file(failed.run_id).exists()
    assert main(["run", "mine"]) == 0
    assert recent_runs()[0].tags[MODEL_HASH] == run.tags[MODEL_HASH]


def test_one_that_left_no_state_begins_anew_in_its_own_run(failed, project, capsys):
    shutil.rmtree(state_file(failed.run_id).parent)
    (project / "mended").touch()
    assert main(["resume", failed.run_id[:8]]) == 0
    assert f"run {failed.run_id[:8]} goes on from its beginning" in capsys.readouterr().err
    (run,) = recent_runs()
    assert (run.run_id, run.status, run.rows) == (failed.run_id, "FINISHED", 400)


def test_it_may_fail_again_and_keeps_what_it_had(failed, capsys):
    assert main(["resume", failed.run_id]) == WRONG
    err = capsys.readouterr().err
    assert f"run {failed.run_id[:8]} goes on from row 200 (epoch 0)" in err
    assert "not mended yet" in err
    assert recent_runs()[0].status == "FAILED"
    assert read(failed.run_id).header["rows"] == 200


def test_a_dry_run_says_what_would_be_done_and_does_nothing(failed):
    heard = gone_on(failed, dry_run=True).teller
    assert heard.resumed[0].saved.header["rows"] == 200
    assert heard.dry[0].train.n_rows == 400
    assert heard.results == []
    assert recent_runs()[0].status == "FAILED"


def test_a_run_that_finished_is_not_resumed(project):
    (project / "mended").touch()
    assert main(["run", "mine"]) == 0
    run = recent_runs()[0]
    with pytest.raises(ConfigError, match=f"did not finish.*runner reproduce {run.run_id[:8]}"):
        gone_on(run)


def test_a_run_that_goes_on_elsewhere_is_not_resumed(failed):
    connect(resolve()).update_run(failed.run_id, status="RUNNING")
    with pytest.raises(TrackingError, match=r"process .* which goes on with it"):
        gone_on(failed)


def test_a_run_that_is_not_there_is_said_so():
    with pytest.raises(TrackingError, match="be the beginning of one run's id"):
        resume("feed", Job(Heard()))


def test_a_member_is_resumed_with_its_sweep(project):
    assert main(["run", "mine", "-m", "estimator.alpha=0.1,0.01"]) == WRONG
    sweep = recent_runs()[0]
    (first, second) = children(sweep)
    with pytest.raises(
        ConfigError, match=f"a member of a sweep.*runner resume {sweep.run_id[:8]}"
    ):
        gone_on(first)
    (project / "mended").touch()
    job = gone_on(sweep)
    assert {outcome.status for outcome in job.teller.ended} == {"FINISHED"}
    assert {run.run_id for run in children(sweep)} == {first.run_id, second.run_id}


def edit(project, old, new):
    file = project / "experiments" / "mine.yaml"
    file.write_text(EXPERIMENT.replace(old, new))


def test_an_edited_file_is_refused_with_what_differs(failed, project):
    edit(project, "random_state: 0", "random_state: 0, alpha: 0.5")
    with pytest.raises(ConfigError, match=r"estimator\.alpha: .* now says 0\.5.*--force") as told:
        gone_on(failed)
    assert "what the file says now is left aside" in str(told.value)
    assert recent_runs()[0].status == "FAILED"


def test_by_force_the_recorded_config_is_gone_on_with(failed, project):
    edit(project, "random_state: 0", "random_state: 0, alpha: 0.5")
    (project / "mended").touch()
    gone_on(failed, is_forced=True)
    edit(project, "", "")
    assert main(["run", "mine"]) == 0
    new, old = recent_runs()
    assert new.tags[MODEL_HASH] == old.tags[MODEL_HASH]


def test_data_that_changed_are_refused_and_nothing_is_touched(failed, project):
    np.save(project / "y.npy", np.ones(500, dtype=int))
    heard = Heard()
    with pytest.raises(CheckpointError, match=r"y\.npy.*--force"):
        resume(failed.run_id, Job(heard))
    assert heard.resumed == [], "it is told once nothing refuses it any more"
    assert recent_runs()[0].status == "FAILED"
    assert read(failed.run_id).header["rows"] == 200


def test_by_force_other_data_are_gone_on_with_and_that_is_said(failed, project):
    np.save(project / "y.npy", np.load(project / "y.npy"))
    (project / "mended").touch()
    with pytest.warns(RunnerWarning, match=r"y\.npy.*not what it would have been"):
        gone_on(failed, is_forced=True)
    assert recent_runs()[0].status == "FINISHED"


def test_other_versions_are_refused(failed, monkeypatch):
    monkeypatch.setattr("runner.saved.version", lambda name: "0.1")
    with pytest.raises(CheckpointError, match=r"numpy was \S+ and is 0\.1"):
        gone_on(failed)


def test_a_damaged_state_is_not_believed_and_the_one_before_it_is_gone_on_from(failed, project):
    file = state_file(failed.run_id)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    (project / "mended").touch()
    with pytest.warns(RunnerWarning, match="damaged"):
        heard = gone_on(failed).teller
    assert heard.resumed[0].saved.header["rows"] == 150
    assert main(["run", "mine"]) == 0
    new, old = recent_runs()
    assert new.tags[MODEL_HASH] == old.tags[MODEL_HASH]


def test_a_file_that_is_gone_needs_no_force(failed, project):
    (project / "experiments" / "mine.yaml").rename(project / "experiments" / "moved.yaml")
    (project / "mended").touch()
    with pytest.warns(RunnerWarning, match="mine is missing: the run goes on with the config"):
        gone_on(failed)
    assert recent_runs()[0].status == "FINISHED"


def test_a_file_that_is_gone_leaves_every_other_check_on(failed, project):
    (project / "experiments" / "mine.yaml").unlink()
    np.save(project / "y.npy", np.ones(500, dtype=int))
    with (
        pytest.warns(RunnerWarning, match="is missing"),
        pytest.raises(CheckpointError, match=r"y\.npy"),
    ):
        gone_on(failed)


def test_a_run_of_its_own_has_no_members_that_failed(failed):
    with pytest.raises(ConfigError, match=rf"--failed must .*runner resume {failed.run_id[:8]}"):
        gone_on(failed, only_failed=True)
    assert recent_runs()[0].status == "FAILED"


@pytest.fixture
def with_secret(capsys):
    """Return a run that failed, of whose config the record hides a key."""
    asked = ["callbacks.mine._target_=failing.Told", "callbacks.mine.api_key=canary-41"]
    assert main(["run", "mine", *asked]) == WRONG
    capsys.readouterr()
    (run,) = recent_runs()
    return run


def test_a_secret_that_the_record_hides_is_given_again(with_secret, project, capsys):
    (project / "mended").touch()
    assert main(["resume", with_secret.run_id]) == WRONG
    assert "Write callbacks.mine.api_key=... here" in capsys.readouterr().err
    given = "callbacks.mine.api_key=canary-42"
    assert main(["resume", given, with_secret.run_id, "--dry-run"]) == 0
    assert recent_runs()[0].status == "FAILED"
    assert main(["resume", with_secret.run_id, given]) == 0
    (run,) = recent_runs()
    assert (run.run_id, run.status, run.rows) == (with_secret.run_id, "FINISHED", 400)
    assert (project / "told").read_text() == "canary-42"
    files = [path for path in project.rglob("*") if path.is_file() and path.name != "told"]
    assert [path for path in files if b"canary-4" in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("seed=3", "seed"),
        ("estimator.alpha=0.5", r"estimator\.alpha"),
        ("~callbacks.mine.api_key", r"callbacks\.mine\.api_key"),
        ("estimator=perceptron", "estimator"),
    ],
)
def test_nothing_else_of_a_run_is_changed(with_secret, override, key):
    told = rf"{key} must stay as it is in a run that goes on.*callbacks\.mine\.api_key"
    with pytest.raises(ConfigError, match=told):
        gone_on(with_secret, overrides=["callbacks.mine.api_key=canary-42", override])
    assert recent_runs()[0].status == "FAILED"


def test_of_a_run_that_hides_nothing_nothing_is_given_again(failed):
    with pytest.raises(ConfigError, match=r"what the record hides: nothing\."):
        gone_on(failed, overrides=["seed=3"])


def test_a_sweep_takes_no_overrides(project):
    assert main(["run", "mine", "-m", "estimator.alpha=0.1,0.01"]) == WRONG
    with pytest.raises(ConfigError, match="those of the cluster; got seed"):
        gone_on(recent_runs()[0], overrides=["seed=3"])


@pytest.fixture(scope="module")
def scheduler():
    """Return the address of a scheduler with a worker process, which end with the module."""
    with LocalCluster(n_workers=1, memory_limit=None, tls=False).open() as workers:
        yield workers._client.scheduler.address


def test_what_began_on_a_cluster_goes_on_here_in_the_same_record(project, scheduler):
    with pytest.warns(RunnerWarning, match=r"able to import .* held-out rows come here"):
        assert main(["run", "mine", "cluster=address", f"cluster.address={scheduler}"]) == WRONG
    (failed,) = recent_runs()
    assert failed.params["cluster.address"] == scheduler
    assert read(failed.run_id).header["rows"] == 200
    (project / "mended").touch()
    assert main(["resume", failed.run_id, "cluster=none"]) == 0
    (run,) = recent_runs()
    assert (run.run_id, run.status, run.rows) == (failed.run_id, "FINISHED", 400)
    assert run.params == failed.params
    assert kept_bytes(run.run_id, "config/resumed-1/config.yaml") is None
    again = reproduce(run.run_id)
    assert again.is_identical
    assert "cluster" not in {cause.kind for cause in again.causes}
    assert not any(key.startswith("cluster") for key in again.again.params)


def test_what_began_here_goes_on_on_a_cluster_with_an_estimator_of_the_project(failed, project):
    (project / "mended").touch()
    gone_on(failed, overrides=["cluster=local", "cluster.n_workers=1", "cluster.tls=false"])
    (run,) = recent_runs()
    assert (run.run_id, run.status, run.rows) == (failed.run_id, "FINISHED", 400)
    assert run.params == failed.params
    assert main(["run", "mine"]) == 0
    alone = recent_runs()[0]
    assert (alone.tags[MODEL_HASH], alone.scores) == (run.tags[MODEL_HASH], run.scores)
