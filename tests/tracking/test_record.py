from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from runner.errors import TrackingError
from runner.records import Evaluated, Outcome, Recipe
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import (
    RecordedRun,
    children,
    current,
    find_run,
    kept_config,
    kept_file,
    recent_runs,
    run_link,
)
from runner.tracking.tags import KEY, member_tags


@pytest.fixture
def three(store):
    """Record three runs in two experiments, the last of which failed."""
    runs = []
    for name, experiment in [("first", "a"), ("second", "b")]:
        with MlflowTracker(experiment=experiment).start_run(name) as run:
            run.log_params(Recipe(name, {"seed": 1}))
            run.log_scores(Evaluated({"accuracy": 0.5, "neg_log_loss": -1.0}, 10))
        runs.append(run)
    with pytest.raises(ValueError, match="no"), MlflowTracker().start_run("third") as run:
        raise ValueError("no")
    return [*runs, run]


def test_the_latest_runs_of_all_experiments_come_first(three):
    found = recent_runs()
    assert [run.name for run in found] == ["third", "second", "first"]
    assert [run.status for run in found] == ["FAILED", "FINISHED", "FINISHED"]
    assert [run.run_id for run in found] == [run.run_id for run in reversed(three)]
    assert [run.name for run in recent_runs(limit=1)] == ["third"]


def test_a_run_is_read_back_as_it_was_logged(three):
    run = recent_runs()[-1]
    assert run.scores == {"accuracy": 0.5, "neg_log_loss": -1.0}
    assert run.params == {"seed": "1"}
    assert run.status == "FINISHED"
    assert timedelta(0) <= datetime.now(UTC) - run.started < timedelta(minutes=5)
    assert 0 <= run.duration_s < 300


def test_runs_of_one_experiment_or_that_fulfil_a_filter_are_found_alone(three):
    assert [run.name for run in recent_runs(experiment="a")] == ["first"]
    failed = recent_runs(filter_string="attributes.status = 'FAILED'")
    assert [run.name for run in failed] == ["third"]
    scored = "metrics.`holdout/accuracy` >= 0.5 AND params.seed = '1'"
    assert [run.name for run in recent_runs(filter_string=scored)] == ["second", "first"]
    assert recent_runs(experiment="a", filter_string="metrics.`holdout/accuracy` > 0.5") == []


def test_the_commit_of_a_run_is_read_back(client, run_id):
    assert find_run(run_id).commit == ""
    client.set_tag(run_id, "mlflow.source.git.commit", "5f2a")
    assert find_run(run_id).commit == "5f2a"


def test_a_run_that_goes_on_has_no_duration(tracker):
    with tracker.start_run("long"):
        assert recent_runs()[0].duration_s is None


def test_a_project_without_a_record_has_no_runs_and_gets_no_database(project):
    assert recent_runs() == []
    with pytest.raises(TrackingError, match="got none"):
        find_run("ab")
    assert list(project.iterdir()) == []


def test_a_store_without_experiments_of_ours_has_no_runs(store):
    assert recent_runs() == []


def test_more_runs_than_a_page_are_read_page_by_page(client, monkeypatch):
    monkeypatch.setattr("runner.tracking.record.PAGE", 2)
    experiment = client.create_experiment("many")
    for number in range(5):
        client.create_run(experiment, start_time=1000 + number, run_name=str(number))
    assert [run.name for run in recent_runs()] == ["4", "3", "2", "1", "0"]


def test_the_beginning_of_an_id_finds_the_run(three):
    run_id = three[1].run_id
    assert find_run(run_id).name == "second"
    assert find_run(run_id[:12]).run_id == run_id


@pytest.mark.parametrize("prefix", ["nosuch", "%", "a' OR '1'='1", ""])
def test_a_run_that_is_not_there_is_told(three, prefix):
    with pytest.raises(TrackingError, match=r"got none\. See `runner runs` for the ids"):
        find_run(prefix)


def test_a_beginning_of_several_ids_is_told(client):
    experiment = client.create_experiment("many")
    ids = [client.create_run(experiment).info.run_id for _ in range(17)]
    shared = next(a[0] for a in ids if sum(b[0] == a[0] for b in ids) > 1)
    with pytest.raises(TrackingError, match=r"got several: .*Give more of the id"):
        find_run(shared)


def test_a_link_leads_to_the_run_else_to_the_table_with_the_latest(three):
    run = find_run(three[0].run_id)
    page = f"http://h:1/#/experiments/{run.experiment_id}/runs/{run.run_id}"
    assert run_link("http://h:1", run).startswith(page)
    latest = recent_runs()[0].experiment_id
    assert run_link("http://h:1").startswith(f"http://h:1/#/experiments/{latest}/runs?workflow")


def test_without_a_run_the_link_leads_to_the_first_page(project):
    assert run_link("http://h:1") == "http://h:1"


def test_a_server_is_read_like_a_file(server):
    with MlflowTracker(uri=server.url, experiment="read").start_run("over http") as run:
        pass
    assert recent_runs(server.url)[0].name == "over http"
    assert find_run(run.run_id[:12], server.url).status == "FINISHED"


def test_the_config_of_a_run_is_read_back_as_it_was(tracker):
    with tracker.start_run("kept") as run:
        run.log_params(Recipe("kept", {"seed": 1}, config="seed: 1  # é\n"))
    assert kept_config(find_run(run.run_id)) == "seed: 1  # é\n"


def test_a_run_without_a_config_is_told(three):
    with pytest.raises(TrackingError, match=r"must keep config/config\.yaml; got none"):
        kept_config(find_run(three[2].run_id))


@pytest.fixture
def sweep(tracker):
    """Record a sweep of three members, whose second one was run twice, and a single run."""
    with tracker.start_run("single"), tracker.start_sweep("grid") as sweep:
        for number in (2, 1, 0):
            if number == 1:
                end_member(tracker, sweep.run_id, number, "FAILED")
            end_member(tracker, sweep, number)
        outcomes = [
            Outcome(number=n, name=str(n), key=str(n), status="FINISHED") for n in range(3)
        ]
        sweep.log_leaderboard(outcomes, final=True)
    return sweep


def end_member(tracker, parent, number, status="FINISHED"):
    tags = member_tags(number, str(number), {"a": number})
    with suppress(ValueError), tracker.start_run(str(number), parent=parent, tags=tags):
        if status == "FAILED":
            raise ValueError("no")


def test_a_sweep_is_one_run_among_the_latest(sweep):
    found = recent_runs()
    assert [run.name for run in found] == ["grid", "single"]
    assert [(run.is_sweep, run.members) for run in found] == [(True, 3), (False, 0)]
    assert len(recent_runs(parents_only=False)) == 6
    assert recent_runs(filter_string=f"tags.`{KEY}` = '1'") == []
    found = recent_runs(parents_only=False, filter_string=f"tags.`{KEY}` = '1'")
    assert [run.name for run in found] == ["1", "1"]
    assert [run.name for run in recent_runs(limit=2)] == ["grid", "single"]


def test_the_members_of_a_sweep_come_by_number_and_once(sweep):
    found = children(find_run(sweep.run_id))
    assert [run.name for run in found] == ["0", "1", "2"]
    assert {run.status for run in found} == {"FINISHED"}


def test_a_single_run_has_no_members(sweep):
    assert children(recent_runs()[1]) == []


def test_our_own_tags_come_along(sweep):
    run = children(find_run(sweep.run_id))[0]
    assert run.tags["mlflow.parentRunId"] == sweep.run_id
    assert run.tags["runner.member"] == "0"
    others = {key for key in run.tags if not key.startswith("runner.")}
    assert others == {"mlflow.parentRunId"}


def test_of_several_runs_of_a_member_the_finished_one_counts_else_the_newest():
    def run(name, status, **tags):
        tags = {"runner.member_key": "k"} | tags
        return RecordedRun(name, name, status, datetime.now(UTC), None, {}, {}, "1", tags)

    newest, finished = run("c", "FAILED"), run("b", "FINISHED")
    assert current([newest, run("a", "KILLED")]) == [newest]
    assert current([newest, finished, run("a", "KILLED")]) == [finished]
    assert current([run("d", "FINISHED", **{"runner.superseded_by": "x"}), newest]) == [newest]
    strangers = [replace(newest, run_id=name, tags={}) for name in "ab"]
    assert current(strangers) == strangers


def test_the_link_of_a_sweep_opens_its_view(sweep):
    run = find_run(sweep.run_id)
    link = run_link("http://h:1", run)
    assert link.startswith(f"http://h:1/#/experiments/{run.experiment_id}/runs?workflow")
    assert link.endswith(f"viewStateShareKey={sweep.run_id}")


def test_a_file_of_a_run_is_read_back(sweep):
    assert "columns" in kept_file(find_run(sweep.run_id), "sweep/leaderboard.json")
    with pytest.raises(TrackingError, match=r"must keep sweep/members\.json; got none"):
        kept_file(find_run(sweep.run_id), "sweep/members.json")
    with pytest.raises(TrackingError, match=r"must keep a\.txt; got none"):
        kept_file(find_run(sweep.run_id), "a.txt")


def test_a_sweep_that_goes_on_again_has_no_duration(sweep, tracker):
    assert find_run(sweep.run_id).duration_s is not None
    with tracker.start_sweep("grid", resumed=sweep.run_id):
        assert find_run(sweep.run_id).duration_s is None
