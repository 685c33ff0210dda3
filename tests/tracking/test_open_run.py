from contextlib import suppress

import pytest

from runner.errors import RunnerWarning
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.open_run import OpenRun
from runner.tracking.session import Session


@pytest.fixture
def opened(store, client, run_id):
    return OpenRun(Session(store, client), client.get_run(run_id), flush_every_s=1000)


def test_tags_are_kept_without_secrets(opened, client):
    opened.log_tags({"runner.halving": "http://u:hunter2@h", "count": 3})
    opened.end()
    tags = client.get_run(opened.run_id).data.tags
    assert tags["runner.halving"] == "http://<redacted>@h"
    assert tags["count"] == "3"


def test_an_ending_is_told_once_by_status(opened, client):
    opened.end(ValueError("no"))
    assert client.get_run(opened.run_id).info.status == "FAILED"


def test_a_file_that_cannot_be_made_is_told_and_the_run_goes_on(opened, client):
    def fail():
        raise OSError("no font")

    with pytest.warns(RunnerWarning, match=r"has no plots/a\.png.*no font"):
        opened._put("plots/a.png", fail)
    opened.end()
    assert client.get_run(opened.run_id).info.status == "FINISHED"


def test_without_a_server_the_address_is_the_store(store):
    with MlflowTracker().start_run("a") as run:
        assert run.url == str(store)


def interrupted():
    """Return a run that was interrupted when it had told what its rows hold."""
    with suppress(KeyboardInterrupt), MlflowTracker().start_run("a") as run:
        run.log_content({"train": "5f"})
        raise KeyboardInterrupt
    return run


def test_what_the_rows_hold_is_forgotten_of_a_run_that_goes_on(store, client):
    run = interrupted()
    assert "runner.content.train" in client.get_run(run.run_id).data.tags
    with MlflowTracker().start_run("a", resumed=run.run_id):
        assert "runner.content.train" not in client.get_run(run.run_id).data.tags
