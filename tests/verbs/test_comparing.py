"""The record as a table and runs side by side, from the command line."""

import json

import pytest

from runner.cli import WRONG, main
from runner.tracking.client import connect
from runner.tracking.store import resolve

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def recorded():
    """Return what records a run that has a curve, and returns its id."""
    client = connect(resolve())
    experiment = client.create_experiment("clicks")

    def recorded(name, status="FINISHED", score=0.5):
        run_id = client.create_run(experiment, run_name=name).info.run_id
        client.log_param(run_id, "estimator.alpha", score)
        client.log_metric(run_id, "holdout/r2", score)
        client.log_metric(run_id, "validation/r2", score, step=25)
        client.set_terminated(run_id, status)
        return run_id

    return recorded


def told(capsys, *arguments):
    """Run a command that must fail as a mistake; return what it says."""
    assert main(arguments) == WRONG
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return err.strip()


def document(capsys, *arguments):
    """Run a command, and read the one document that it writes."""
    assert main(arguments) == 0
    return json.loads(capsys.readouterr().out)


def test_runs_of_a_status_an_experiment_or_a_filter_are_found(recorded, capsys):
    recorded("good")
    recorded("bad", "FAILED", score=0.25)
    assert [run["name"] for run in document(capsys, "runs", "--json")] == ["bad", "good"]
    assert [run["name"] for run in document(capsys, "runs", "--json", "--limit", "1")] == ["bad"]
    found = document(capsys, "runs", "--json", "--status", "failed", "--experiment", "clicks")
    assert [run["name"] for run in found] == ["bad"]
    asked = "metrics.`holdout/r2` > 0.1"
    assert len(document(capsys, "runs", "--json", "--filter", asked)) == 2
    found = document(capsys, "runs", "--json", "--filter", asked, "--status", "FINISHED")
    assert [run["name"] for run in found] == ["good"]
    assert main(["runs", "--status", "KILLED"]) == 0
    assert capsys.readouterr().out == "no such runs\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--limit", "0"], "--limit must be at least 1; got 0. Leave it out for 20."),
        (["--status", "fialed"], "--status must be one that runs have; got fialed. Did you mean"),
        (["--experiment", "click"], "got 'click'. Did you mean 'clicks'?"),
        (["--filter", "r2 >"], "The filter must be one that MLflow reads; got 'r2 >', of which"),
        (["--membres"], "Did you mean '--members'?"),
    ],
)
def test_what_is_wrongly_asked_of_runs_is_told(recorded, capsys, arguments, said):
    assert said in told(capsys, "runs", *arguments)


def test_the_picture_is_kept_in_the_projects_own_folder(recorded, capsys, project):
    ids = [recorded("one"), recorded("other", score=0.75)]
    assert main(["compare", *(run_id[:12] for run_id in ids)]) == 0
    out = capsys.readouterr().out
    file = project / ".runner" / f"compare-{ids[0][:8]}-{ids[1][:8]}.png"
    assert f"  picture  {file}\n" in out
    assert "0.7500  +0.2500" in out
    assert file.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("given", [["--output", "a.png"], ["--output=a.png"], ["output=a.png"]])
def test_the_picture_is_kept_where_it_is_asked_for(recorded, capsys, project, given):
    found = document(capsys, "compare", recorded("one"), *given, recorded("other"), "--json")
    assert found["picture"] == str(project / "a.png")
    assert (project / "a.png").exists()
    assert not (project / ".runner").exists()


def test_without_curves_there_is_no_picture(capsys, project):
    client = connect(resolve())
    ids = [client.create_run("0").info.run_id for _ in range(3)]
    found = document(capsys, "compare", *ids, "--json", "--output", "a.png")
    assert found["picture"] is None
    assert not (project / "a.png").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "The runs to compare must be two or more; got none. Write `runner compare A B`"),
        (["nosuch", "other"], "The run 'nosuch' must be the beginning of one run's id"),
        (["a", "b", "seed=1"], "must be given runs, and output=FILE.png; got seed=1."),
        (["a", "b", "--ouput", "x"], "got --ouput. Did you mean '--output'?"),
        (["a", "b", "--output"], "--output must be followed by FILE.png; got nothing."),
        (["a", "b", "output=a.svg"], "--output must be a .png file; got a.svg. Write a.png."),
        (
            ["a", "b", "output=gone/a.png"],
            "must lie in an existing folder; got gone, which is not",
        ),
        (["a", "b", "--output=x.png", "output=y.png"], "--output must be given once; got two"),
    ],
)
def test_what_is_wrongly_asked_of_a_comparison_is_told(capsys, arguments, said):
    assert said in told(capsys, "compare", *arguments)


@pytest.mark.parametrize("is_usual", [True, False])
def test_a_picture_that_cannot_be_written_is_told(recorded, capsys, project, is_usual):
    if is_usual:
        (project / ".runner").write_text("")
    else:
        (project / "a.png").mkdir()
    asked = [] if is_usual else ["output=a.png"]
    said = told(capsys, "compare", recorded("a"), recorded("b"), *asked)
    assert "--output must be a file that can be written; got " in said


def test_two_real_runs_are_compared(capsys):
    import runner

    ids = [
        runner.run("quickstart", ["callbacks=[]", f"estimator.alpha={alpha}"]).run_id
        for alpha in (0.001, 0.01)
    ]
    capsys.readouterr()
    found = document(capsys, "compare", *ids, "--json")
    assert found["params"] == {"estimator.alpha": ["0.001", "0.01"]}
    assert found["verdicts"]["data"] == found["verdicts"]["order"] == ["same", "same"]
    assert found["verdicts"]["model"] == ["same", "different"]
    assert set(found["scores"]) == {"accuracy", "roc_auc"}
    assert found["picture"].endswith(".png")
