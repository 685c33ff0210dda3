"""What a person types, and what comes back."""

import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runner.cli import BROKEN, VERBS, WRONG, main
from runner.errors import ConfigError, RunnerWarning, Terminated
from runner.tracking.client import connect
from runner.tracking.record import children, recent_runs
from runner.tracking.store import resolve

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("numpy", "dask", "sklearn", "mlflow", "hydra", "omegaconf", "yaml", "rich", "pyarrow")


def told(capsys, *arguments):
    """Run a command that must fail as a mistake; return the one line it says."""
    assert main(arguments) == WRONG
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert "must" in err
    return err.strip().splitlines()[-1]


def run_process(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "runner", *arguments],
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(autouse=True)
def store(project, schema):
    """Give the project an empty store, which is quicker than to make one."""
    shutil.copy(schema, project / "mlflow.db")


@pytest.fixture
def rows(tmp_path):
    """Write a small Parquet file."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    path = tmp_path / "rows.parquet"
    columns = {f"x{i}": X[:, i] for i in range(3)} | {"label": (X[:, 0] > 0).astype(int)}
    pq.write_table(pa.table(columns), path)
    return path


def test_list_shows_experiments_and_options_with_their_first_comment(capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    by_name = {line.split()[0]: line for line in lines if line.startswith("  ")}
    assert lines[0] == "experiments"
    assert by_name["quickstart"].endswith("in four blocks of 25 rows")
    assert {"sgd_classifier", "parquet", "progress_bar", "hashing"} <= set(by_name)
    assert not [name for name, line in by_name.items() if len(line.split()) < 2], "no comment"


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


def test_show_prints_the_composed_config(capsys):
    assert main(["show", "quickstart", "estimator.alpha=0.5"]) == 0
    out = capsys.readouterr().out
    assert "alpha: 0.5" in out
    assert "n_samples: 100" in out


def test_show_prints_the_sweep_of_a_file_and_none_where_there_is_none(capsys):
    assert main(["show", "digits_sweep"]) == 0
    assert "\nsweep:\n  grid:\n    estimator.loss:\n    - log_loss" in capsys.readouterr().out
    assert main(["show", "quickstart"]) == 0
    assert "sweep" not in capsys.readouterr().out


def test_run_prints_scores_the_run_and_how_to_look_at_it(capsys, project):
    assert main(["run", "quickstart"]) == 0
    out = capsys.readouterr().out
    (run,) = recent_runs()
    assert "accuracy" in out
    assert run.run_id in out
    assert f"runner ui {run.run_id[:8]}" in out
    assert (project / "mlflow.db").is_file()
    assert run.status == "FINISHED"


def test_a_dry_run_says_what_would_be_done_and_leaves_nothing(capsys, project):
    assert main(["run", "quickstart", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "75 rows in 3 blocks of 25" in out
    assert "25 rows in 1 block of 25" in out
    assert "accuracy, roc_auc" in out
    assert recent_runs() == []


def test_a_file_anywhere_is_run_by_its_path(capsys, tmp_path, rows):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "# mine\ndefaults: [{override /dataset: parquet}, {override /estimator: sgd_classifier}]\n"
        f"dataset: {{path: {rows}, target: label, chunks: 50}}\npartial_fit: {{classes: [0, 1]}}\n"
    )
    assert main(["run", str(file)]) == 0
    assert recent_runs()[0].name == "mine"


def test_plain_hydra_runs_each_member_as_a_run_of_its_own(capsys):
    assert main(["experiment=quickstart", "estimator.alpha=1e-3,1e-4", "-m"]) == 0
    (sweep,) = recent_runs()
    params = {run.params["estimator.alpha"] for run in children(sweep)}
    assert params == {"0.001", "0.0001"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "quickstart", "--cfg", "job"], "n_samples: 100"),
        (["--cfg", "job", "seed=4"], "seed: 4"),
        (["seed=4", "--cfg", "job"], "seed: 4"),
    ],
)
def test_hydras_flags_work_behind_a_verb_and_alone(capsys, arguments, line):
    assert main(arguments) == 0
    assert line in capsys.readouterr().out


def test_a_failing_member_is_told_and_the_others_run(capsys):
    assert main(["experiment=quickstart", "partial_fit.classes=[0,1],[5,6]", "-m"]) == WRONG
    assert "hold only the labels of partial_fit.classes, [5, 6]" in capsys.readouterr().err
    (sweep,) = recent_runs()
    assert sweep.status == "FAILED"
    assert sorted(run.status for run in children(sweep)) == ["FAILED", "FINISHED"]


@pytest.fixture
def swept(tmp_path):
    """Write an experiment with a sweep of four members, one of which is refused."""
    file = tmp_path / "swept.yaml"
    file.write_text(
        "defaults: [{override /dataset: iris}, {override /estimator: sgd_classifier}]\n"
        "partial_fit: {classes: [0, 1, 2]}\n"
        "sweep: {grid: {estimator.alpha: [-1, 1e-2], seed: [1, 2]}}\n"
    )
    return str(file)


def test_a_file_with_a_sweep_is_run_as_one_without_a_flag(capsys, swept):
    assert main(["run", swept, "estimator.alpha=1e-3"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("sweep of 2 members in 2 groups\n"), "what is set is swept no more"
    (sweep,) = recent_runs()
    assert [run.name for run in children(sweep)] == ["0: seed=1", "1: seed=2"]
    assert f"look    runner ui {sweep.run_id[:8]}" in out
    assert "0: seed=1  finished  accuracy" in err


def test_a_sweep_is_left_out_or_replaced_on_the_command_line(capsys, swept):
    assert main(["run", swept, "sweep=null"]) == 0
    assert main(["run", swept, "sweep.grid={seed:[1,2,3]}"]) == 0
    sweep, single = recent_runs()
    assert len(children(sweep)) == 3
    assert children(single) == []


def test_what_repeats_a_sweep_is_kept(capsys):
    quiet = ["callbacks=[]", "estimator.alpha=1e-3,1e-4"]
    assert main(["run", "quickstart", "-m", *quiet]) == 0
    assert main(["experiment=quickstart,diabetes_sgd", "-m", "callbacks=[]"]) == 0
    both, one = recent_runs()
    assert one.name == "quickstart"
    assert both.name == "quickstart, diabetes_sgd"
    for run, command in (
        (one, "runner run quickstart 'callbacks=[]' estimator.alpha=1e-3,1e-4 -m"),
        (both, "runner experiment=quickstart,diabetes_sgd 'callbacks=[]' -m"),
    ):
        client = connect(resolve())
        assert client.get_run(run.run_id).data.tags["mlflow.source.name"] == command


def test_a_sweep_in_hydras_words_is_left_out_too(capsys, tmp_path):
    file = tmp_path / "swept.yaml"
    file.write_text(
        "defaults: [{override /dataset: iris}, {override /estimator: gaussian_nb}]\n"
        "hydra: {sweeper: {params: {seed: '1,2'}}}\npartial_fit: {classes: [0, 1, 2]}\n"
    )
    assert main(["run", str(file)]) == 0
    assert main(["run", str(file), "sweep=null"]) == 0
    single, sweep = recent_runs()
    assert len(children(sweep)) == 2
    assert children(single) == []


def test_members_that_fail_are_told_and_the_code_says_so(capsys, swept):
    assert main(["run", swept]) == WRONG
    out, err = capsys.readouterr()
    assert err.count("Got -1 instead") == 2
    (sweep,) = recent_runs()
    assert sweep.status == "FAILED"
    assert f"go on   runner resume {sweep.run_id[:8]}" in out
    assert main(["resume", sweep.run_id[:8], "--failed"]) == WRONG
    assert len(children(sweep)) == 4, "each member once"


def test_a_dry_run_of_a_sweep_checks_every_member_and_leaves_nothing(capsys, swept):
    assert main(["run", swept, "--dry-run"]) == WRONG
    out, err = capsys.readouterr()
    assert out.startswith("sweep of 4 members in 2 groups\n")
    assert out.endswith("dry run: nothing was learned or logged\n")
    assert err.count("Got -1 instead") == 2
    assert recent_runs() == []


def test_the_first_failure_ends_a_sweep_if_that_is_asked_for(capsys, swept):
    assert main(["run", swept, "--fail-fast"]) == WRONG
    (sweep,) = recent_runs()
    assert sweep.status == "FAILED"
    assert [run.status for run in children(sweep)].count("FINISHED") == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["resume", "feedfeed"], "be the beginning of one run's id"),
        (["run", "quickstart", "seed=1,2"], "seed must have one value where there is no -m; got"),
        (["run", "quickstart", "sweep.grid={seed:1}"], "sweep.grid.seed must be a list with"),
        (["run", "quickstart", "-m", "seed=range(0,1000000000)"], "have at most 100,000 members"),
        (["run", "digits_sweep", "-m", "seed=1,2", "hydra/sweeper=basic"], "with another sweeper"),
        (["run", "digits_sweep", "hydra.launcher.threads=0"], "hydra.launcher.threads must be"),
        (["run", "quickstart", "sweep.grid.seed=[1,2]", "sweep.halving={}"], "first_rows must"),
    ],
)
def test_a_mistake_in_a_sweep_is_told_in_one_line(capsys, asked, said):
    assert said in told(capsys, *asked)


def test_a_finished_run_is_not_resumed(capsys):
    assert main(["run", "quickstart"]) == 0
    (run,) = recent_runs()
    line = told(capsys, "resume", run.run_id)
    assert "must be one that did not finish; got one that has" in line


def test_a_finished_sweep_has_nothing_to_resume(capsys, swept):
    assert main(["run", swept, "estimator.alpha=1"]) == 0
    line = told(capsys, "resume", recent_runs()[0].run_id)
    assert "must have members that did not finish; got 2 finished of 2" in line


def test_the_doctor_finds_a_fresh_project_well(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "ok   python: 3." in out
    assert "BAD" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rum"], "The verb must be one of those there are; got 'rum'. Did you mean 'run'"),
        (["run"], "The experiment must be named; got nothing. Write `runner run NAME`"),
        (["run", "quikstart"], "got quikstart. Did you mean 'quickstart'?"),
        (["show", "quikstart"], "got quikstart. Did you mean 'quickstart'?"),
        (["run", "nowhere/x.yaml"], "The experiment's file must exist; got nowhere/x.yaml."),
        (["run", "quickstart", "estimator.alhpa=1"], "Did you mean 'alpha'?"),
        (["run", "quickstart", "estimator=sgd"], "estimator must be one of those there are"),
        (["run", "quickstart", "estimator.alpha=-1"], "Got -1 instead. Mend it under estimator."),
        (["run", "quickstart", "dataset.chunks=0"], "dataset.chunks must be a number of rows"),
        (["run", "quickstart", "dataset.chunks=100"], "leave at least one block to train on"),
        (["run", "quickstart", "dataset.holdout=2"], "dataset.holdout must be a share"),
        (["run", "quickstart", "dataset.n_samples=0"], "must"),
        (["run", "quickstart", "evaluation.scoring=[acuracy]"], "acuracy"),
        (["run", "quickstart", "partial_fit.classes=[0,7]"], "Block "),
        (["run", "quickstart", "~partial_fit.classes"], "partial_fit.classes must list every"),
        (["run", "quickstart", "seed=[1"], "The command line must be"),
        (["run", "parquet_sgd"], "dataset.path must be set; got nothing."),
        (["run", "parquet_sgd", "dataset.path=gone.parquet", "dataset.target=y"], "gone.parquet"),
        (["run", "quickstart", "experiment=digits_sgd"], "The experiment must be named once; got"),
        (
            ["show", "quickstart", "fit=null"],
            "A group under defaults must name one of its options",
        ),
        (["run", "quickstart", "name=${nowhere}"], "Interpolation key 'nowhere' not found"),
        (["run", "quickstart", "fit=null"], "A group under defaults must name one of its options"),
        (["run", "quickstart", "name=''"], "name must be text of 1 to 120 characters; got ''"),
        (["run", "quickstart", "seed=-1"], "seed must be an integer of at least 0; got -1"),
        (["seed=1"], "dataset must be chosen; got nothing. Write dataset=make_classification"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_a_remedy(capsys, arguments, said):
    assert said in told(capsys, *arguments)


def test_an_estimator_without_partial_fit_is_refused(capsys, tmp_path):
    file = tmp_path / "svc.yaml"
    file.write_text(
        "defaults: [{override /dataset: iris}]\nestimator: {_target_: sklearn.svm.SVC}\n"
    )
    line = told(capsys, "run", str(file))
    assert "learn block by block, with a partial_fit method; got SVC, which has none" in line


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
    assert "dataset.chunks must be" in done.stderr


def test_a_fault_of_ours_is_told_as_such(capsys, monkeypatch):
    monkeypatch.setattr("runner.cli.experiment_files", lambda: 1 / 0)
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
    [(signal.SIGINT, 130, "KILLED"), (signal.SIGTERM, 143, "KILLED")],
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


def test_runs_is_a_table_of_the_record(capsys):
    main(["run", "quickstart"])
    capsys.readouterr()
    assert main(["runs"]) == 0
    out = capsys.readouterr().out
    assert "quickstart" in out
    assert "FINISHED" in out
    assert "accuracy" in out


def test_an_empty_record_says_how_to_fill_it(capsys):
    assert main(["runs"]) == 0
    assert "runner run quickstart" in capsys.readouterr().out


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
