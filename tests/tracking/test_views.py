import hashlib
import json

import pytest

from runner.errors import TrackingError
from runner.tracking.tags import PARENT, SUPERSEDED
from runner.tracking.views import MAX_VIEW, TAG, members_of, save_view, unpacked


def state_of(client, experiment, key):
    text = client.get_experiment(experiment).tags[TAG + key]
    return json.loads(text), unpacked(text)


def test_a_view_has_the_members_the_columns_and_the_order(client):
    experiment = client.create_experiment("any")
    asked = {"params": ["estimator.alpha"], "metrics": ["holdout/r2", "holdout/max_error"]}
    key = save_view(client, experiment, "ab", "grid", **asked)
    view, state = state_of(client, experiment, key)
    assert view["name"] == "grid"
    assert state["searchFilter"] == members_of("ab")
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`holdout/r2`", False)
    columns = ["metrics.`holdout/r2`", "metrics.`holdout/max_error`", "params.`estimator.alpha`"]
    assert state["selectedColumns"][:3] == columns
    assert [column for column in state["columnOrder"] if column in columns] == columns
    assert state["compareRunCharts"][0]["metricKey"] == "holdout/r2"


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


class Forgetful:
    """A store that gives back no more than the start of a long tag."""

    def __init__(self, client, most):
        self.client, self.most = client, most

    def set_experiment_tag(self, experiment, key, value):
        self.client.set_experiment_tag(experiment, key, value[: self.most])

    def get_experiment(self, experiment):
        return self.client.get_experiment(experiment)


def saved(client, most):
    experiment = client.create_experiment(f"any {most}")
    asked = {"params": ["a"], "metrics": ["holdout/r2"]}
    save_view(Forgetful(client, most), experiment, "ab", "grid", **asked)
    return state_of(client, experiment, "ab")[1]


def test_a_view_whose_charts_the_store_cuts_has_none(client):
    whole = saved(client, MAX_VIEW)
    plain = saved(client, 1000)
    assert plain == {key: whole[key] for key in plain}
    assert set(whole) - set(plain) >= {"compareRunCharts", "compareRunSections"}


def test_a_view_that_the_store_cuts_is_refused(client):
    with pytest.raises(TrackingError, match=r"must be kept by the store .* 1 params and 1 met"):
        saved(client, 100)


def test_a_view_of_more_columns_than_a_tag_takes_is_refused(client):
    params = [hashlib.sha512(bytes([n])).hexdigest() * 2 for n in range(200)]
    experiment = client.create_experiment("any")
    with pytest.raises(TrackingError, match="200 params"):
        save_view(client, experiment, "ab", "grid", params=params, metrics=["holdout/r2"])
    assert client.get_experiment(experiment).tags == {}
