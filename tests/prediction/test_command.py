"""What `runner predict` takes and tells."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from runner.cli import WRONG, main

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_predicts_and_tells_where(clicked, new_rows, tmp_path, capsys):
    code = main(
        [
            *("predict", clicked.run_id[:8], "dataset=parquet", "dataset.chunks=30"),
            *(f"dataset.path={tmp_path}/new.parquet", f"output={tmp_path}/out", "columns=[id]"),
        ]
    )
    out, err = capsys.readouterr()
    assert code == 0, err
    table = pq.read_table(tmp_path / "out")
    assert table.column_names == ["row", "id", "prediction", "probability_0", "probability_1"]
    assert table["id"].to_pylist() == new_rows["id"].to_pylist()
    assert "100 in 4 blocks" in out
    assert str(tmp_path / "out") in out
    assert clicked.run_id in out


def test_it_works_in_a_process_of_its_own(clicked, project, tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "runner", "predict", clicked.run_id[:8], "output=out"),
            *("probabilities=false", "columns=sold"),
        ],
        check=False,
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert pq.read_table(project / "out").column_names == ["row", "sold", "prediction"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "A prediction must name one run and the folder to write to; got nothing. Write"),
        (["{run}"], "must name one run and the folder to write to"),
        (["output=out"], "must name one run and the folder to write to; got output=out."),
        (["{run}", "ouput=3"], "got 'ouput=3'. Did you mean 'output'?"),
        (["{run}", "output=out", "colums=[sold]"], "Did you mean 'columns'?"),
        (["{run}", "{run}", "output=out"], "must name one run"),
        (["zzz", "output=out"], "The run 'zzz' must be the beginning of one run's id"),
        (["{run}", "output=out", "estimator.alpha=1"], "estimator.alpha must be a setting of"),
        (
            ["{run}", "output=out", "-m"],
            "A flag of `runner predict` must be one of those there are; got -m",
        ),
        (["{run}", "output=out", "dataset=parqet"], "dataset must be one of those there are"),
        (["{run}", "output=out", "dataset=parquet"], "dataset.path: must be set; got nothing"),
        (["{run}", "output=out", "dataset.path=gone.parquet"], "gone.parquet"),
        (["{run}", "output=out", "columns=[nope]"], "got 'nope'"),
        (["{run}", "output=out", "columns=[sold"], "The command line must be"),
        (["{run}", "output=out", "columns=[sold,sold]"], "must"),
        (["{run}", "output=experiments"], "output must be a new folder, or an empty one"),
        (["{run}", "output=out", "probabilities=yes"], "probabilities must be true or false"),
        (["{run}", "output=out", "dataset.chunks=0"], "dataset.chunks: must be "),
    ],
)
def test_a_mistake_is_told_in_one_line_and_leaves_nothing(
    clicked, project, capsys, arguments, said
):
    (project / "experiments").mkdir()
    (project / "experiments" / "any.yaml").write_text("# any\n")
    code = main(["predict", *(text.format(run=clicked.run_id) for text in arguments)])
    out, err = capsys.readouterr()
    assert code == WRONG
    assert said in err
    assert "Traceback" not in out + err
    assert not (project / "out").exists()


def test_help_shows_how_it_is_called(capsys):
    assert main(["predict", "--help"]) == 0
    assert "runner predict RUN output=FOLDER" in capsys.readouterr().out
