import json
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version

import numpy as np
from threadpoolctl import threadpool_limits

from runner.config.job import run
from runner.tracking.environment import environment, peak_mb, pinned, requirements
from runner.tracking.record import find_run, kept_file


def test_the_environment_is_plain_and_says_what_runs():
    found = json.loads(json.dumps(environment()))
    assert found["python"] == platform.python_version()
    assert found["packages"]["scikit-learn"] == version("scikit-learn")
    assert found["packages"]["incremental-runner"] == version("incremental-runner")
    assert found["cpus"] >= 1
    assert found["cpu"]


def test_the_record_tells_the_threads_as_they_are_while_a_run_learns(schema, project):
    shutil.copy(schema, project / "mlflow.db")
    with threadpool_limits(2):
        run_id = run("quickstart", ["callbacks=[]"]).run_id
        outside = environment()["threads"]
    kept = json.loads(kept_file(find_run(run_id), "environment/environment.json"))
    assert {pool["num_threads"] for pool in outside} == {2}
    assert {pool["user_api"] for pool in kept["threads"]} >= {"blas", "openmp"}
    assert {pool["num_threads"] for pool in kept["threads"]} == {1}


def test_the_threads_of_the_linear_algebra_are_those_in_force():
    np.ones((2, 2)) @ np.ones((2, 2))
    with threadpool_limits(1, user_api="blas"):
        pools = environment()["threads"]
    blas = [pool for pool in pools if pool["user_api"] == "blas"]
    assert blas
    assert {pool["num_threads"] for pool in blas} == {1}
    assert all(pool["version"] and pool["architecture"] for pool in blas)


def test_the_variables_that_change_numbers_are_kept(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("SOMEBODYS_PASSWORD", "hunter2")
    found = environment()
    assert found["variables"]["OMP_NUM_THREADS"] == "3"
    assert "hunter2" not in json.dumps(found)


def test_requirements_name_everything_that_is_installed():
    lines = requirements().splitlines()
    assert f"mlflow=={version('mlflow')}" in lines
    assert lines == sorted(set(lines), key=str.lower)
    assert pinned(("numpy",)) == [f"numpy=={version('numpy')}"]


def test_the_peak_is_this_programs_own():
    large = np.ones(30_000_000)
    assert peak_mb() > large.nbytes / 1e6
    code = "from runner.tracking.environment import peak_mb; print(peak_mb())"
    small = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert 1 < float(small.stdout) < large.nbytes / 1e6
