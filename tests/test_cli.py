"""What a person types, and what comes back."""

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from runner.cli import BROKEN, INTERRUPTED, TERMINATED, VERBS, WRONG, main
from runner.errors import ConfigError, InvalidConfigError, Problem, RunnerWarning, Terminated
from runner.tracking.record import recent_runs
from runner.usage import USAGE

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("numpy", "dask", "sklearn", "mlflow", "hydra", "omegaconf", "yaml", "rich", "pyarrow")


def told(capsys, *arguments):
    """Run a command that must fail as a mistake; return what it says."""
    assert main(arguments) == WRONG
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return err.strip()


def run_process(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "runner", *arguments],
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


pytestmark = pytest.mark.usefixtures("store")


@pytest.mark.parametrize("arguments", [["list"], ["--help"], []])
def test_list_and_help_import_nothing_heavy(arguments):
    code = (
        "import sys; from runner.cli import main; main(sys.argv[1:]);"
        f"heavy = set({HEAVY!r}) & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_help_names_every_verb(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(
        f"runner {verb}" in out for verb in ("list", "show", "run", "predict", "runs", "ui")
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rum"], "The verb must be one of those there are; got 'rum'. Did you mean 'run'"),
        (["run"], "The experiment must be named; got nothing. Write `runner run NAME`"),
        (["run", "quikstart"], "got quikstart\n    Did you mean 'quickstart'?"),
        (["show", "quikstart"], "got quikstart\n    Did you mean 'quickstart'?"),
        (["run", "nowhere/x.yaml"], "must exist; got nowhere/x.yaml"),
        (
            ["run", "quickstart", "estimator.alhpa=1"],
            "no parameter 'alhpa'\n    did you mean 'alpha'?",
        ),
        (["run", "quickstart", "estimator=sgd"], "estimator: there is no 'sgd' in estimator/"),
        (
            ["run", "quickstart", "estimator.alpha=-1"],
            "estimator.alpha: must be a number of at least 0; got -1",
        ),
        (
            ["run", "quickstart", "dataset.chunks=0"],
            "dataset.chunks: must be an integer of at least 1, or auto, or",
        ),
        (["run", "quickstart", "dataset.chunks=100"], "leave at least one block to train on"),
        (
            ["run", "quickstart", "dataset.holdout=2"],
            "dataset.holdout: must be a number of at least 0 and below 1; got 2",
        ),
        (["run", "quickstart", "dataset.n_samples=0"], "must be an integer of at least 1; got 0"),
        (["run", "quickstart", "evaluation.scoring=[acuracy]"], "did you mean 'accuracy'"),
        (["run", "quickstart", "partial_fit.classes=[0,7]"], "Block "),
        (
            ["run", "quickstart", "~partial_fit.classes"],
            "partial_fit.classes: must be set",
        ),
        (["run", "quickstart", "seed=[1"], "cannot be read: its value has a [ without its end"),
        (["run", "parquet_sgd"], "dataset.path: must be set; got nothing"),
        (["run", "parquet_sgd", "dataset.path=gone.parquet", "dataset.target=y"], "gone.parquet"),
        (["run", "quickstart", "experiment=digits_sgd"], "The experiment must be named once; got"),
        (
            ["show", "quickstart", "fit=null"],
            "fit: must name one of its options; got null",
        ),
        (["run", "quickstart", "name=${nowhere}"], "name: ${nowhere} refers to nothing"),
        (["run", "quickstart", "fit=null"], "fit: must name one of its options; got null"),
        (["run", "quickstart", "name=''"], "name: must be text of 1 to 120 characters; got ''"),
        (["run", "quickstart", "seed=-1"], "seed: must be an integer of at least 0; got -1"),
        (
            ["seed=1"],
            "dataset: must be chosen; got nothing\n    write dataset=make_classification",
        ),
    ],
)
def test_a_mistake_is_told_with_a_remedy(capsys, arguments, said):
    assert said in told(capsys, *arguments)


def test_an_estimator_without_partial_fit_is_refused(capsys, tmp_path):
    file = tmp_path / "svc.yaml"
    file.write_text(
        "defaults: [{override /dataset: iris}]\nestimator: {_target_: sklearn.svm.SVC}\n"
    )
    line = told(capsys, "run", str(file))
    assert "must be a class with partial_fit, which learns block by block; got SVC" in line


def test_missing_columns_are_told_with_the_nearest_names(capsys, rows):
    line = told(capsys, "run", "parquet_sgd", f"dataset.path={rows}", "dataset.target=lable")
    assert "'label'" in line


def test_a_file_that_is_no_parquet_is_named(capsys, tmp_path):
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"no parquet")
    line = told(capsys, "run", "parquet_sgd", f"dataset.path={path}", "dataset.target=label")
    assert "broken.parquet" in line


def test_a_store_that_cannot_be_written_is_told_before_the_fit_within_seconds(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    started = time.monotonic()
    line = told(capsys, "run", "quickstart", f"tracking.uri=sqlite:///{tmp_path}/file/mlflow.db")
    assert time.monotonic() - started < 30  # MLflow's import on a busy machine included
    assert "mlflow.db" in line


def test_a_dry_run_tells_a_store_that_cannot_be_written(capsys, tmp_path):
    uri = f"tracking.uri=sqlite:///{tmp_path}/nowhere/mlflow.db"
    line = told(capsys, "run", "quickstart", "--dry-run", uri)
    assert "must lie in an existing folder" in line


def test_the_run_of_a_failed_fit_says_failed_and_why(capsys):
    line = told(capsys, "run", "quickstart", "partial_fit.classes=[0,7]")
    (run,) = recent_runs()
    assert run.status == "FAILED"
    assert "hold only the labels" in line


def test_traceback_shows_where_an_error_comes_from():
    done = run_process("run", "quickstart", "dataset.chunks=0", "--traceback")
    assert "Traceback" in done.stderr
    assert "dataset.chunks: must be" in done.stderr
    assert done.returncode == WRONG


def test_a_fault_of_ours_is_told_as_such(capsys, monkeypatch):
    monkeypatch.setattr("runner.verbs.listing.experiment_files", lambda: 1 / 0)
    assert main(["list"]) == BROKEN
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal():
    done = run_process("run", "quickstart", "tracking=none")
    assert done.returncode == 0, done.stderr
    assert "75 rows in 3 blocks" in done.stderr
    assert "\x1b[" not in done.stderr + done.stdout
    assert "accuracy" in done.stdout


@pytest.mark.parametrize(
    ("sent", "code", "status"),
    [
        (signal.SIGINT, 130, "KILLED"),
        pytest.param(signal.SIGTERM, 143, "KILLED", marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_a_run_with_a_true_status(project, sent, code, status):
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "runner", "run", "quickstart", "fit.epochs=1000000"),
            "callbacks.progress_bar.every_s=0.1",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert any("rows/s" in line for line in process.stderr)
        process.send_signal(sent)
        rest = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert process.returncode == code, rest
    assert "Traceback" not in rest
    assert [run.status for run in recent_runs()] == [status]


WITH_USER = "http://ann:canary-317@127.0.0.1:9"


@pytest.fixture
def broken(monkeypatch):
    """Return what lets a verb end as it is told to."""

    def broken(act):
        monkeypatch.setitem(VERBS, "runs", act)
        return main(["runs"])

    return broken


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, Terminated])
def test_no_secret_of_an_error_or_its_notes_reaches_the_terminal(broken, capsys, kind):
    def act(rest):
        error = kind(f"no way to {WITH_USER}")
        error.add_note(f"look at {WITH_USER}")
        raise error

    broken(act)
    err = capsys.readouterr().err
    assert "<redacted>@127" in err
    assert "canary" not in err


def test_no_secret_of_a_mistake_reaches_the_terminal(broken, capsys):
    def act(rest):
        error = ConfigError("tracking.uri", "be reached", got=WITH_USER, remedy="Start it.")
        error.add_note(f"look at {WITH_USER}")
        raise error

    assert broken(act) == WRONG
    err = capsys.readouterr().err
    assert err.count("<redacted>@127") == 2
    assert "canary" not in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError(f"no way to {WITH_USER}"), BROKEN),
        (ConfigError("tracking.uri", "be reached", got=WITH_USER, remedy="Start it."), WRONG),
        (KeyboardInterrupt(WITH_USER), 130),
        (Terminated(WITH_USER), 143),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_traceback_tells_no_secret_and_changes_no_code(monkeypatch, capsys, error, code):
    def act(rest):
        raise error

    monkeypatch.setitem(VERBS, "runs", act)
    assert main(["runs", "--traceback"]) == code
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last):\n")
    assert "in act\n" in err
    assert "<redacted>@127" in err
    assert "canary" not in err


def test_all_problems_of_a_config_are_told_each_on_its_lines(broken, capsys):
    def act(rest):
        error = InvalidConfigError(
            [
                Problem("a", "is wrong", place="x.yaml:1:2"),
                Problem("b", f"at {WITH_USER}", "mend it"),
            ]
        )
        error.add_note("look there")
        raise error

    assert broken(act) == WRONG
    assert capsys.readouterr().err == (
        "x.yaml:1:2: a: is wrong\nb: at http://<redacted>@127.0.0.1:9\n    mend it\nlook there.\n"
    )


def test_no_secret_of_a_warning_reaches_the_terminal(broken, capsys, monkeypatch):
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)

    def act(rest):
        said = warnings.WarningMessage(RunnerWarning(f"at {WITH_USER}"), RunnerWarning, "x", 1)
        sys.stderr.write(warnings.formatwarning(said.message, said.category, "x", 1))
        return 0

    assert broken(act) == 0
    assert capsys.readouterr().err == "warning: at http://<redacted>@127.0.0.1:9\n"


def test_a_sweep_that_is_interrupted_says_how_to_go_on_with_it(project):
    code = (
        "import os, signal, sys\nfrom runner.cli import main\n"
        "from sklearn.linear_model import SGDClassifier as kind\n"
        "learn = kind.partial_fit\n"
        "def partial_fit(self, *given, **named):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return learn(self, *given, **named)\n"
        "kind.partial_fit = partial_fit\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    asked = ["run", "quickstart", "-m", "estimator.alpha=0.1,0.2", "callbacks=[]"]
    asked.append("hydra.launcher.threads=1")
    done = subprocess.run(
        [sys.executable, "-c", code, *asked],
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    (sweep,) = recent_runs()
    assert done.returncode == 130
    assert sweep.status == "KILLED"
    told = f"interrupted; `runner resume {sweep.run_id[:8]}` goes on with it"
    assert done.stderr.strip().splitlines()[-1] == told


def test_the_exit_codes_that_are_told_are_those_that_are_met():
    """Each is met: 1 above by a fault of ours, 130 and 143 by signals, 0 and 2 by most tests."""
    told = USAGE.split("Exit codes:\n")[1]
    codes = [int(line.split()[0]) for line in told.splitlines() if line.startswith("  ")]
    assert codes == [0, BROKEN, WRONG, INTERRUPTED, TERMINATED] == [0, 1, 2, 130, 143]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resume", "8f6a1f0c", "--frce"], "got --frce. Did you mean '--force'?"),
        (["resume"], "`runner resume` must be followed by RUN; got nothing"),
        (["doctor", "--snyc"], "got --snyc. Did you mean '--sync'?"),
        (["doctor", "now"], "`runner doctor` must be followed by no more words; got now"),
        (["ui", "--port", "many"], "--port must be followed by a whole number; got 'many'"),
        (["reproduce", "8f6a1f0c", "--jsno"], "got --jsno. Did you mean '--json'?"),
        (["predict", "8f6a1f0c", "output=o", "--quite"], "got --quite. Did you mean '--quiet'?"),
        (["validate", "--jsn"], "got --jsn. Did you mean '--json'?"),
        (["show", "quickstart", "--jsn"], "got --jsn. Did you mean '--json'?"),
    ],
)
def test_a_wrong_flag_is_told_in_one_line_with_the_nearest(capsys, arguments, said):
    line = told(capsys, *arguments)
    assert said in line
    assert len(line.splitlines()) == 1
