"""A sweep of bad members whose driver is killed: nothing is lost, nothing is done twice."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from runner.cli import WRONG, main
from runner.tracking.client import connect
from runner.tracking.record import children, find_all, recent_runs
from runner.tracking.store import resolve
from runner.tracking.tags import ERROR, HALVING, KEY, NUMBER, PARENT, RUNG, STOP_REASON
from tests.sweeps.conftest import read_of, write_experiment, write_odd_parts

ROOT = Path(__file__).resolve().parents[1]
SIZES = (20, 30, 40, 50)
BAD = {3: "raise", 7: "exit", 11: "memory", 16: "raise"}
TOLD = {"raise": "RuntimeError: no more", "exit": "SystemExit", "memory": "MemoryError"}
DELAY = "dataset.arguments.delay=0.03"
READS = 4 * 10
OWN = ("dataset.arguments.delay",)


def twenty():
    """Return twenty members in four groups, of which one each ends badly in mid-pass."""
    return [
        {
            "dataset.arguments.size": SIZES[number // 5],
            "estimator.alpha": 10.0 ** -(number % 5),
            "estimator.how": BAD.get(number, ""),
            "estimator.at": 1 + number % 8,
        }
        for number in range(20)
    ]


HALVED = {
    "grid": {"dataset.arguments.n_blocks": [20]},
    "runs": [
        *({"estimator.alpha": 10.0**-n} for n in range(9)),
        {"estimator.how": "raise", "estimator.at": 2},
    ],
    "halving": {"first_rows": 60},
}


@pytest.fixture(autouse=True)
def parts(project, schema, monkeypatch):
    """Give the project a store and a module that it allows."""
    shutil.copy(schema, project / "mlflow.db")
    write_odd_parts(project)
    monkeypatch.setenv("RUNNER_ALLOW", "odd_parts")
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.delitem(sys.modules, "odd_parts", raising=False)
    yield
    sys.modules.pop("odd_parts", None)


def started(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "runner", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def done(*arguments):
    process = started(*arguments)
    out, _ = process.communicate(timeout=300)
    return process.returncode, out


def killed(project, kill, *arguments):
    """Run a sweep and kill it some seconds after so many blocks were read."""
    after, jitter = kill
    process = started(*arguments)
    deadline = time.monotonic() + 120
    while read_of(project) < after and process.poll() is None:
        assert time.monotonic() < deadline, "no block is read"
        time.sleep(0.002)
    time.sleep(jitter)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    return recent_runs()[0].run_id


def every_run():
    store = resolve()
    return list(find_all(connect(store), store, ""))


def by_number():
    (sweep,) = recent_runs()
    return {int(run.tags[NUMBER]): run for run in children(sweep)}


def finished():
    """Return the keys of the members that have a run which finished."""
    return {
        run.tags[KEY] for run in every_run() if PARENT in run.tags and run.status == "FINISHED"
    }


def runs_of_keys():
    return Counter(run.tags[KEY] for run in every_run() if PARENT in run.tags)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, schema):
    """Return what an uninterrupted run of a sweep comes to, by number."""
    known = {}

    def whole(sweep):
        text = json.dumps(sweep)
        if text not in known:
            project = tmp_path_factory.mktemp("whole")
            shutil.copy(schema, project / "mlflow.db")
            write_odd_parts(project)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("RUNNER_PROJECT", str(project))
                patch.chdir(project)
                assert main(["run", write_experiment(project, sweep)]) == WRONG
                known[text] = {number: facts(run) for number, run in by_number().items()}
        return known[text]

    return whole


def facts(run):
    """Return what must not depend on an interruption, nor on how slowly blocks are read."""
    return {
        "name": run.name,
        "status": run.status,
        "scores": run.scores,
        "rows": run.rows,
        "params": {key: value for key, value in run.params.items() if key not in OWN},
        "rung": run.tags.get(RUNG),
        "reason": run.tags.get(STOP_REASON),
        "error": run.tags.get(ERROR),
        "history": json.loads(run.tags.get(HALVING, "[]")),
    }


def kill_and_resume(project, whole, sweep, kill):
    """Kill a sweep, go on with it, and return the runs of the members that had finished."""
    expected = whole(sweep)
    sweep_id = killed(project, kill, "run", write_experiment(project, sweep), DELAY)
    before = finished()
    assert main(["resume", sweep_id[:12]]) == WRONG
    assert {number: facts(run) for number, run in by_number().items()} == expected
    assert "RUNNING" not in [run.status for run in every_run()]
    assert recent_runs()[0].status == "FAILED"
    counted = runs_of_keys()
    assert {key: counted[key] for key in before} == dict.fromkeys(before, 1)
    assert max(counted.values()) <= 2
    return before


def instants(seed, n, reads):
    """Draw after how many reads, and how many seconds after that, a sweep is killed."""
    chance = random.Random(seed)  # noqa: S311
    return [(chance.randint(1, reads), chance.choice([0, 0.05, 0.3, 0.6])) for _ in range(n)]


@pytest.mark.parametrize("kill", [(14, 0.0), pytest.param((39, 0.1), marks=pytest.mark.slow)])
def test_a_killed_sweep_is_gone_on_with(project, whole, kill):
    had_finished = kill_and_resume(project, whole, {"runs": twenty()}, kill)
    assert 4 <= len(had_finished) <= 16
    recorded = by_number()
    for number, how in BAD.items():
        assert recorded[number].status == "FAILED"
        assert TOLD[how] in recorded[number].tags[ERROR]
    assert Counter(run.status for run in recorded.values()) == {"FINISHED": 16, "FAILED": 4}


@pytest.mark.slow
@pytest.mark.parametrize("kill", instants(4, 24, READS))
def test_a_sweep_killed_at_any_instant_is_gone_on_with(project, whole, kill):
    kill_and_resume(project, whole, {"runs": twenty()}, kill)


@pytest.mark.slow
def test_members_that_halving_stopped_before_the_kill_are_not_run_again(project, whole):
    had_finished = kill_and_resume(project, whole, HALVED, (12, 0.1))
    assert 3 <= len(had_finished) < 9
    stopped = [run for run in every_run() if run.tags.get(KEY) in had_finished]
    assert all(RUNG in run.tags for run in stopped)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["progressive", "held_out"])
@pytest.mark.parametrize("hyperband", [False, True])
@pytest.mark.parametrize("kill", instants(5, 6, 20))
def test_halving_killed_at_any_instant_decides_as_if_it_were_not(
    project, whole, kill, hyperband, by
):
    halving = HALVED["halving"] | {"by": by, "hyperband": hyperband}
    kill_and_resume(project, whole, HALVED | {"halving": halving}, kill)


@pytest.mark.slow
def test_failed_members_alone_are_run_again_by_real_commands(project):
    file = write_experiment(project, {"runs": twenty()[10:]})
    code, out = done("run", file)
    assert code == WRONG, out
    assert "Traceback" not in out
    assert all(TOLD[how] in out for how in ("raise", "memory"))
    (sweep,) = recent_runs()
    once = runs_of_keys()
    assert set(once.values()) == {1}
    code, out = done("resume", sweep.run_id[:8], "--failed")
    assert code == WRONG, out
    failed = {run.tags[KEY] for run in by_number().values() if run.status == "FAILED"}
    assert len(failed) == 2
    assert runs_of_keys() == once + Counter(failed)
    assert Counter(run.status for run in by_number().values()) == {"FINISHED": 8, "FAILED": 2}


def test_a_kill_is_mended_by_doctor_and_the_first_failure_may_end_a_sweep(project, capsys):
    file = write_experiment(project, {"runs": twenty()[:10]})
    sweep_id = killed(project, (15, 0.0), "run", file, DELAY)
    assert Counter(run.status for run in every_run())["RUNNING"] >= 2
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert sweep_id in out
    statuses = Counter(run.status for run in every_run())
    assert statuses["RUNNING"] == 0
    assert recent_runs()[0].status == "KILLED"
    before = finished()
    assert main(["resume", sweep_id, "--fail-fast"]) == WRONG
    assert before <= finished()
    assert len(finished()) < 8
    assert Counter(run.status for run in every_run())["RUNNING"] == 0
    assert main(["resume", sweep_id]) == WRONG
    counted = runs_of_keys()
    assert {key: counted[key] for key in before} == dict.fromkeys(before, 1)
    assert Counter(run.status for run in by_number().values()) == {"FINISHED": 8, "FAILED": 2}
