"""A verb speaks to a person, to a script, or not at all."""

import json
import pickle

import pytest

from runner.cli import WRONG
from runner.records import Outcome
from runner.shown import Shown
from runner.steps import Steps, listener
from runner.sweeps.job import Job
from runner.tracking.record import children, find_run, recent_runs
from runner.verbs.speech import Speech, Unspoken, speech

pytestmark = pytest.mark.usefixtures("store")

SWEEP = """\
defaults: [{override /dataset: iris}, {override /estimator: sgd_classifier}]
partial_fit: {classes: [0, 1, 2]}
sweep: {grid: {evaluation.scoring: [[r2], [accuracy]]}}
"""


@pytest.fixture
def swept(tmp_path):
    """Write an experiment with a sweep of two members, one of which is refused."""
    file = tmp_path / "swept.yaml"
    file.write_text(SWEEP)
    return str(file)


def test_a_quiet_run_says_nothing_and_is_recorded_as_any_other(said):
    bar = "callbacks.progress_bar.every_s=0"
    assert said("experiment=quickstart", bar, "--quiet") == (0, "", "")
    assert said("run", "quickstart", bar)[2].startswith("fit ")
    loud, quiet = recent_runs()
    assert quiet.params == loud.params
    assert quiet.scores == loud.scores


def test_a_script_gets_one_document_of_a_run_and_progress_goes_elsewhere(said):
    code, out, err = said("run", "quickstart", "--json", "estimator.verbose=1")
    told = json.loads(out)
    (run,) = recent_runs()
    assert code == 0
    assert (told["run_id"], told["status"], told["name"]) == (run.run_id, "FINISHED", "quickstart")
    assert told["scores"] == run.scores
    assert (told["rows"], told["blocks"], told["epochs"]) == (75, 3, 1)
    assert told["stop_reason"] is None
    assert told["seconds"]["total"] > told["seconds"]["evaluate"] > 0
    assert told["url"]
    assert "fit 100%" in err
    assert "Norm: " in err, "what an estimator writes is no part of the document"


def test_a_script_gets_what_is_planned(said):
    code, out, err = said("run", "quickstart", "--json", "--quiet", "--dry-run")
    told = json.loads(out)
    assert (code, err, told["dry_run"]) == (0, "", True)
    assert told["plan"]["train"] == "75 rows in 3 blocks of 25"
    assert recent_runs() == []


def test_a_mistake_is_told_to_people_alone(said):
    code, out, err = said("run", "quickstart", "--json", "seed=-1")
    assert (code, out) == (WRONG, "")
    assert "seed: must be an integer of at least 0" in err


def test_a_script_gets_the_members_of_a_sweep_and_the_best(said, swept):
    code, out, err = said("run", swept, "--json", "--quiet")
    assert code == WRONG
    (line,) = err.splitlines()
    assert "must name scorers that suit a classifier" in line, "what failed is never silent"
    told = json.loads(out)
    failed, finished = told["members"]
    (sweep,) = recent_runs()
    assert (told["run_id"], told["status"]) == (sweep.run_id, "FAILED")
    assert {failed["run_id"], finished["run_id"]} == {run.run_id for run in children(sweep)}
    assert "must name scorers" in failed["error"]
    assert (finished["number"], finished["error"]) == (1, None)
    assert finished["params"] == {"evaluation.scoring": ["accuracy"]}
    assert finished["scores"]["accuracy"] > 0
    assert finished["rows"] > 0
    assert told["best"] == finished
    assert told["plan"]["groups"][0]["blocks"] > 0
    code, out, err = said("resume", sweep.run_id, "--failed", "--json", "--quiet")
    assert code == WRONG
    assert [each["status"] for each in json.loads(out)["members"]] == ["FAILED", "FINISHED"]


def test_a_dry_run_of_a_sweep_is_no_failure(said, swept):
    asked = ["sweep.grid={seed:[1,2]}", "--dry-run", "--json", "--quiet"]
    code, out, err = said("run", swept, *asked)
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert (told["status"], told["dry_run"], told["best"]) == ("PENDING", True, None)


def test_members_of_a_launcher_are_as_quiet(said, swept):
    asked = ["sweep.grid={seed:[1,2]}", "hydra/launcher=basic"]
    code, out, err = said("run", swept, *asked, "--quiet", "--json")
    assert (code, err) == (0, "")
    assert [each["status"] for each in json.loads(out)["members"]] == ["FINISHED"] * 2


def test_reproducing_and_predicting_speak_alike(said, project):
    assert said("run", "quickstart", "--quiet")[0] == 0
    (run,) = recent_runs()
    assert said("reproduce", run.run_id, "--quiet") == (0, "", "")
    code, out, _ = said("reproduce", run.run_id, "--json")
    told = json.loads(out)
    assert (code, told["identical"], told["run_id"]) == (0, True, run.run_id)
    assert find_run(told["again"]).run_id != run.run_id
    assert {each["verdict"] for each in told["aspects"]} == {"identical"}
    assert said("predict", run.run_id, "output=silent", "--quiet") == (0, "", "")
    code, out, _ = said("predict", run.run_id, "output=told", "--json")
    told = json.loads(out)
    assert (code, told["rows"], told["blocks"]) == (0, 100, 4)
    assert told["folder"] == str(project / "told")
    assert "prediction" in told["columns"]


def test_flags_stand_anywhere():
    assert speech(["--quiet", "a", "--json", "b=1"]) == (Speech(True, True), ["a", "b=1"])
    assert isinstance(Speech().teller(), Shown)


def test_who_says_nothing_goes_to_other_processes():
    sent = pickle.loads(pickle.dumps(Unspoken(is_quiet=True)))  # noqa: S301
    assert sent.is_quiet
    with sent.around():
        assert type(listener()) is Steps


def test_what_is_known_of_a_sweep_that_was_cut_short_is_told():
    outcomes = [
        Outcome(number=0, name="0", key="", status="FINISHED", scores={"r2": 0.5}),
        Outcome(number=1, name="1", key="", status="KILLED"),
        Outcome(number=2, name="2", key=""),
    ]
    told = Unspoken().document(Job(run_id="5eed", outcomes=outcomes))
    assert told["status"] == "KILLED"
    assert told["best"]["number"] == 0
    assert Unspoken().document(Job()) is None
