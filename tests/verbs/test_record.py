"""The record and the installation, from the command line."""

import pytest

from runner.cli import main

pytestmark = pytest.mark.usefixtures("store")


def test_the_doctor_finds_a_fresh_project_well(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "ok   python: 3." in out
    assert "BAD" not in out


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
