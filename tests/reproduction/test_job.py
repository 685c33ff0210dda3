"""A recorded run, run again: what is the same is called so, and what is not is named."""

import shutil
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import runner
from runner.cli import WRONG, main
from runner.errors import ConfigError, DatasetError, TrackingError
from runner.project import builtin
from runner.reproduction.comparison import DIFFERS, IDENTICAL
from runner.reproduction.job import REPRODUCES, reproduce
from runner.reproduction.record import kept
from runner.tracking.client import connect
from runner.tracking.environment import requirements
from runner.tracking.record import CONFIG, children, find_run, kept_config, recent_runs
from runner.tracking.store import resolve

FILE = """\
defaults: [{override /dataset: npy}, {override /estimator: sgd_classifier}]
seed: 3
dataset: {X: rows/X.npy, y: rows/y.npy, chunks: 20, holdout: 0.25}
estimator: {alpha: 0.001}
partial_fit: {classes: [0, 1]}
callbacks: {}
tracking: {log_model: false}
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, schema):
    """Run an experiment on files of a project, once; return the project and the run's id."""
    root = tmp_path_factory.mktemp("recorded")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(160, 4))
    (root / "rows").mkdir()
    np.save(root / "rows" / "X.npy", X)
    np.save(root / "rows" / "y.npy", (X[:, 0] > 0).astype(int))
    (root / "experiments").mkdir()
    (root / "experiments" / "mine.yaml").write_text(FILE)
    shutil.copy(schema, root / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNNER_PROJECT", str(root))
        patch.chdir(root)
        return root, run_mine().run_id


def run_mine():
    return runner.run("mine", ["callbacks=[]"])


@pytest.fixture(autouse=True)
def store(project, recorded):
    """Let each test have that project for itself; the artifacts stay where they are."""
    root, _ = recorded
    for name in ("rows", "experiments"):
        shutil.copytree(root / name, project / name)
    shutil.copy(root / "mlflow.db", project)


@pytest.fixture
def mine(recorded):
    """Return that run."""
    return find_run(recorded[1])


def verdicts(done):
    return {aspect.name: aspect.verdict for aspect in done.aspects}


def told(done):
    return [str(cause) for cause in done.causes]


def learned_block(run):
    """Return the number of the block that was learned second."""
    return kept(run).ledger["block"].to_pylist()[1]


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.org", "-c", "commit.gpgsign=false"]
    subprocess.run(
        ["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True
    )


def test_a_run_is_reproduced_to_the_bit(mine):
    done = reproduce(mine.run_id)
    assert verdicts(done) == dict.fromkeys(("data", "order", "scores", "model"), IDENTICAL)
    assert told(done) == []
    again = find_run(done.again.run_id)
    assert again.tags[REPRODUCES] == mine.run_id
    assert (again.name, again.experiment_id) == (mine.name, mine.experiment_id)
    assert again.params == mine.params
    assert again.command == f"runner reproduce {mine.run_id}"


def test_a_reproduction_can_be_reproduced(mine):
    again = reproduce(mine.run_id[:10]).again
    assert reproduce(again.run_id).is_identical


def test_one_bit_of_a_block_is_named(mine, project):
    block = learned_block(mine)
    path = project / "rows" / "X.npy"
    content = bytearray(path.read_bytes())
    content[-160 * 4 * 8 + block * 20 * 4 * 8] ^= 1
    path.write_bytes(content)
    done = reproduce(mine.run_id)
    assert verdicts(done)["data"] == DIFFERS
    place = f"block {block} (rows {20 * block} to {20 * block + 19})"
    assert told(done) == [f"data changed: {place} has another content"]


def test_two_rows_that_change_places_are_named(mine, project):
    block = learned_block(mine)
    for name in ("X", "y"):
        rows = np.load(project / "rows" / f"{name}.npy")
        first = 20 * block
        rows[[first, first + 1]] = rows[[first + 1, first]]
        np.save(project / "rows" / f"{name}.npy", rows)
    done = reproduce(mine.run_id)
    assert verdicts(done)["data"] == DIFFERS
    assert f"block {block} " in told(done)[0]


def test_a_changed_version_is_named(mine, monkeypatch):
    text = requirements().replace(f"numpy=={np.__version__}", "numpy==99.0")
    monkeypatch.setattr("runner.tracking.start_files.requirements", lambda: text)
    done = reproduce(mine.run_id)
    assert done.is_identical
    assert told(done) == [f"library changed: numpy=={np.__version__} -> 99.0"]


def test_a_dirty_line_is_named(project):
    (project / "code.py").write_text("x = 1\n")
    (project / ".gitignore").write_text("*\n!code.py\n")
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "first")
    run = run_mine()
    (project / "code.py").write_text("x = 2\n")
    done = reproduce(run.run_id)
    assert done.is_identical
    assert told(done) == ["code changed: code.py"]
    git(project, "commit", "-am", "second")
    (changed,) = told(reproduce(run.run_id))
    assert changed.endswith(" now: code.py")


def test_an_edited_file_is_named_and_the_recorded_config_is_run(mine, project):
    edited = FILE.replace("0.001", "0.01").replace("seed: 3", "seed: 4")
    (project / "experiments" / "mine.yaml").write_text(edited.replace("chunks: 20", "chunks: 10"))
    done = reproduce(mine.run_id)
    assert done.is_identical
    assert {text.partition(";")[0] for text in told(done)} >= {
        "seed changed: seed: 3 was recorded, experiments/mine.yaml now says 4",
        "chunking changed: dataset.chunks: 20 was recorded, experiments/mine.yaml now says 10",
        "config changed: estimator.alpha: 0.001 was recorded, experiments/mine.yaml now says 0.01",
    }


def test_a_missing_experiment_file_is_named_and_not_needed(mine, project):
    (project / "experiments" / "mine.yaml").unlink()
    done = reproduce(mine.run_id)
    assert done.is_identical
    assert told(done)[0].startswith("file missing: experiment: mine was recorded")


@pytest.mark.parametrize(
    ("override", "cause", "differing"),
    [
        (
            "seed=4",
            "seed changed: seed: 3 was recorded, the command line now says 4",
            {"data", "order", "scores", "model"},
        ),
        (
            "dataset.chunks=10",
            "chunking changed: dataset.chunks: 20 was recorded, the command line now says 10",
            {"data", "order", "scores", "model"},
        ),
        (
            "stream.shuffle=false",
            "config changed: stream.shuffle: true was recorded, the command line now says false",
            {"order", "scores", "model"},
        ),
        (
            "estimator.alpha=0.1",
            "config changed: estimator.alpha: 0.001 was recorded, the command line now says 0.1",
            {"scores", "model"},
        ),
    ],
)
def test_what_the_command_line_changes_is_named(mine, override, cause, differing):
    done = reproduce(mine.run_id, [override])
    assert told(done) == [cause]
    found = {name for name, verdict in verdicts(done).items() if verdict == DIFFERS}
    assert {"order", "model"} & differing <= found <= differing


def test_another_number_of_threads_is_named(mine, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    done = reproduce(mine.run_id)
    assert done.is_identical
    assert told(done) == ["threads changed: OMP_NUM_THREADS was not set, is 2"]


@pytest.fixture
def other(project, schema):
    """Return the address of another store."""
    shutil.copy(schema, project / "other.db")
    return f"sqlite:///{project}/other.db"


def test_a_run_is_recorded_where_it_was_found_whatever_its_config_says(mine, other):
    run_id = run_mine().run_id
    text = kept_config(find_run(run_id))
    assert "uri: null" in text
    connect(resolve()).log_text(run_id, text.replace("uri: null", f"uri: {other}"), CONFIG)
    done = reproduce(run_id)
    assert done.is_identical
    assert recent_runs()[0].run_id == done.again.run_id
    assert recent_runs(other) == []


def test_whoever_reproduces_may_name_another_store(mine, other):
    done = reproduce(mine.run_id, [f"tracking.uri={other}"])
    assert done.is_identical
    assert [run.run_id for run in recent_runs(other)] == [done.again.run_id]
    assert recent_runs()[0].run_id == mine.run_id


def test_a_missing_file_of_data_is_named(mine, project, capsys):
    (project / "rows" / "X.npy").rename(project / "X.npy")
    with pytest.raises(DatasetError, match=r"rows/X\.npy"):
        reproduce(mine.run_id)
    assert main(["reproduce", mine.run_id]) == WRONG
    (line,) = capsys.readouterr().err.splitlines()
    assert "rows/X.npy" in line
    done = reproduce(mine.run_id, [f"dataset.X={project}/X.npy"])
    assert done.is_identical
    assert told(done)[0].startswith('config changed: dataset.X: "rows/X.npy" was recorded')


def test_what_came_of_it_is_told_and_is_the_exit_code(mine, project, capsys):
    assert main(["reproduce", mine.run_id[:8]]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"reproduction of {mine.run_id[:8]} (mine)\n  data    identical  ")
    assert "because" not in out
    assert main(["reproduce", mine.run_id, "seed=4"]) == WRONG
    out = capsys.readouterr().out
    assert "  because  seed changed: seed: 3 was recorded, the command line now says 4\n" in out


def test_what_is_no_whole_run_is_refused(mine, capsys):
    assert main(["run", "mine", "-m", "seed=1,2", "callbacks=[]"]) == 0
    sweep = recent_runs()[0]
    with pytest.raises(ConfigError, match=r"Name a member of it, as in `runner reproduce \w{8}`"):
        reproduce(sweep.run_id)
    connect(resolve()).update_run(mine.run_id, status="KILLED")
    with pytest.raises(ConfigError, match=f"the status KILLED. `runner resume {mine.run_id[:8]}`"):
        reproduce(mine.run_id)
    with pytest.raises(TrackingError, match="got none"):
        reproduce("0123")
    assert main(["reproduce"]) == WRONG


def test_a_run_that_was_resumed_with_another_config_is_refused(mine):
    client = connect(resolve())
    client.set_tag(mine.run_id, "runner.resumed", "2")
    assert reproduce(mine.run_id).is_identical
    client.log_text(mine.run_id, FILE, "config/resumed-2/config.yaml")
    with pytest.raises(ConfigError, match="have one config to be reproduced"):
        reproduce(mine.run_id)


def test_a_member_of_a_sweep_is_reproduced_alone(mine, capsys):
    grid = "sweep.grid={estimator.alpha: [1e-3, 1e-2], estimator.penalty: [l1, l2]}"
    assert main(["run", "mine", grid, "callbacks=[]"]) == 0
    members = children(recent_runs()[0])
    assert len(members) == 4
    for member in (members[0], members[3]):
        done = reproduce(member.run_id)
        assert done.is_identical
        assert "runner.kind" in done.again.tags


def test_without_a_record_there_is_nothing_to_compare(mine):
    with pytest.raises(ConfigError, match="tracking must keep a record"):
        reproduce(mine.run_id, ["tracking=none"])


def overrides_of(name, folder):
    """Return the overrides that an experiment cannot do without."""
    if name != "parquet_sgd":
        return ["sweep=null"]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2_000, 5))
    columns = {f"x{i}": X[:, i] for i in range(5)} | {"label": (X[:, 0] > 0).astype("int64")}
    pq.write_table(pa.table(columns), folder / "rows.parquet", row_group_size=70)
    return [f"dataset.path='{folder}/rows.parquet'", "dataset.target=label", "dataset.chunks=100"]


def again(name, tmp_path):
    done = reproduce(runner.run(name, [*overrides_of(name, tmp_path), "callbacks=[]"]).run_id)
    assert done.is_identical, done.aspects
    assert told(done) == []


@pytest.mark.parametrize("name", ["diabetes_raw_sgd", "digits_pca"])
def test_a_shipped_experiment_is_reproduced(name, tmp_path):
    again(name, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::runner.errors.RunnerWarning")
@pytest.mark.parametrize("path", sorted(builtin("experiments").glob("*.yaml")))
def test_every_shipped_experiment_is_reproduced(path, tmp_path):
    again(path.stem, tmp_path)
