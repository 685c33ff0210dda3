"""Runs, sweeps, and what goes on with them, from the command line."""

import pytest

from runner.cli import WRONG, main
from runner.tracking.client import connect
from runner.tracking.record import children, recent_runs
from runner.tracking.store import resolve

pytestmark = pytest.mark.usefixtures("store")


def told(capsys, *arguments):
    """Run a command that must fail as a mistake; return what it says."""
    assert main(arguments) == WRONG
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return err.strip()


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
        "sweep: {grid: {evaluation.scoring: [[r2], [accuracy]], seed: [1, 2]}}\n"
    )
    return str(file)


def test_a_file_with_a_sweep_is_run_as_one_without_a_flag(capsys, swept):
    assert main(["run", swept, "evaluation.scoring=[accuracy]"]) == 0
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
    assert err.count("must name scorers that suit a classifier") == 2
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
    assert err.count("must name scorers that suit a classifier") == 2
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
        (["run", "quickstart", "seed=1,2"], "seed: must have one value where there is no -m; got"),
        (["run", "quickstart", "sweep.grid={seed:1}"], "sweep.grid.seed: must be a list with"),
        (["run", "quickstart", "-m", "seed=range(0,1000000000)"], "have at most 100,000 members"),
        (["run", "digits_sweep", "-m", "seed=1,2", "hydra/sweeper=basic"], "with another sweeper"),
        (["run", "digits_sweep", "hydra.launcher.threads=0"], "hydra.launcher.threads must be"),
        (["run", "quickstart", "sweep.grid.seed=[1,2]", "sweep.halving={}"], "first_rows: must"),
    ],
)
def test_a_mistake_in_a_sweep_is_told(capsys, asked, said):
    assert said in told(capsys, *asked)


def test_a_finished_run_is_not_resumed(capsys):
    assert main(["run", "quickstart"]) == 0
    (run,) = recent_runs()
    line = told(capsys, "resume", run.run_id)
    assert "must be one that did not finish; got one that has" in line


def test_a_finished_sweep_has_nothing_to_resume(capsys, swept):
    assert main(["run", swept, "evaluation.scoring=[accuracy]"]) == 0
    line = told(capsys, "resume", recent_runs()[0].run_id)
    assert "must have members that did not finish; got 2 finished of 2" in line
