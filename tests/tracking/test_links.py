import json
from urllib.parse import parse_qs

from runner.tracking.links import compare_page, run_page, runs_page, view_page


def test_a_link_names_the_run_and_its_experiment():
    page, _, query = run_page("http://h:1/mlflow/", "3", "ab").partition("?")
    assert page == "http://h:1/mlflow/#/experiments/3/runs/ab"
    assert parse_qs(query) == {"workflowType": ["machine_learning"]}


def test_the_table_opens_in_the_workflow_of_models_and_keeps_its_view():
    base, _, query = runs_page("http://h:1", "3").partition("?")
    assert base == "http://h:1/#/experiments/3/runs"
    found = parse_qs(query, keep_blank_values=True)
    assert found["workflowType"] == ["machine_learning"]
    assert found["datasetsFilter"] == ["W10="]
    assert {"searchFilter", "orderByKey", "startTime", "lifecycleFilter"} <= set(found)


def test_a_saved_view_is_named_by_its_key():
    base, _, query = view_page("http://h:1/", "3", "a b").partition("?")
    assert base == "http://h:1/#/experiments/3/runs"
    found = {"workflowType": ["machine_learning"], "viewStateShareKey": ["a b"]}
    assert parse_qs(query) == found


def test_runs_are_put_side_by_side_with_each_experiment_once():
    base, _, query = compare_page("http://h:1/", ["3", "4", "3"], ["ab", "cd", "ef"]).partition(
        "?"
    )
    assert base == "http://h:1/#/compare-runs"
    assert not {'"', "[", " "} & set(query)
    found = {key: json.loads(value) for key, (value,) in parse_qs(query).items()}
    assert found == {"runs": ["ab", "cd", "ef"], "experiments": ["3", "4"]}
