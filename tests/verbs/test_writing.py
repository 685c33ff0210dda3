"""Experiments are begun, and editors and shells told of what there is."""

import json

import pytest

from runner.cli import WRONG, main
from runner.config.signatures.editor import schema_text
from runner.project import builtin
from runner.starting import SCHEMA_FILE, schema_comment

SHIPPED = sorted(path.stem for path in builtin("experiments").iterdir())


def test_a_new_experiment_is_told_of_and_can_be_run(capsys, project):
    assert main(["new", "mine"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"made experiments/mine.yaml from quickstart, in {project}\n")
    assert "GROUP: callbacks, cluster, dataset, estimator, " in out
    assert out.endswith("next: runner run mine\n")
    assert main(["run", "mine", "--dry-run"]) == 0


@pytest.mark.parametrize("origin", SHIPPED)
def test_a_new_experiment_has_no_mistakes(capsys, origin):
    assert main(["schema", "--write"]) == 0
    assert main(["new", "mine", "--from", origin]) == 0
    assert main(["validate", "mine"]) == 0
    assert "mine: no mistakes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "must be named, and nothing else; got nothing"),
        (["a", "b"], "must be named, and nothing else; got a b"),
        (["seed=1"], "must be named, and nothing else; got seed=1"),
        (["a", "--from"], "--from must be followed by an experiment; got nothing"),
        (["a", "--form", "b"], "got --form. Did you mean '--from'?"),
        (["../a"], "must be 1 to 100 letters"),
        (["a", "--from", "quikstart"], "Did you mean 'quickstart'?"),
    ],
)
def test_a_mistake_is_told(capsys, project, asked, said):
    assert main(["new", *asked]) == WRONG
    assert said in capsys.readouterr().err
    assert list(project.iterdir()) == []


def test_the_schema_is_printed_or_written(capsys, project):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(schema_text())
    assert list(project.iterdir()) == []
    assert main(["schema", "--write"]) == 0
    assert (project / SCHEMA_FILE).read_text() == schema_text()
    assert capsys.readouterr().out.splitlines()[-1] == schema_comment()
    assert [path.name for path in project.iterdir()] == [".runner"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["schema", "x"], "must stand alone, or with --write; got x"),
        (["schema", "--wirte"], "Did you mean '--write'?"),
        (["completion"], "The shell must be one of bash, fish, zsh; got nothing"),
        (["completion", "bsh"], "got bsh. Did you mean 'bash'"),
    ],
)
def test_what_is_not_there_is_told(capsys, asked, said):
    assert main(asked) == WRONG
    assert said in capsys.readouterr().err
