"""What scripts are told, as plain values."""

import json
from pathlib import Path

import pytest

from runner.base import Progress
from runner.cluster.none import NoCluster
from runner.errors import Problem
from runner.experiment import Result
from runner.pace import Pace
from runner.prediction.job import Prediction
from runner.records import Outcome
from runner.tracking.finding import Finding
from runner.verbs import documents


class Named:
    name, cluster = "mine", NoCluster()


def test_a_run_is_told_with_what_is_known_of_it():
    progress = Progress(rows=75, blocks=3, epoch=1, stop_reason="enough")
    found = documents.run(
        Named(),
        Result("", "", {"r2": 0.5}, progress, None, None),
        Pace(1.0, 3.0, 0.1, rows_per_s=25.0),
    )
    assert json.loads(json.dumps(found)) == found
    assert (found["run_id"], found["url"]) == (None, None), "nothing is kept"
    assert (found["stop_reason"], found["bound"], found["rows_per_s"]) == ("enough", "fit", 25.0)
    spent = {"load": 1.0, "wait": 0.1, "fit": 3.0}
    assert found["seconds"] == spent | {"evaluate": None, "total": None}


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (["FINISHED", "FINISHED"], "FINISHED"),
        (["FINISHED", "PENDING"], "PENDING"),
        (["KILLED", "PENDING"], "KILLED"),
        (["KILLED", "FAILED"], "FAILED"),
    ],
)
def test_a_sweep_is_as_well_as_its_worst_member(statuses, status):
    outcomes = [Outcome(number=i, name="", key="", status=each) for i, each in enumerate(statuses)]
    assert documents.sweep("5eed", "", outcomes)["status"] == status


@pytest.mark.parametrize(
    ("place", "parts"),
    [
        ("a.yaml:2:1", ("a.yaml", 2, 1)),
        ("C:/a:b.yaml:12:34", ("C:/a:b.yaml", 12, 34)),
        ("command line (seed=1:2:3)", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_the_place_of_a_mistake_comes_in_parts_if_it_is_in_a_file(place, parts):
    found = documents.problem(Problem("seed", "is wrong", place=place))
    assert (found["file"], found["line"], found["column"]) == parts
    assert found["place"] == (place or None)


def test_a_prediction_is_told_with_its_model():
    found = documents.prediction(Prediction("5eed", "models:/m-1", Path("/out"), 10, 2, ("row",)))
    assert json.loads(json.dumps(found)) == found
    assert (found["model"], found["folder"]) == ("models:/m-1", "/out")


def test_findings_are_well_if_each_is():
    good, bad = Finding("python", True, "3.11"), Finding("store", False, "gone")
    assert documents.findings([good])["ok"]
    found = documents.findings([good, bad])
    assert not found["ok"]
    assert found["findings"][1] == {"name": "store", "ok": False, "told": "gone"}
