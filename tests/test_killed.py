"""A run that is killed at any instant and resumed ends with the bits of one that was not."""

import random
import shutil
import signal
import sys
from itertools import count, pairwise

import numpy as np
import pytest

from runner.tracking.loading import load_model
from runner.tracking.record import recent_runs
from runner.tracking.tags import STOP_REASON
from tests.killed import Kill, Server, facts, facts_of_sweep, latest, state_of, uri_of

ROWS, COLUMNS, CHUNKS = 24_000, 20, 400
BLOCKS = 42  # of 60, without those held out
CHECKPOINT = "checkpoint: {after_s: 0, every_s: 0.05, cost: 1}"
SGD = """\
# mixed rows in a new order each epoch
defaults: [{override /dataset: npy}, {override /estimator: sgd_classifier}]
stream: {buffer_blocks: 3}
partial_fit: {classes: [0, 1]}
fit: {epochs: 4}
evaluation: {scoring: [accuracy, roc_auc], every: epoch}
"""
KINDS = {
    "sgd": SGD,
    "mlp": """\
# stopped early by held-out rows, and the best of it kept
defaults:
  - override /dataset: npy
  - override /estimator: mlp_classifier
  - override /callbacks: [checkpoint, early_stopping, best_snapshot]
estimator: {hidden_layer_sizes: [32], learning_rate_init: 0.02}
partial_fit: {classes: [0, 1]}
fit: {epochs: 8}
evaluation: {scoring: [accuracy], every: 4000}
callbacks: {early_stopping: {patience: 3}}
""",
    "nb": """\
# a scaler that learns along
defaults:
  - override /dataset: npy
  - override /estimator: gaussian_nb
  - override /preprocessing: [standard_scaler]
fit: {epochs: 6, preprocessing: running}
partial_fit: {classes: [0, 1]}
evaluation: {scoring: [accuracy], every: 10000}
""",
    "kmeans": """\
# no target to learn, and a scaler that a pass has fitted
defaults:
  - override /dataset: npy
  - override /estimator: mini_batch_kmeans
  - override /preprocessing: [standard_scaler]
estimator: {n_clusters: 5}
fit: {epochs: 4}
evaluation: {scoring: [neg_inertia]}
""",
    "pca": """\
# a transformer that learns, behind a scaler that a pass has fitted
defaults:
  - override /dataset: npy
  - override /estimator: incremental_pca
  - override /preprocessing: [standard_scaler]
estimator: {n_components: 6}
stream: {buffer_blocks: 2}
fit: {epochs: 4}
evaluation: {scoring: [neg_reconstruction_error], every: 10000}
""",
}
SWEEP = """\
# members that read the same
defaults: [{override /dataset: npy}, {override /estimator: sgd_classifier}]
stream: {buffer_blocks: 3}
partial_fit: {classes: [0, 1]}
fit: {epochs: 2}
evaluation: {scoring: [accuracy]}
tracking: {log_model: false}
sweep:
  grid: {estimator.alpha: [1e-2, 1e-3, 1e-4, 1e-5]}
"""
SWEEPS = {"grid": SWEEP, "halving": f"{SWEEP}  halving: {{first_rows: 8000, factor: 2}}\n"}
FINISHED = "must be one that did not finish"
WRONG, INTERRUPTED, TERMINATED = 2, 130, 143


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder of rows that every project here may learn from."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, COLUMNS)) * np.arange(1, COLUMNS + 1)
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", (X[:, 0] + rng.normal(size=ROWS) > 0).astype(int))
    return folder


@pytest.fixture(scope="module")
def new_project(tmp_path_factory, schema, data):
    """Return what makes a project with all the experiments."""
    numbers = count()

    def new_project():
        project = tmp_path_factory.mktemp(f"killed{next(numbers)}-")
        shutil.copy(schema, project / "mlflow.db")
        for kind, text in {**KINDS, **SWEEPS}.items():
            write(project, kind, text, data)
        return project

    return new_project


def write(project, name, text, data, checkpoint=CHECKPOINT):
    rows = f"{{X: {data}/X.npy, y: {data}/y.npy, chunks: {CHUNKS}, holdout: 0.2, validation: 0.1}}"
    text = f"{text}dataset: {rows}\n"
    text = (
        text.replace("callbacks: {", f"callbacks: {{{checkpoint}, ")
        if "callbacks: {" in text
        else f"{text}callbacks: {{{checkpoint}}}\n"
    )
    (project / "experiments").mkdir(exist_ok=True)
    (project / "experiments" / f"{name}.yaml").write_text(text)


@pytest.fixture(scope="module")
def server(new_project):
    """Return what runs commands in children."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "RUNNER_EXPERIMENTS", "RUNNER_ALLOW"):
            patch.delenv(name, raising=False)
        server = Server(new_project())
    yield server
    server.close()


@pytest.fixture(scope="module")
def whole(server, new_project):
    """Return the run of a kind that nothing interrupts, and what it comes to."""
    known = {}

    def whole(kind):
        if kind not in known:
            project = new_project()
            attempt = server.run(project, "run", kind)
            assert attempt.code == 0, attempt.output
            run = latest(project)
            assert state_of(project, run.run_id) == {}
            known[kind] = attempt, facts(project, run)
        return known[kind]

    return whole


def survived(server, project, kind, expected, draw):
    """Kill a run and go on with it until it has finished; return each attempt.

    ``draw(left)`` says when to kill the next, of which so great a share is left to learn.
    """
    undisturbed, known = expected
    command, attempts, start = ["run", kind], [], 0
    while True:
        kill = draw(1 - start / undisturbed.stop)
        kills = [] if kill is None else [kill]
        attempt = server.run(project, *command, kills=kills, start=start)
        assert attempt.learned == undisturbed.learned[start : attempt.stop]
        if attempt.code == WRONG and FINISHED in attempt.output:
            break
        attempts.append(attempt)
        if attempt.code == 0:
            assert state_of(project, latest(project).run_id) == {}
            break
        assert attempt.code == -signal.SIGKILL, attempt.output
        run_id = latest(project).run_id
        command, start = ["resume", run_id[:12]], learned_in(state_of(project, run_id))
    (run,) = recent_runs(uri_of(project))
    assert facts(project, run) == known
    return attempts


def learned_in(state):
    """Return how many blocks were learned when a state was kept; none where there is none."""
    return state["epoch"] * BLOCKS + state["position"] if state else 0


def refitted(attempts):
    """Return how many blocks each kill cost, and see that it is one interval and one at most."""
    found = []
    for before, after in pairwise(attempts):
        lost = before.stop - after.start
        assert 0 <= lost <= before.at_stake
        found.append(lost)
    return found


def anywhere(chance, undisturbed, n_kills):
    """Return what draws instants of the whole command, from its first block to its end."""
    left_to_draw = iter(range(n_kills))
    tail = undisturbed.seconds("score")
    learning = undisturbed.seconds() - tail

    def draw(left):
        if next(left_to_draw, None) is None:
            return None
        return Kill("learn", after_s=chance.uniform(0, learning * left + tail))

    return draw


def in_turn(*kills):
    waiting = iter(kills)
    return lambda left: next(waiting, None)


def test_what_is_killed_here_stops_early_and_keeps_its_best(whole):
    _, known = whole("mlp")
    assert "no better" in known["tags"][STOP_REASON]
    assert known["scores"]["progress/best_rows"]


def slow(kind):
    return pytest.param(kind, marks=pytest.mark.slow)


@pytest.mark.parametrize("kind", ["sgd", "mlp", slow("nb"), slow("kmeans")])
def test_a_run_that_is_killed_anywhere_ends_with_the_same_bits(server, new_project, whole, kind):
    expected = whole(kind)
    draw = anywhere(random.Random(kind), expected[0], 2)  # noqa: S311
    refitted(survived(server, new_project(), kind, expected, draw))


def test_a_run_may_be_killed_in_whatever_it_does(server, new_project, whole):
    kills = [
        Kill("keep", nth=3, after_s=0.002),
        Kill("test", after_s=0.003),
        Kill("score", after_s=0.01),
        Kill("upload", after_s=0.05),
    ]
    attempts = survived(server, new_project(), "pca", whole("pca"), in_turn(*kills))
    assert len(attempts) in (4, 5)  # on a busy machine the last kill may come too late
    refitted(attempts)


@pytest.mark.parametrize("kind", ["pca", slow("mlp")])
def test_a_run_may_be_killed_when_all_is_learned(server, new_project, whole, data, kind):
    """Then the model is what was saved, and nothing is learned behind it that hides a bit."""
    project = new_project()
    write(project, kind, KINDS[kind], data, "checkpoint: {after_s: 0, every_s: 0, cost: 1e9}")
    kills = in_turn(Kill("score", after_s=0.02), Kill("upload", after_s=0.02))
    attempts = survived(server, project, kind, whole(kind), kills)
    assert [len(attempt.learned) for attempt in attempts[1:]] in ([0, 0], [1, 1])


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(KINDS))
def test_forty_kills_of_each_kind_change_no_bit(server, new_project, whole, kind, figures):
    expected = whole(kind)
    undisturbed = expected[0]
    chance, n_kills, lost, intervals = random.Random(f"long {kind}"), 0, [], []  # noqa: S311
    while n_kills < 42:
        draw = anywhere(chance, undisturbed, chance.randint(2, 6))
        attempts = survived(server, new_project(), kind, expected, draw)
        n_kills += sum(attempt.code != 0 for attempt in attempts)
        lost += refitted(attempts)
        intervals += [blocks for attempt in attempts for blocks in attempt.intervals]
    figures(f"T1 kill.{kind}.differing 0 of {n_kills}")
    figures(f"T1 kill.{kind}.refitted {max(lost)} blocks (longest interval {max(intervals)})")


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(KINDS))
def test_kills_at_every_third_cost_little_time(server, new_project, whole, kind, figures):
    expected, beside = whole(kind), server.run(new_project(), "run", kind)
    kill = Kill("learn", after_s=beside.seconds() / 3)
    attempts = survived(server, new_project(), kind, expected, in_turn(kill, kill))
    refitted(attempts)
    learning = sum(attempt.seconds() for attempt in attempts) / beside.seconds()
    in_all = sum(attempt.took_s for attempt in attempts) / beside.took_s
    figures(f"T1 kill.{kind}.wall {learning:.2f} x from the first block on, {in_all:.2f} x in all")


@pytest.fixture
def figures(capsys):
    """Return what writes a figure past pytest."""

    def figures(line):
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return figures


@pytest.fixture(scope="module")
def whole_sweep(server, new_project):
    """Return how long a sweep takes that nothing interrupts, and what it comes to."""
    known = {}

    def whole_sweep(name):
        if name not in known:
            project = new_project()
            attempt = server.run(project, "run", name)
            assert attempt.code == 0, attempt.output
            known[name] = attempt, facts_of_sweep(project, latest(project))
        return known[name]

    return whole_sweep


def survived_sweep(server, project, name, expected, draws):
    """Kill a sweep at random, and return how often; ``draws`` are shares of its whole time."""
    undisturbed, known = expected
    command, n_killed = ["run", name], 0
    for share in (*draws, None):
        after_s = undisturbed.seconds() * (share or 0)
        kills = [] if share is None else [Kill("learn", after_s=after_s)]
        attempt = server.run(project, *command, kills=kills)
        if attempt.code != -signal.SIGKILL:
            break
        n_killed += 1
        command = ["resume", latest(project).run_id[:12]]
    finished = "must have members that did not finish" in attempt.output
    assert attempt.code == 0 or finished, attempt.output
    (run,) = recent_runs(uri_of(project))
    found = facts_of_sweep(project, run)
    assert found["members"] == known["members"]
    assert finished or found == known
    return n_killed


@pytest.mark.parametrize("name", list(SWEEPS))
def test_a_sweep_that_is_killed_ends_with_the_same_models(server, new_project, whole_sweep, name):
    draws = [random.Random(name).uniform(0.1, 0.7)]  # noqa: S311
    assert survived_sweep(server, new_project(), name, whole_sweep(name), draws) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", list(SWEEPS))
def test_many_kills_of_a_sweep_change_no_bit(server, new_project, whole_sweep, name, figures):
    expected, chance, n_killed = whole_sweep(name), random.Random(f"long {name}"), 0  # noqa: S311
    for _ in range(8):
        draws = [chance.random() for _ in range(chance.randint(1, 3))]
        n_killed += survived_sweep(server, new_project(), name, expected, draws)
    figures(f"T1 kill.sweep.{name}.differing 0 of {n_killed}")


def resumed(server, project):
    """Go on with the latest run, and return how it stands."""
    attempt = server.run(project, "resume", latest(project).run_id[:12])
    assert attempt.code == 0, attempt.output
    return latest(project)


def agrees(found, known):
    """Say that a run which was told to stop in between has come to the same.

    It has a point of each curve more, at the row where it stopped.
    """
    for key in ("status", "model", "tags", "ledger"):
        assert found[key] == known[key]
    for key, points in known["curves"].items():
        more = found["curves"][key]
        assert len({step for step, _ in more}) == len(more)
        assert set(points) <= set(more)


def test_ctrl_c_stops_after_the_block_and_keeps_model_and_scores(server, new_project, whole):
    project, (_, known) = new_project(), whole("sgd")
    stop = Kill("learn", nth=60, number=signal.SIGINT)
    attempt = server.run(project, "run", "sgd", kills=[stop])
    assert attempt.code == INTERRUPTED
    assert "stopping after this block" in attempt.output
    run = latest(project)
    assert (run.status, run.tags[STOP_REASON]) == ("KILLED", "Ctrl-C")
    assert set(run.scores) == {"accuracy", "roc_auc"}
    load_model(run, uri_of(project))
    assert learned_in(state_of(project, run.run_id)) == attempt.stop < 80
    run = resumed(server, project)
    agrees(facts(project, run), known)
    assert {key: repr(score) for key, score in run.scores.items()} == {
        name: known["scores"][f"holdout/{name}"][0] for name in run.scores
    }


def test_a_second_ctrl_c_stops_at_once(server, new_project, whole):
    project = new_project()
    stops = [Kill("learn", nth=60, number=signal.SIGINT), Kill("score", number=signal.SIGINT)]
    attempt = server.run(project, "run", "sgd", kills=stops)
    assert attempt.code == INTERRUPTED
    assert "upload" not in [note.what for note in attempt.notes]
    assert (latest(project).status, latest(project).scores) == ("KILLED", {})
    assert learned_in(state_of(project, latest(project).run_id)) == attempt.stop
    agrees(facts(project, resumed(server, project)), whole("sgd")[1])


def test_a_run_that_was_terminated_goes_on(server, new_project, whole):
    project = new_project()
    stop = Kill("learn", nth=60, after_s=0.002, number=signal.SIGTERM)
    attempt = server.run(project, "run", "mlp", kills=[stop])
    assert attempt.code == TERMINATED
    assert latest(project).status == "KILLED"
    assert learned_in(state_of(project, latest(project).run_id)) >= attempt.stop - attempt.at_stake
    agrees(facts(project, resumed(server, project)), whole("mlp")[1])


def test_a_bad_block_that_was_mended_is_gone_on_with_by_force(
    server, new_project, whole, tmp_path, data
):
    project, (_, known) = new_project(), whole("nb")
    shutil.copytree(data, tmp_path / "rows")
    write(project, "nb", KINDS["nb"], tmp_path / "rows")
    good = np.load(tmp_path / "rows" / "X.npy")
    bad = good.copy()
    bad[int(known["ledger"]["first_row"][20]) + 5, 7] = np.nan
    np.save(tmp_path / "rows" / "X.npy", bad)
    attempt = server.run(project, "run", "nb")
    assert attempt.code == WRONG
    assert "goes on with it" in attempt.output
    assert len(attempt.learned) == 20
    run = latest(project)
    assert run.status == "FAILED"
    np.save(tmp_path / "rows" / "X.npy", good)
    refused = server.run(project, "resume", run.run_id[:12])
    assert refused.code == WRONG
    assert "X.npy" in refused.output
    assert "--force" in refused.output
    assert latest(project).status == "FAILED"
    forced = server.run(project, "resume", run.run_id[:12], "--force")
    assert forced.code == 0, forced.output
    assert "not what it would have been" in forced.output
    agrees(facts(project, latest(project)), known)
