import base64
import json
import zlib

from runner.tracking.tags import PARENT, SUPERSEDED
from runner.tracking.views import TAG, members_of, save_view


def state_of(client, experiment, key):
    view = json.loads(client.get_experiment(experiment).tags[TAG + key])
    how, _, packed = view["state"].partition(";")
    assert how == "deflate"
    return view, json.loads(zlib.decompress(base64.b64decode(packed)))


def test_a_view_has_the_members_the_columns_and_the_order(client):
    experiment = client.create_experiment("any")
    asked = {"params": ["estimator.alpha"], "metrics": ["holdout/r2", "holdout/max_error"]}
    key = save_view(client, experiment, "ab", "grid", **asked)
    view, state = state_of(client, experiment, key)
    assert view["name"] == "grid"
    assert state["searchFilter"] == members_of("ab")
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`holdout/r2`", False)
    columns = ["params.`estimator.alpha`", "metrics.`holdout/r2`", "metrics.`holdout/max_error`"]
    assert [column for column in state["selectedColumns"] if column in columns] == columns


def test_saving_twice_keeps_one_view(client):
    experiment = client.create_experiment("any")
    for metrics in ([], ["holdout/r2"]):
        save_view(client, experiment, "ab", "grid", params=[], metrics=metrics)
    assert len(client.get_experiment(experiment).tags) == 1


def test_the_filter_finds_the_members_that_count(client):
    experiment = client.create_experiment("any")
    member = client.create_run(experiment, tags={PARENT: "ab"}).info.run_id
    for tags in ({PARENT: "ab", SUPERSEDED: member}, {PARENT: "other"}, {}):
        client.create_run(experiment, tags=tags)
    found = client.search_runs([experiment], members_of("ab"))
    assert [run.info.run_id for run in found] == [member]
