import shutil

import pytest

from runner.cli import main
from runner.config.job import run
from runner.reproduction.record import kept, versions
from runner.tracking.environment import requirements
from runner.tracking.record import children, find_run, recent_runs

SMALL = ["callbacks=[]", "tracking.log_model=false"]


@pytest.fixture(autouse=True)
def store(project, schema):
    """Give the project an empty store, which is quicker than to make one."""
    shutil.copy(schema, project / "mlflow.db")


def test_what_a_run_kept_is_read_back():
    result = run("quickstart", SMALL)
    found = kept(find_run(result.run_id))
    assert found.run.scores == result.scores
    assert found.run.command == "runner run quickstart 'callbacks=[]' tracking.log_model=false"
    assert found.ledger["rows"].to_pylist() == [25, 25, 25]
    assert found.requirements == versions(requirements())
    assert found.environment["cpus"] >= 1
    assert found.diff == ""
    rows = [step for step, _ in found.curves["train/progressive_accuracy"]]
    assert rows == [50, 75]
    assert found.curves["train/progressive_accuracy"][-1][1] == result.progress.scores["accuracy"]


def test_a_member_has_the_environment_of_its_sweep(capsys):
    assert main(["run", "quickstart", "-m", "seed=1,2", *SMALL]) == 0
    (sweep,) = recent_runs()
    for member in children(sweep):
        found = kept(member)
        assert found.environment["python"]
        assert found.requirements
        assert len(found.ledger) == 3
