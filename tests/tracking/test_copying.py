import json
import math
import shutil
from pathlib import Path

import pytest

from runner.records import Outcome, Recipe
from runner.tracking.away import STORE
from runner.tracking.client import connect
from runner.tracking.copied_model import COPIED_FROM
from runner.tracking.copying import COPYING, Opened, copy
from runner.tracking.leaderboard import PATH
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.outbox import BATCH
from runner.tracking.process import Process
from runner.tracking.store import resolve
from runner.tracking.tags import BEST_RUN, PARENT, PROCESS, SUPERSEDED, VIEW, member_tags
from runner.tracking.views import TAG

RECIPE = Recipe(name="a", params={f"key{i}": i for i in range(250)}, config="a: 1\n")


@pytest.fixture
def source(store, client):
    return Opened(store, client)


@pytest.fixture
def target(project, schema):
    shutil.copy(schema, project / "other.db")
    store = resolve("sqlite:///other.db")
    return Opened(store, connect(store))


@pytest.fixture
def whole(source, make_part, points):
    """Return a run that keeps everything, and has a long curve with a gap."""
    tracker = MlflowTracker(experiment="mine", tags={STORE: "http://host"}, log_model=False)
    with tracker.start_run("named", command="runner run a") as run:
        run.log_params(RECIPE)
        run.log_dataset("rows", {"path": "rows.csv"}, {"train": make_part(*points)})
        for step in range(BATCH + 10):
            run._outbox.log({"curve": math.nan if step == 7 else step / 3, "other": 1.0}, step)
        run._put("notes/deep/a.md", f"see {run.run_id}".encode)
        run._put("notes/b.bin", lambda: b"\xff\x00" + run.run_id.encode())
        run._put("notes/latin.txt", lambda: b"\xe9" + run.run_id.encode())
    return source.client.get_run(run.run_id)


def history(client, run):
    """Return every point of a run, in order."""
    return {
        key: sorted((m.step, m.timestamp, str(m.value)) for m in points)
        for key in run.data.metrics
        if (points := client.get_metric_history(run.info.run_id, key))
    }


def content(client, run_id, path):
    from mlflow.artifacts import download_artifacts

    uri = f"{client.get_run(run_id).info.artifact_uri}/{path}"
    path = download_artifacts(artifact_uri=uri, tracking_uri=client.tracking_uri)
    return Path(path).read_bytes()


def all_of(client):
    ids = [each.experiment_id for each in client.search_experiments()]
    return list(client.search_runs(ids))


def check_copy(source, target, run, new_id):
    new = target.client.get_run(new_id)
    assert (new.info.status, new.info.run_name) == (run.info.status, run.info.run_name)
    assert (new.info.start_time, new.info.end_time) == (run.info.start_time, run.info.end_time)
    assert new.data.params == run.data.params
    assert history(target.client, new) == history(source.client, run)
    dropped = {STORE}
    assert new.data.tags.keys() == run.data.tags.keys() - dropped | {COPIED_FROM}
    assert new.data.tags[PROCESS] == run.data.tags[PROCESS]
    datasets = [(d.dataset.digest, d.tags[0].value) for d in new.inputs.dataset_inputs]
    assert datasets == [(d.dataset.digest, d.tags[0].value) for d in run.inputs.dataset_inputs]
    experiment = target.client.get_experiment(new.info.experiment_id)
    assert experiment.name == source.client.get_experiment(run.info.experiment_id).name


def test_a_copy_is_whole(source, target, whole):
    old_id = whole.info.run_id
    ids = copy(source, target, [whole])
    check_copy(source, target, whole, ids[old_id])
    new_id = ids[old_id]
    assert content(target.client, new_id, "config/config.yaml") == b"a: 1\n"
    assert content(target.client, new_id, "notes/deep/a.md").decode() == f"see {new_id}"
    assert content(target.client, new_id, "notes/b.bin") == b"\xff\x00" + old_id.encode()
    assert content(target.client, new_id, "notes/latin.txt") == b"\xe9" + old_id.encode()
    report = content(target.client, new_id, "report.md").decode()
    assert str(source.store) not in report


def test_copying_again_changes_nothing(source, target, whole):
    first = copy(source, target, [whole])
    assert copy(source, target, [whole]) == first
    assert len(all_of(target.client)) == 1


CALLS = ["create_run", "log_batch", "log_inputs", "log_artifacts", "log_artifact"]
LAST = ["set_terminated", "set_tag", "delete_tag"]


class Interrupted:
    """A client that is killed after so many calls of one kind: they arrive, and are not heard."""

    def __init__(self, client, name, after=1):
        self._client, self._name, self._left = client, name, after

    def __getattr__(self, name):
        found = getattr(self._client, name)
        if name != self._name:
            return found

        def call(*arguments, **options):
            answer = found(*arguments, **options)
            self._left -= 1
            if not self._left:
                raise KeyboardInterrupt
            return answer

        return call


def test_a_copy_that_is_interrupted_at_every_call_is_completed_and_not_doubled(
    source, target, whole
):
    for name, after in [*((name, 1) for name in CALLS), ("log_batch", 3), *((n, 1) for n in LAST)]:
        with pytest.raises(KeyboardInterrupt):
            copy(source, Opened(target.store, Interrupted(target.client, name, after)), [whole])
        (half,) = all_of(target.client)
        assert half.data.tags[COPIED_FROM] == whole.info.run_id
        if name in CALLS:
            assert half.data.tags[COPYING] == "unfinished"
            assert half.info.status == "RUNNING"
            assert Process.parse(half.data.tags[PROCESS]) == Process.current()
    ids = copy(source, target, [whole])
    (found,) = all_of(target.client)
    assert ids == {whole.info.run_id: found.info.run_id}
    check_copy(source, target, whole, found.info.run_id)


def test_a_copy_that_somebody_marked_as_killed_gets_its_own_status(source, target, whole):
    with pytest.raises(KeyboardInterrupt):
        copy(source, Opened(target.store, Interrupted(target.client, "log_inputs")), [whole])
    (half,) = all_of(target.client)
    target.client.set_terminated(half.info.run_id, "KILLED")
    ids = copy(source, target, [whole])
    check_copy(source, target, whole, ids[whole.info.run_id])


def test_a_request_that_arrived_twice_leaves_one_copy(source, target, whole):
    with pytest.raises(KeyboardInterrupt):
        copy(source, Opened(target.store, Interrupted(target.client, "create_run")), [whole])
    (half,) = all_of(target.client)
    target.client.create_run(half.info.experiment_id, half.info.start_time, half.data.tags)
    ids = copy(source, target, [whole])
    (found,) = all_of(target.client)
    assert ids == {whole.info.run_id: found.info.run_id}
    info = found.info
    target.client.create_run(info.experiment_id, info.start_time, half.data.tags)
    assert copy(source, target, [whole]) == ids
    assert [run.info.run_id for run in all_of(target.client)] == [info.run_id]


@pytest.fixture
def family(source):
    """Return a sweep of two members, one of them tried twice, the sweep first."""
    tracker = MlflowTracker(experiment="grid", log_model=False)
    with tracker.start_sweep("grid") as sweep:
        sweep.log_sweep(Recipe("grid", {"seed": 0}, config="a: 1\n"), {"sweep/members.json": "[]"})
        outcomes = []
        for number in (0, 0, 1):
            params = {"alpha": number}
            tags = member_tags(number, f"key{number}", params)
            with tracker.start_run(f"alpha={number}", parent=sweep, tags=tags) as member:
                member._outbox.log({"holdout/accuracy": number / 2}, 0)
            outcomes.append(
                Outcome(
                    number=number,
                    name=f"alpha={number}",
                    key=f"key{number}",
                    params=params,
                    status="FINISHED",
                    scores={"accuracy": number / 2},
                    run_id=member.run_id,
                )
            )
        sweep._client.set_tag(outcomes[0].run_id, SUPERSEDED, outcomes[1].run_id)
        sweep.log_leaderboard(outcomes[1:], final=True)
    ids = [sweep.run_id, *(outcome.run_id for outcome in outcomes)]
    return [source.client.get_run(run_id) for run_id in ids]


@pytest.mark.parametrize("interrupted", [None, "create_run", "set_terminated", "log_artifacts"])
def test_a_sweep_is_copied_with_its_members_and_their_new_ids(source, target, family, interrupted):
    if interrupted is not None:
        for after in (2, 1):
            client = Interrupted(target.client, interrupted, after)
            with pytest.raises(KeyboardInterrupt):
                copy(source, Opened(target.store, client), family)
    ids = copy(source, target, family)
    parent, *members = [target.client.get_run(ids[run.info.run_id]) for run in family]
    assert len(all_of(target.client)) == 4
    for run in family:
        check_copy(source, target, run, ids[run.info.run_id])
    assert [run.data.tags[PARENT] for run in members] == [parent.info.run_id] * 3
    assert members[0].data.tags[SUPERSEDED] == members[1].info.run_id
    assert parent.data.tags[BEST_RUN] == members[2].info.run_id
    table = json.loads(content(target.client, parent.info.run_id, PATH))
    place = table["columns"].index("run_id")
    assert [row[place] for row in table["data"]] == [
        members[2].info.run_id,
        members[1].info.run_id,
    ]
    assert parent.data.tags[VIEW] == parent.info.run_id
    tags = target.client.get_experiment(parent.info.experiment_id).tags
    assert [key for key in tags if key.startswith(TAG)] == [TAG + parent.info.run_id]
    texts = json.dumps([run.data.tags for run in (parent, *members)])
    copied_from = {run.data.tags[COPIED_FROM] for run in (parent, *members)}
    assert copied_from == set(ids)
    assert sum(texts.count(old) for old in ids) == len(ids)


def test_a_member_of_a_sweep_that_is_there_already_keeps_its_parent(source, target):
    with MlflowTracker(log_model=False).start_run("member", parent="5f" * 16) as member:
        pass
    ids = copy(source, target, [source.client.get_run(member.run_id)])
    new = target.client.get_run(ids[member.run_id])
    assert new.data.tags[PARENT] == "5f" * 16


def test_what_is_refused_is_raised_and_the_copy_stays_unfinished(source, target, whole):
    class Full:
        def __getattr__(self, name):
            if name == "log_artifacts":
                raise OSError("no space left")
            return getattr(target.client, name)

    with pytest.raises(OSError, match="no space left"):
        copy(source, Opened(target.store, Full()), [whole])
    (half,) = all_of(target.client)
    assert (half.info.status, COPYING in half.data.tags) == ("RUNNING", True)
