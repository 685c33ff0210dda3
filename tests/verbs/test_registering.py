"""The model of a run under a name, from the command line."""

import json
import sys
from pathlib import Path

import pytest

from runner.cli import WRONG, main
from runner.tracking.record import recent_runs
from runner.tracking.registry import Registered
from runner.verbs.registering import show

KNOWN = {
    "name": "my digits",
    "version": 2,
    "aliases": (),
    "run_id": "0123456789abcdef",
    "run_name": "digits_sgd",
    "status": "FINISHED",
    "model": "models:/m-1",
    "scores": {},
    "store": "sqlite:////a/mlflow.db",
    "is_new": True,
    "moved": {},
}


def test_a_model_is_registered_and_what_to_do_with_it_is_told(store, capsys):
    main(["run", "quickstart", "callbacks=[]"])
    (run,) = recent_runs()
    capsys.readouterr()
    assert main(["register", run.run_id[:8], "quick", "--alias", "champion"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert 'mlflow.pyfunc.load_model("models:/quick@champion")' in out
    assert "mlflow models serve -m models:/quick@champion --env-manager local" in out
    assert main(["register", run.run_id[:8], "quick", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["is_new"], told["uri"]) == (1, False, "models:/quick/1")
    assert main(["register", run.run_id[:8], "team/quick"]) == WRONG
    assert "Write 'team-quick'." in capsys.readouterr().err


def test_words_for_the_shell_are_quoted(capsys):
    show(Registered(**KNOWN))
    out = capsys.readouterr().out
    assert "-m 'models:/my digits/2' --env-manager" in out


def test_what_was_there_what_moved_and_what_did_not_finish_is_told(capsys):
    changed = {"is_new": False, "aliases": ("a", "b"), "moved": {"b": 1}, "status": "KILLED"}
    show(Registered(**{**KNOWN, **changed}, sweep="fedcba9876543210"))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "version 2, as which it was there" in lines
    assert "alias a" in lines
    assert "alias b, taken from version 1" in lines
    assert "note the run did not finish: KILLED" in lines
    assert any(line.endswith("the best member of the sweep fedcba98") for line in lines)


@pytest.mark.parametrize("is_found", [True, False])
def test_the_folder_of_the_commands_is_told_where_a_shell_finds_them_not(
    is_found, capsys, monkeypatch
):
    here = Path(sys.executable).parent
    monkeypatch.setenv("PATH", str(here) if is_found else "/nowhere")
    show(Registered(**KNOWN))
    assert (f"PATH={here}:$PATH mlflow models" in capsys.readouterr().out) is not is_found
