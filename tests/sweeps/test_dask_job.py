"""One member as a job on a worker that lives on."""

import logging
import os
import pickle
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobStatus
from omegaconf import OmegaConf

from runner.errors import ClusterError, FitError
from runner.sweeps import dask_jobs
from runner.sweeps.dask_job import Task, _portable, failure
from runner.sweeps.home import Home, at_home
from runner.sweeps.job import Job
from runner.sweeps.resume import resume
from runner.sweeps.trials import Called
from runner.tracking.record import children, recent_runs
from tests.sweeps.conftest import read_of, runs_by_key


def sent(thing):
    return pickle.loads(pickle.dumps(thing))  # noqa: S301  (of this test)


@dataclass
class Again:
    """Workers that are this process; each job is done as often as is asked for."""

    times: int = 2

    def open(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        pass

    def check_versions(self):
        pass

    def check_files(self, paths):
        self.files = list(paths)

    @contextmanager
    def listening(self, topic, handler):
        yield

    def each(self, work, tasks, n_each):
        work = sent(work)
        for place, task in enumerate(tasks):
            before = state()
            backs = [work(task) for _ in range(self.times)]
            assert state() == before, "the process is left as it was"
            yield place, sent(backs[-1])


class Lost(Again):
    """Workers that are lost after the first member."""

    def each(self, work, tasks, n_each):
        yield from super().each(work, tasks[:1], n_each)
        raise ClusterError("The cluster", "stay", got="nothing", remedy="Start it again.")


class Deadly(Again):
    """Workers that do not survive the first member."""

    def each(self, work, tasks, n_each):
        yield 0, ClusterError("A task", "leave its worker alive", got="4 deaths", remedy="Look.")
        yield from ((place + 1, back) for place, back in super().each(work, tasks[1:], n_each))


@pytest.fixture
def here(monkeypatch, swept):
    """Return what runs a sweep by the launcher, in this process."""

    def here(sweep, *overrides, times=2, workers=Again, **options):
        monkeypatch.setattr(dask_jobs, "cluster_of", lambda _: workers(times))
        return swept(sweep, "hydra/launcher=dask", *overrides, **options)

    return here


def state():
    root = logging.getLogger()
    return {
        "folder": Path.cwd(),
        "environment": dict(os.environ),
        "path": list(sys.path),
        "level": root.level,
        "handlers": list(root.handlers),
        "instances": dict(Singleton._instances),
        "own": "odd_parts" in sys.modules,
    }


def home(project, **variables):
    return Home(str(project), str(project), {"RUNNER_PROJECT": str(project), **variables})


def test_a_member_that_has_finished_is_not_run_again(here, project):
    job = here({"grid": {"estimator.alpha": [0.1, 0.01]}})
    assert [each.status for each in job.outcomes] == ["FINISHED"] * 2
    assert set(runs_by_key(job.run_id).values()) == {1}
    assert read_of(project) < 2 * 2 * 10
    assert all(each.scores and each.url for each in job.outcomes)


def test_a_member_that_has_failed_fails_again_as_it_did(here):
    job = here({"runs": [{"estimator.how": "once raise"}]})
    (outcome,) = job.outcomes
    assert outcome.status == "FAILED"
    assert "RuntimeError: no more" in outcome.error
    assert set(runs_by_key(job.run_id).values()) == {1}


@pytest.mark.parametrize("how", ["exit", "memory", "interrupt", "unbuildable"])
def test_what_ends_a_member_does_not_end_its_worker(here, how):
    job = here({"runs": [{"estimator.how": how}, {}]}, times=1)
    bad, good = job.outcomes
    assert bad.status == ("KILLED" if how == "interrupt" else "FAILED")
    assert good.status == "FINISHED"


def test_what_a_job_sets_is_taken_back_and_own_modules_are_read_anew(project):
    (project / "mine.py").write_text("value = 1\n")
    root, before = logging.getLogger(), state()
    HydraConfig.instance()
    with at_home(home(project, RUNNER_ALLOW="mine", A_VALUE="1")):
        import mine

        assert mine.value == 1
        assert os.environ["A_VALUE"] == "1"
        os.environ["ANOTHER"] = "2"
        os.chdir("/")
        root.addHandler(logging.NullHandler())
        root.setLevel(logging.ERROR)
        Singleton._instances = {}
        OmegaConf.register_new_resolver("odd", lambda: 1)
    after = state()
    assert HydraConfig in after["instances"]
    assert {**after, "instances": None} == {**before, "instances": None}
    assert not OmegaConf.has_resolver("odd")
    assert "mine" not in sys.modules
    (project / "mine.py").write_text("value = 22\n")
    with at_home(home(project, RUNNER_ALLOW="mine")):
        import mine

        assert mine.value == 22


def test_a_member_is_told_when_it_ends_and_a_lost_cluster_ends_the_sweep(here):
    told = []
    with pytest.raises(ClusterError, match="must stay") as raised:
        here({"grid": {"estimator.alpha": [0.1, 0.01]}}, times=1, workers=Lost, told=told)
    assert [each.number for each in told] == [0]
    (sweep,) = recent_runs()
    assert f"`runner resume {sweep.run_id[:8]}` goes on with it" in raised.value.__notes__
    assert [run.status for run in children(sweep)] == ["FINISHED"]
    job = Job()
    resume(sweep.run_id, job)
    assert [each.status for each in job.outcomes] == ["FINISHED"] * 2
    assert set(runs_by_key(sweep.run_id).values()) == {1}


def test_a_member_that_kills_its_workers_fails_alone(here):
    runs = [{"estimator.alpha": 0.1}, {"estimator.alpha": 0.2}]
    job = here({"runs": runs}, times=1, workers=Deadly)
    assert [each.status for each in job.outcomes] == ["FAILED", "FINISHED"]
    assert "must leave its worker alive; got 4 deaths" in job.outcomes[0].error
    assert sorted(each.number for each in job.teller.ended) == [0, 1]


def test_a_sweep_that_keeps_no_record_has_its_scores(here):
    runs = [{"estimator.alpha": 0.1}, {"estimator.how": "raise"}]
    memory = ("~tracking.log_model", "tracking=none")
    job = here({"runs": runs}, *memory, times=1)
    assert [each.status for each in job.outcomes] == ["FINISHED", "FAILED"]
    assert job.outcomes[0].scores


def test_a_worker_that_lacks_the_project_is_named(tmp_path):
    gone = tmp_path / "gone"
    told = rf"The worker \S+ on .* got no folder {gone}"
    with pytest.raises(ClusterError, match=told), at_home(home(gone)):
        pass


def test_an_error_that_cannot_travel_is_told_in_words():
    class StuckError(Exception):
        def __reduce__(self):
            raise TypeError("no")

    back = _portable(failure(Task(0, ("a=1",), Called(0, "0", "k", {})), StuckError("why")))
    assert back.status == JobStatus.FAILED
    assert isinstance(back._return_value, FitError)
    assert "StuckError: why" in str(back._return_value)
