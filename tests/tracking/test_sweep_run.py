import json
import math
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow.entities import Metric

from runner.base import Progress
from runner.errors import RunnerWarning, Terminated, TrackingError
from runner.records import Evaluated, Outcome, Recipe
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import children, find_run, kept_file
from runner.tracking.spool import runs_folder
from runner.tracking.sweep_colours import colours
from runner.tracking.sweep_pictures import CURVES, SCORES
from runner.tracking.tags import COLOUR, PARENT, PROCESS, SUPERSEDED, member_tags
from runner.tracking.views import TAG

RECIPE = Recipe("grid", {"seed": 1}, config="seed: 1\n", command="runner run grid")
KILLED = """
import os
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.tags import member_tags
tracker = MlflowTracker(log_model=False)
with tracker.start_sweep("grid") as sweep:
    print(sweep.run_id, flush=True)
    for number in range(3):
        tags = member_tags(number, str(number), {})
        with tracker.start_run(str(number), parent=sweep, tags=tags):
            if number == 2:
                os.kill(os.getpid(), 9)
"""


def member(tracker, sweep, number, score=None, error=None):
    """Run a member of a sweep, and return how it ended."""
    params = {"estimator.alpha": number / 10}
    name, key = f"alpha={number / 10}", f"key{number}"
    known = {"number": number, "name": name, "key": key, "params": params, "rows": 100}
    tags = member_tags(number, key, params)
    run = None
    try:
        with tracker.start_run(name, parent=sweep, tags=tags) as run:
            if error is not None:
                raise error
            run.log_scores(Evaluated({"r2": score, "max_error": -1.0}, 10))
    except ValueError as failure:
        return Outcome(**known, status="FAILED", run_id=run.run_id, error=str(failure))
    scores = {"r2": score, "max_error": -1.0}
    return Outcome(**known, status="FINISHED", run_id=run.run_id, scores=scores)


def pending(number):
    params = {"estimator.alpha": number / 10}
    return Outcome(number=number, name=f"alpha={number / 10}", key=f"key{number}", params=params)


def board(run_id):
    made = json.loads(kept_file(find_run(run_id), "sweep/leaderboard.json"))
    return [dict(zip(made["columns"], row, strict=True)) for row in made["data"]]


def test_a_whole_sweep_is_kept(tracker, client):
    with tracker.start_sweep("grid", command="runner run grid") as sweep:
        assert client.get_run(sweep.run_id).info.status == "RUNNING"
        sweep.log_sweep(RECIPE, {"sweep/members.json": "[]"})
        outcomes = [pending(number) for number in range(3)]
        for number, score in enumerate((0.25, 0.75, 0.5)):
            outcomes[number] = member(tracker, sweep, number, score)
            sweep.log_leaderboard(outcomes, final=number == 2)
    found = client.get_run(sweep.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"seed": "1", "best.estimator.alpha": "0.1"}
    check_tags(found.data.tags, outcomes[1].run_id)
    check_metrics(client, found)
    assert [row["name"] for row in board(sweep.run_id)] == ["alpha=0.1", "alpha=0.2", "alpha=0.0"]
    assert kept_file(find_run(sweep.run_id), "sweep/members.json") == "[]"
    assert kept_file(find_run(sweep.run_id), "config/config.yaml") == "seed: 1\n"
    assert "scikit-learn" in kept_file(find_run(sweep.run_id), "environment/environment.json")
    experiment = client.get_experiment(found.info.experiment_id)
    assert [key for key in experiment.tags if key.startswith(TAG)] == [TAG + sweep.run_id]
    assert list(runs_folder().iterdir()) == []


def test_the_end_of_a_sweep_leaves_pictures_and_colours(tracker, client):
    with tracker.start_sweep("grid") as sweep:
        outcomes = [member(tracker, sweep, number, number / 4) for number in range(3)]
        for outcome in outcomes[:2]:
            curve = [Metric("train/progressive_r2", n / 4, n, n) for n in (1, 2)]
            client.log_batch(outcome.run_id, metrics=curve)
        sweep.log_leaderboard(outcomes, final=True)
    for path in (SCORES, CURVES):
        assert (Path(client.download_artifacts(sweep.run_id, path))).read_bytes()[1:4] == b"PNG"
        note = client.get_run(sweep.run_id).data.tags["mlflow.note.content"]
        assert f"get-artifact?run_uuid={sweep.run_id}&path={path}" in note
    found = [client.get_run(outcome.run_id).data.tags[COLOUR] for outcome in outcomes]
    assert found == list(colours(outcomes).values())
    assert len(set(found)) == 3


def test_a_picture_that_cannot_be_drawn_is_only_told(tracker, client, monkeypatch):
    monkeypatch.setattr("runner.tracking.sweep_pictures.png", lambda _: 1 / 0)
    with tracker.start_sweep("grid") as sweep:
        outcomes = [member(tracker, sweep, number, number / 4) for number in range(2)]
        with pytest.warns(RunnerWarning, match=r"no sweep/scores.png, .*division by zero"):
            sweep.log_leaderboard(outcomes, final=True)
    run = client.get_run(sweep.run_id)
    assert run.info.status == "FINISHED"
    assert "get-artifact" not in run.data.tags["mlflow.note.content"]


def check_tags(tags, best_run):
    assert tags["runner.kind"] == "sweep"
    assert tags["runner.members"] == "3"
    assert tags["runner.best_run"] == best_run
    assert tags["runner.best.estimator.alpha"] == "0.1"
    assert json.loads(tags["mlflow.loggedArtifacts"]) == [
        {"path": "sweep/leaderboard.json", "type": "table"}
    ]
    assert "| 1 | alpha=0.1 | 0.75 | -1 | 100 |" in tags["mlflow.note.content"].replace(
        "\u00a0", ""
    )
    assert "runner run grid" in tags["mlflow.note.content"]
    assert "runner.error" not in tags


def check_metrics(client, found):
    def curve(key):
        return [(m.step, m.value) for m in client.get_metric_history(found.info.run_id, key)]

    assert curve("best/r2") == [(0, 0.75)]
    assert curve("best/max_error") == [(0, -1.0)]
    assert curve("sweep/finished") == [(0, 3.0)]
    assert curve("sweep/failed") == [(0, 0.0)]
    assert curve("sweep/stopped") == [(0, 0.0)]
    assert [step for step, _ in curve("time/total_s")] == [0]


def test_the_members_are_children_that_say_which_they_are(tracker, client):
    with tracker.start_sweep("grid") as sweep:
        member(tracker, sweep, 4, 0.5)
        with tracker.start_run("elsewhere", parent=sweep.run_id) as other:
            pass
    (found,) = [run for run in children(find_run(sweep.run_id)) if run.run_id != other.run_id]
    assert found.tags[PARENT] == sweep.run_id
    assert found.tags["runner.kind"] == "member"
    assert (found.tags["runner.member"], found.tags["runner.member_key"]) == ("4", "key4")
    tags = client.get_run(other.run_id).data.tags
    assert (tags[PARENT], tags["runner.kind"]) == (sweep.run_id, "member")
    with tracker.start_run("single") as run:
        pass
    tags = client.get_run(run.run_id).data.tags
    assert tags["runner.kind"] == "run"
    assert PARENT not in tags


def test_a_sweep_with_a_member_that_failed_has_failed_and_says_so(tracker, client):
    with tracker.start_sweep("grid") as sweep:
        outcomes = [
            member(tracker, sweep, 0, 0.25),
            member(tracker, sweep, 1, error=ValueError("Block 3 | is bad")),
            replace(member(tracker, sweep, 2, math.nan), stop_reason="rung 1", rung=1),
        ]
        sweep.log_leaderboard(outcomes, final=True)
    found = client.get_run(sweep.run_id)
    assert found.info.status == "FAILED"
    assert found.data.tags["runner.error"] == "1 of 3 members did not finish"
    assert "- `alpha=0.1` Block 3 \\| is bad" in found.data.tags["mlflow.note.content"]
    assert "- `alpha=0.2` rung 1" in found.data.tags["mlflow.note.content"]
    assert found.data.params == {}
    assert found.data.tags["runner.best.estimator.alpha"] == "0.0"
    metrics = {"best/r2": 0.25, "sweep/finished": 2, "sweep/failed": 1, "sweep/stopped": 1}
    assert {key: found.data.metrics[key] for key in metrics} == metrics
    rows = board(sweep.run_id)
    assert [row["member"] for row in rows] == [0, 1, 2]
    assert (rows[1]["error"], rows[2]["r2"], rows[2]["rung"]) == ("Block 3 | is bad", None, 1)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ValueError("no"), "FAILED", "ValueError: no"),
        (KeyboardInterrupt(), "KILLED", "Ctrl-C ended it before its end"),
        (Terminated("SIGTERM"), "KILLED", "SIGTERM ended it before its end"),
    ],
)
def test_what_ends_a_sweep_leaves_a_true_status_and_what_was_known(
    tracker, client, error, status, said
):
    def end_early(sweep):
        outcomes = [member(tracker, sweep, 0, 0.5), pending(1)]
        sweep.log_leaderboard(outcomes, final=False)
        raise error

    with pytest.raises(type(error)), tracker.start_sweep("grid") as sweep:
        end_early(sweep)
    found = client.get_run(sweep.run_id)
    assert found.info.status == status
    assert said in found.data.tags["mlflow.note.content"]
    assert "1 finished, 1 pending" in found.data.tags["mlflow.note.content"]
    assert found.data.metrics["best/r2"] == 0.5
    assert found.data.params == {}


def test_a_sweep_that_lacks_a_member_has_not_finished(tracker, client):
    with tracker.start_sweep("grid") as sweep:
        sweep.log_leaderboard([pending(0)], final=False)
    assert client.get_run(sweep.run_id).info.status == "FAILED"
    with tracker.start_sweep("empty") as sweep:
        pass
    assert client.get_run(sweep.run_id).info.status == "FINISHED"


def test_logging_again_changes_nothing(tracker, client):
    with tracker.start_sweep("grid") as sweep:
        outcomes = [member(tracker, sweep, 0, 0.5)]
        for _ in range(3):
            sweep.log_leaderboard(outcomes, final=True)
        before = client.get_run(sweep.run_id).data.to_dictionary()
        sweep.log_leaderboard(outcomes, final=True)
        assert client.get_run(sweep.run_id).data.to_dictionary() == before
    assert len(client.get_metric_history(sweep.run_id, "best/r2")) == 1
    assert len(board(sweep.run_id)) == 1


def test_a_leaderboard_on_the_way_is_written_at_most_every_few_seconds(store, flaky, monkeypatch):
    tracker = MlflowTracker(log_model=False, flush_every_s=1000)
    monkeypatch.setattr("runner.tracking.session.connect", lambda store: flaky)
    with tracker.start_sweep("grid") as sweep:
        sweep.log_leaderboard([pending(0), pending(1)], final=False)
        flaky.calls.clear()
        sweep.log_leaderboard([replace(pending(0), status="FINISHED"), pending(1)], final=False)
        assert flaky.calls == []
    assert [row["status"] for row in board(sweep.run_id)] == ["FINISHED", "PENDING"]


def test_members_share_what_the_sweep_found_out(tracker, monkeypatch):
    calls = []
    for name in ("connect", "experiment_id", "mend", "git_state"):
        real = getattr(sys.modules["runner.tracking.session"], name)

        def counted(*arguments, name=name, real=real):
            calls.append(name)
            return real(*arguments)

        monkeypatch.setattr(f"runner.tracking.session.{name}", counted)
    with tracker.start_sweep("grid") as sweep:
        for number in range(4):
            member(tracker, sweep, number, 0.5)
    assert sorted(calls) == ["connect", "experiment_id", "git_state", "mend"]


def test_a_member_goes_where_its_own_settings_say(project, schema, tracker, client):
    (project / "other.db").write_bytes(schema.read_bytes())
    with tracker.start_sweep("grid") as sweep:
        with MlflowTracker(experiment="mine").start_run("here", parent=sweep) as here:
            pass
        elsewhere = MlflowTracker(uri="sqlite:///other.db")
        with elsewhere.start_run("there", parent=sweep) as there:
            pass
    found = client.get_run(here.run_id)
    assert client.get_experiment(found.info.experiment_id).name == "mine"
    assert [run.run_id for run in children(find_run(sweep.run_id))] == [here.run_id]
    assert find_run(there.run_id, elsewhere.uri).status == "FINISHED"


def test_a_sweep_that_was_killed_is_mended_with_its_members(store, client):
    child = [sys.executable, "-c", KILLED]
    done = subprocess.run(child, check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    run_id = done.stdout.strip()
    assert client.get_run(run_id).info.status == "RUNNING"
    with MlflowTracker().start_run("next"):
        pass
    assert client.get_run(run_id).info.status == "KILLED"
    ended = {run.name: run.status for run in children(find_run(run_id))}
    assert ended == {"0": "FINISHED", "1": "FINISHED", "2": "KILLED"}


def interrupted(tracker):
    """Leave a sweep of which one member finished, one failed and one was killed."""

    def go(sweep):
        sweep.log_sweep(RECIPE, {})
        outcomes = [
            member(tracker, sweep, 0, 0.25),
            member(tracker, sweep, 1, error=ValueError("no")),
            *(pending(2), pending(3)),
        ]
        sweep.log_leaderboard(outcomes, final=False)
        member(tracker, sweep, 2, error=KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt), tracker.start_sweep("grid") as sweep:
        go(sweep)
    return sweep.run_id


def test_a_sweep_that_is_resumed_goes_on_and_doubles_nothing(tracker, client):
    run_id = interrupted(tracker)
    assert client.get_run(run_id).info.status == "KILLED"
    with tracker.start_sweep("grid", resumed=run_id) as sweep:
        assert sweep.run_id == run_id
        found = client.get_run(run_id)
        assert found.info.status == "RUNNING"
        assert "runner.stop_reason" not in found.data.tags
        sweep.log_sweep(RECIPE, {})
        known = sweep.members()
        assert {key: o.status for key, o in known.items()} == {
            "key0": "FINISHED",
            "key1": "FAILED",
            "key2": "KILLED",
        }
        assert known["key0"].scores == {"r2": 0.25, "max_error": -1.0}
        outcomes = [known["key0"], *(member(tracker, sweep, n, n / 4) for n in (1, 2, 3))]
        sweep.log_leaderboard(outcomes, final=True)
    found = client.get_run(run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"seed": "1", "best.estimator.alpha": "0.3"}
    assert found.data.metrics["sweep/finished"] == 4
    assert [row["member"] for row in board(run_id)] == [3, 2, 0, 1]
    check_children(client, run_id, outcomes)


def check_children(client, run_id, outcomes):
    members = children(find_run(run_id))
    assert [run.run_id for run in members] == [outcome.run_id for outcome in outcomes]
    assert all(run.status == "FINISHED" for run in members)
    experiment = client.get_run(run_id).info.experiment_id
    runs = client.search_runs([experiment], f"tags.`{PARENT}` = '{run_id}'")
    new = {run.data.tags["runner.member_key"]: run.data.tags.get(SUPERSEDED) for run in runs}
    assert len(runs) == 6
    superseded = {run.data.tags[SUPERSEDED] for run in runs if SUPERSEDED in run.data.tags}
    assert superseded == {outcomes[1].run_id, outcomes[2].run_id}
    assert set(new) == {"key0", "key1", "key2", "key3"}
    assert not any(run.info.status == "RUNNING" for run in runs)


def test_a_member_that_another_process_runs_anew_supersedes_too(tracker, client):
    run_id = interrupted(tracker)
    with tracker.start_sweep("grid", resumed=run_id) as sweep:
        known = sweep.members()
        new = member(tracker, run_id, 1, 0.5)
        sweep.log_leaderboard([known["key0"], new, pending(2), pending(3)], final=False)
    assert client.get_run(known["key1"].run_id).data.tags[SUPERSEDED] == new.run_id


def test_a_resume_that_was_killed_leaves_no_member_twice(tracker, client):
    run_id = interrupted(tracker)
    member(tracker, run_id, 1, 0.5)  # by another process, and its sweep was killed thereafter
    with tracker.start_sweep("grid", resumed=run_id) as sweep:
        assert sweep.members()["key1"].status == "FINISHED"
    assert len(children(find_run(run_id))) == 3
    experiment = client.get_run(run_id).info.experiment_id
    left = client.search_runs([experiment], f"tags.`{SUPERSEDED}` IS NOT NULL")
    assert [run.info.status for run in left] == ["FAILED"]


@pytest.mark.parametrize("process", ["gone", "unknown"])
def test_no_member_is_left_running_after_a_resume(tracker, client, process):
    run_id = interrupted(tracker)
    tags = {PARENT: run_id, **member_tags(3, "key3", {})}
    if process == "gone":
        here = client.get_run(run_id).data.tags[PROCESS]
        tags[PROCESS] = f"{here.rpartition('/')[0]}/1"
    experiment = client.get_run(run_id).info.experiment_id
    lost = client.create_run(experiment, tags=tags).info.run_id
    with tracker.start_sweep("grid", resumed=run_id) as sweep:
        status = "KILLED" if process == "gone" else "RUNNING"
        assert client.get_run(lost).info.status == status
        sweep.log_leaderboard([member(tracker, sweep, 3, 0.5)], final=True)
    assert client.get_run(lost).info.status == "KILLED"


def test_a_resume_that_cannot_begin_leaves_the_sweep_as_it_was(tracker, client, monkeypatch):
    with tracker.start_sweep("grid") as sweep:
        pass

    def refuse(*_, **__):
        raise TrackingError("The folder", "be writable", got="a full disk", remedy="Mend it.")

    monkeypatch.setattr("runner.tracking.open_run.Outbox", refuse)
    with (
        pytest.raises(TrackingError, match="a full disk"),
        tracker.start_sweep("grid", resumed=sweep.run_id),
    ):
        pytest.fail("it began")
    assert client.get_run(sweep.run_id).info.status == "FINISHED"


def test_what_the_best_no_longer_differs_in_is_emptied(tracker, client):
    one = replace(pending(0), status="FINISHED", scores={"r2": 0.5}, params={"a": 1})
    other = replace(pending(1), status="FINISHED", scores={"r2": 0.75}, params={"b": 2})
    with tracker.start_sweep("grid") as sweep:
        sweep.log_leaderboard([one], final=True)
        sweep.log_leaderboard([one, other], final=True)
    tags = client.get_run(sweep.run_id).data.tags
    assert (tags["runner.best.a"], tags["runner.best.b"]) == ("", "2")


def test_a_store_that_goes_away_ends_no_sweep_and_gets_all_later(store, flaky, monkeypatch):
    tracker = MlflowTracker(log_model=False, flush_every_s=0)
    monkeypatch.setattr("runner.tracking.session.connect", lambda store: flaky)
    outcome = replace(pending(0), status="FINISHED", scores={"r2": 0.5})

    def go(sweep):
        flaky.away = True
        for number in range(4):
            sweep.log_leaderboard([pending(0)] * (number + 1), final=False)
        flaky.away = False
        sweep.log_leaderboard([outcome], final=True)

    told = pytest.warns(RunnerWarning, match="Recording in .* fails for now")
    with told, tracker.start_sweep("grid") as sweep:
        go(sweep)
    run = find_run(sweep.run_id)
    assert run.status == "FINISHED"
    assert [row["status"] for row in board(sweep.run_id)] == ["FINISHED"]
    assert run.tags["runner.best.estimator.alpha"] == "0.0"


def test_a_view_that_cannot_be_saved_is_only_told(tracker, client, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no view")

    monkeypatch.setattr("runner.tracking.sweep_run.save_view", refuse)
    with (
        pytest.warns(RunnerWarning, match=r"has no view of its own .*no view"),
        tracker.start_sweep("grid") as sweep,
    ):
        sweep.log_leaderboard([replace(pending(0), status="FINISHED")], final=True)
    run = find_run(sweep.run_id)
    assert run.status == "FINISHED"
    assert "runner.view" not in run.tags
    assert run.members == 1


def test_over_a_server_the_address_is_the_view(server):
    tracker = MlflowTracker(uri=server.url, experiment="sweeps", log_model=False)
    with tracker.start_sweep("grid") as sweep:
        page = sweep.url
        assert f"/runs/{sweep.run_id}?" in page
        outcome = member(tracker, sweep, 0, 0.5)
        sweep.log_leaderboard([outcome], final=True)
        assert sweep.url.endswith(f"viewStateShareKey={sweep.run_id}")
        assert outcome.run_id in sweep.members()["key0"].url
    assert find_run(sweep.run_id, server.url).status == "FINISHED"


def test_many_members_log_from_many_threads_and_close_in_any_order(store, client):
    tracker = MlflowTracker(log_model=False, flush_every_s=0)
    before = signal.getsignal(signal.SIGTERM)
    n = 24
    with tracker.start_sweep("grid") as sweep:
        stacks = [ExitStack() for _ in range(n)]
        runs = [
            stack.enter_context(tracker.start_run(str(number), parent=sweep))
            for number, stack in enumerate(stacks)
        ]

        def learn(number):
            recorder = runs[number].callbacks()["recorder"]
            progress = Progress(total_rows=1000)
            recorder.on_fit_begin(progress, None)
            for rows in range(100, 1100, 100):
                progress.rows, progress.scores = rows, {"r2": float(number)}
                recorder.on_block_end(progress, None)
            recorder.on_fit_end(progress)
            runs[number].log_scores(Evaluated({"r2": float(number)}, 10))
            runs[number].log_tags({"told": str(number)})

        with ThreadPoolExecutor(n) as pool:
            list(pool.map(learn, range(n)))
        for number in sorted(range(n), key=lambda number: number * 7 % n):
            stacks[number].close()
    assert signal.getsignal(signal.SIGTERM) is before
    for number, run in enumerate(runs):
        found = client.get_run(run.run_id)
        assert (found.info.status, found.data.tags["told"]) == ("FINISHED", str(number))
        history = client.get_metric_history(run.run_id, "train/progressive_r2")
        expected = [(rows, float(number)) for rows in range(100, 1100, 100)]
        assert [(m.step, m.value) for m in history] == expected


def test_a_signal_ends_every_open_member_and_the_sweep(tracker, client):
    runs = []

    def go(stack):
        runs.append(stack.enter_context(tracker.start_sweep("grid")))
        for number in range(3):
            runs.append(stack.enter_context(tracker.start_run(str(number), parent=runs[0])))
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Terminated), ExitStack() as stack:
        go(stack)
    assert [client.get_run(run.run_id).info.status for run in runs] == ["KILLED"] * 4
