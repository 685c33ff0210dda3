"""A sweep from Python is a table."""

import shutil

import pandas as pd
import pytest

import runner
from runner.errors import ConfigError
from runner.tracking.record import recent_runs

QUIET = ["tracking=none", "callbacks=[]"]
TWO = "sweep.grid={estimator.alpha:[1e-2,1e-4]}"


def test_a_table_has_a_row_for_each_member_and_the_best_is_first():
    table = runner.sweep("quickstart", [TWO, "seed=3", *QUIET])
    assert isinstance(table, pd.DataFrame)
    assert sorted(table.index) == [0, 1]
    assert table.index.name == "member"
    assert table["scores.accuracy"].is_monotonic_decreasing
    assert set(table["params.estimator.alpha"]) == {1e-2, 1e-4}
    assert set(table["status"]) == {"FINISHED"}
    assert set(table["rows"]) == {75}


def test_each_member_scores_as_it_does_alone():
    table = runner.sweep("quickstart", [TWO, *QUIET])
    for number, alpha in enumerate((1e-2, 1e-4)):
        alone = runner.run("quickstart", [f"estimator.alpha={alpha}", *QUIET])
        assert table.loc[number, "scores.accuracy"] == alone.scores["accuracy"]
        assert table.loc[number, "scores.roc_auc"] == alone.scores["roc_auc"]


def test_values_in_hydras_words_are_a_sweep_too():
    assert len(runner.sweep("quickstart", ["seed=1,2", "estimator.alpha=1,2", *QUIET])) == 4


def test_a_member_that_fails_has_a_row_that_says_why_and_comes_last():
    swept = "sweep.grid={dataset.validation:[0.9,0.1]}"
    table = runner.sweep("quickstart", [swept, *QUIET])
    assert list(table["status"]) == ["FINISHED", "FAILED"]
    assert "must leave a share to train on" in table["error"].iloc[1]


def test_the_ids_lead_to_the_record(project, schema):
    shutil.copy(schema, project / "mlflow.db")
    table = runner.sweep("quickstart", [TWO, "callbacks=[]"])
    (sweep,) = recent_runs()
    url = f"sqlite:///{project}/mlflow.db"
    assert table.attrs == {"run_id": sweep.run_id, "url": url, "halving": []}
    members = {run.run_id for run in recent_runs(parents_only=False)} - {sweep.run_id}
    assert set(table["run_id"]) == members


def test_the_sweep_of_a_file_is_run_by_its_path(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "defaults: [{override /dataset: iris}, {override /estimator: gaussian_nb}]\n"
        "partial_fit: {classes: infer}\nsweep: {grid: {seed: [1, 2, 3]}}\n"
    )
    assert len(runner.sweep(str(tmp_path / "mine.yaml"), QUIET)) == 3


def test_one_run_is_no_sweep_and_is_refused_before_it_begins(project):
    with pytest.raises(ConfigError, match="A sweep must have values to sweep over"):
        runner.sweep("quickstart", ["callbacks=[]"])
    assert not (project / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("sweep.grid={estimator.alhpa:[1,2]}", "did you mean 'alpha'?"),
        ("sweep.gird={seed:[1,2]}", "did you mean 'grid'?"),
        ("sweep.grid={estimator:[sgd,perceptron]}", "there is no 'sgd' in estimator/"),
    ],
)
def test_a_mistake_that_all_members_share_is_an_error(override, told):
    with pytest.raises(ConfigError) as caught:
        runner.sweep("quickstart", [override, *QUIET])
    assert told in str(caught.value)
