"""What there is to run and to choose."""

import json

from runner.cli import WRONG, main


def test_list_shows_experiments_and_options_with_their_first_comment(capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    by_name = {line.split()[0]: line for line in lines if line.startswith("  ")}
    assert lines[0] == "experiments"
    assert by_name["quickstart"].endswith("in four blocks of 25 rows")
    assert {"sgd_classifier", "parquet", "progress_bar", "hashing"} <= set(by_name)
    assert not [name for name, line in by_name.items() if len(line.split()) < 2], "no comment"


def test_a_line_for_editors_is_no_description(capsys, project):
    (project / "experiments").mkdir()
    modeline = "# yaml-language-server: $schema=../.runner/experiment.schema.json"
    (project / "experiments" / "mine.yaml").write_text(f"{modeline}\n# what I do\nseed: 1\n")
    assert main(["list"]) == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("  mine ")]
    assert line.split(maxsplit=1)[1] == "what I do"


def test_it_takes_nothing_more(capsys):
    assert main(["list", "estimator"]) == WRONG
    assert "must stand alone; got estimator" in capsys.readouterr().err


def test_a_script_gets_names_and_descriptions(capsys):
    assert main(["list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    described = {each["name"]: each["description"] for each in told["experiments"]}
    assert described["quickstart"].endswith("in four blocks of 25 rows")
    assert "parquet" in {each["name"] for each in told["dataset"]}
