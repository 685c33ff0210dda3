"""Every mistake is told, of every experiment."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli import WRONG, main
from runner.project import experiment_files

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numpy", "dask", "sklearn", "mlflow", "pandas", "rich")
WRONG_FILE = """\
# wrong twice
defaults: [{override /dataset: iris}, {override /estimator: sgd_classifier}]
estimator:
  alhpa: 1
fit: {epochs: 0}
partial_fit: {classes: [0, 1, 2]}
"""


@pytest.fixture
def wrong(project):
    folder = project / "experiments"
    folder.mkdir()
    (folder / "wrong.yaml").write_text(WRONG_FILE)
    return folder / "wrong.yaml"


def test_without_a_name_all_are_examined(capsys):
    assert main(["validate"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.partition(":")[0] for line in lines[:-1]] == list(experiment_files())
    assert "quickstart: no mistakes" in lines
    assert "parquet_sgd: no mistakes; still to be given: dataset.path, dataset.target" in lines, (
        "what is left to be given is no mistake"
    )
    assert lines[-1] == f"{len(lines) - 1} experiments: no mistakes"
    assert err == ""


def test_every_mistake_is_told_with_its_place(capsys, wrong):
    assert main(["validate", "wrong"]) == WRONG
    out, err = capsys.readouterr()
    assert out == "wrong: 2 mistakes\n"
    assert err.startswith(
        "experiments/wrong.yaml:4:3: estimator.alhpa: SGDClassifier has no parameter 'alhpa'\n"
        "    did you mean 'alpha'?\n"
        "experiments/wrong.yaml:5:7: fit.epochs: "
    )


def test_one_that_is_not_there_keeps_no_other_from_being_examined(capsys, wrong):
    assert main(["validate", "quikstart", "nowhere/x.yaml", "quickstart", str(wrong)]) == WRONG
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "quikstart: 1 mistake",
        "nowhere/x.yaml: 1 mistake",
        "quickstart: no mistakes",
        f"{wrong}: 2 mistakes",
        "4 experiments: 4 mistakes in 3 of them",
    ]
    assert "Did you mean 'quickstart'" in err


def test_a_mistake_on_the_command_line_is_told_once(capsys):
    assert main(["validate", "quickstart", "digits_sgd", "estimator.alhpa=1"]) == WRONG
    assert capsys.readouterr().err.count("has no parameter 'alhpa'") == 1


def test_what_is_given_on_the_command_line_is_missing_no_more(capsys):
    given = ["dataset.path=a.parquet", "dataset.target=y"]
    assert main(["validate", "parquet_sgd", *given]) == 0
    assert capsys.readouterr().out == "parquet_sgd: no mistakes\n"


def test_a_flag_is_refused(capsys):
    assert main(["validate", "--all"]) == WRONG
    assert "got --all" in capsys.readouterr().err


def test_no_secret_reaches_the_terminal(capsys):
    assert main(["validate", "quickstart", "fit.epochs=http://ann:canary-317@x"]) == WRONG
    out, err = capsys.readouterr()
    assert "canary" not in out + err


def test_nothing_heavy_is_imported_for_what_is_known(project):
    code = (
        "import sys; from runner.cli import main; main(['validate', 'quickstart']);"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    run = [sys.executable, "-c", code]
    told = [
        subprocess.run(
            run,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ).stdout.splitlines()[-1]
        for _ in range(2)
    ]
    assert told[1] == "[]", "and the first run made it known"


def test_a_script_gets_each_mistake_with_its_place_in_parts(capsys, wrong):
    assert main(["validate", "wrong", "seed=-1", "--json"]) == WRONG
    out, err = capsys.readouterr()
    told = json.loads(out)
    ((name, problems),) = [(each["name"], each["problems"]) for each in told["experiments"]]
    assert (name, told["mistakes"], err) == ("wrong", 3, "")
    by_key = {each["key"]: each for each in problems}
    found = by_key["estimator.alhpa"]
    assert (found["line"], found["column"]) == (4, 3)
    assert found["file"].endswith("wrong.yaml")
    assert found["said"] == "SGDClassifier has no parameter 'alhpa'"
    assert found["remedy"] == "did you mean 'alpha'?"
    assert by_key["seed"]["place"] == "command line (seed=-1)"
    assert by_key["seed"]["file"] is None


def test_a_script_gets_no_mistake_where_there_is_none(capsys):
    assert main(["validate", "quickstart", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["mistakes"] == 0
    assert told["experiments"] == [{"name": "quickstart", "problems": [], "missing": []}]
