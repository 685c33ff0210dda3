import os
import shutil
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from threadpoolctl import threadpool_info

from runner import doctor
from runner.cli import WRONG, main
from runner.doctor import examine
from runner.tracking.client import connect
from runner.tracking.spool import Spool, runs_folder
from runner.tracking.store import resolve


def found():
    return {finding.name: finding for finding in examine()}


def test_this_installation_is_well():
    findings = found()
    assert all(finding.ok for finding in findings.values())
    assert list(findings)[:5] == ["python", "libraries", "lock", "threads", "project"]
    assert all("\n" not in finding.told for finding in findings.values())


def test_a_library_that_does_not_fit_or_is_not_there_is_told_with_what_to_do(monkeypatch):
    asked = ["numpy>=1", "mlflow<1", "no-such-library>=2", 'other>=1; extra == "test"']
    monkeypatch.setattr("runner.doctor.requires", lambda name: asked)
    finding = found()["libraries"]
    assert not finding.ok
    assert 'where <1 is asked for; run: pip install "mlflow<1"' in finding.told
    assert 'no-such-library is not there; run: pip install "no-such-library>=2"' in finding.told
    assert "numpy" not in finding.told
    assert "other" not in finding.told


def test_a_python_that_is_too_old_is_told(monkeypatch):
    monkeypatch.setattr("runner.doctor.platform.python_version", lambda: "3.9.1")
    finding = found()["python"]
    assert not finding.ok
    assert finding.told.startswith("3.9.1, where >=3.11")


@pytest.mark.parametrize(("asked", "told"), [("numpy", ""), ("numpy<1", "numpy is ")])
def test_a_misfit_is_told(asked, told):
    assert doctor._misfit(Requirement(asked)).startswith(told)


def test_versions_that_differ_from_the_lock_are_told_and_no_fault(tmp_path, monkeypatch):
    lock = tmp_path / doctor.LOCK
    lock.parent.mkdir()
    lock.write_text(
        "numpy==0.1 \\\n    --hash=sha256:00\n"
        f"packaging=={metadata.version('packaging')} \\\n    --hash=sha256:00\n"
        "no-such-library==1\n"
        "mlflow==0.2 ; python_version < '3'\n"
    )
    monkeypatch.setattr("runner.doctor.builtin", lambda name: tmp_path / name)
    finding = found()["lock"]
    assert finding.ok
    assert finding.told == f"1 of 3 versions differ: numpy {metadata.version('numpy')} for 0.1"
    lock.unlink()
    assert found()["lock"] == doctor.Finding(
        "lock", True, "none came along, so any versions that fit will do"
    )


def test_what_decides_the_threads_is_told(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("MKL_NUM_THREADS", "4,2")
    finding = found()["threads"]
    assert finding.ok
    assert finding.told.startswith(f"{len(os.sched_getaffinity(0))} cpus, OMP_NUM_THREADS=2, ")
    assert "MKL_NUM_THREADS=4,2" in finding.told
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert blas
    assert all(f"{pool['internal_api']} {pool['version']}" in finding.told for pool in blas)


@pytest.mark.parametrize("value", ["0", "many", "-1"])
def test_a_number_of_threads_that_is_none_is_a_fault(monkeypatch, value):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", value)
    finding = found()["threads"]
    assert not finding.ok
    assert "OPENBLAS_NUM_THREADS must be a number above 0, or unset" in finding.told


def test_the_command_says_what_waits_and_sends_it_on_request(project, schema, capsys):
    for name in ("mlflow.db", "other.db"):
        shutil.copy(schema, project / name)
    other = resolve("sqlite:///other.db")
    client = connect(other)
    run_id = client.create_run(client.create_experiment("any")).info.run_id
    Spool(runs_folder() / run_id, str(other)).close()
    assert main(["doctor"]) == WRONG
    waits = f"BAD  unsent: 1 unsent rest for {other}; `runner doctor --sync` sends it\n"
    assert waits in capsys.readouterr().out
    assert main(["doctor", "--sync"]) == 0
    assert f"ok   sync: sent 1 unsent rest to {other}\n" in capsys.readouterr().out
    assert client.get_run(run_id).info.status == "KILLED"
    other.file.unlink()
    Spool(runs_folder() / run_id, str(other)).close()
    assert main(["doctor", "--sync"]) == WRONG
    assert "BAD  sync: nothing sent to" in capsys.readouterr().out
