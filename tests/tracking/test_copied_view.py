import base64
import json
import shutil
import zlib

import pytest

from runner.tracking.client import connect
from runner.tracking.copied_view import copy_view
from runner.tracking.store import resolve
from runner.tracking.views import TAG, members_of, save_view


@pytest.fixture
def other(project, schema):
    shutil.copy(schema, project / "other.db")
    return connect(resolve("sqlite:///other.db"))


@pytest.fixture
def runs(client, other, run_id):
    copy = other.create_run(other.create_experiment("copied"))
    return client.get_run(run_id).info, copy.info


def views(client, info):
    tags = client.get_experiment(info.experiment_id).tags
    return {key: value for key, value in tags.items() if key.startswith(TAG)}


def test_a_view_shows_the_members_of_the_copy(client, other, runs):
    old, new = runs
    title = f"grid {old.run_id[:8]}"
    save_view(client, old.experiment_id, old.run_id, title, params=["a"], metrics=["b"])
    copy_view(client, other, old, new)
    (text,) = views(other, new).values()
    view = json.loads(text)
    state = json.loads(zlib.decompress(base64.b64decode(view["state"].partition(";")[2])))
    assert view["name"] == f"grid {new.run_id[:8]}"
    assert state["searchFilter"] == members_of(new.run_id)
    assert "metrics.`b`" in state["selectedColumns"]


@pytest.mark.parametrize("text", [None, "no JSON", "{}", '{"state": "deflate;bm8="}'])
def test_a_view_that_cannot_be_read_is_left_out(client, other, runs, text):
    old, new = runs
    if text is not None:
        client.set_experiment_tag(old.experiment_id, TAG + old.run_id, text)
    copy_view(client, other, old, new)
    assert views(other, new) == {}
