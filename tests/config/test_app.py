"""The Hydra application."""

import subprocess
import sys

import pytest
from omegaconf import OmegaConf

from runner.config.app import main, prepare
from runner.sweeps.job import Job


class Seen(Job):
    """A job that keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def alone(self, composed):
        self.seen.append((composed.config.seed, composed.config.dataset.n_samples))


def test_the_job_gets_what_is_composed_and_hydra_leaves_no_file(project):
    job = Seen()
    main(["experiment=quickstart", "seed=3"], job)
    assert job.seen == [(3, 100)]
    left = [path.relative_to(project) for path in project.rglob("*") if path.is_file()]
    assert left == []


def test_hydras_own_sweeper_and_launcher_call_the_job_for_each_member(project):
    job = Seen()
    plain = ["hydra/sweeper=basic", "hydra/launcher=basic"]
    main(["-m", "experiment=quickstart", "seed=1,2", *plain], job)
    assert job.seen == [(1, 100), (2, 100)]


def test_an_error_of_the_job_comes_out_as_it_is():
    class Breaks(Job):
        def alone(self, composed):
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        main(["experiment=quickstart"], Breaks())


def test_the_arguments_of_the_process_are_left_alone():
    before = list(sys.argv)
    main(["experiment=quickstart"], Seen())
    assert sys.argv == before


def test_preparing_twice_does_no_harm():
    prepare()
    prepare()
    assert sys.path.count(next(p for p in sys.path if p.endswith("runner/plugins"))) == 1
    assert OmegaConf.has_resolver("runner_folder")


def test_a_folder_cannot_bring_plugins_of_its_own_unless_it_is_allowed_code(project):
    plugin = project / "hydra_plugins" / "evil"
    plugin.mkdir(parents=True)
    (plugin / "__init__.py").write_text("open('marker', 'w').close()\n")
    code = "from runner.cli import main; main(['validate', 'quickstart'])"
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True)
    assert done.stdout == "quickstart: no mistakes\n"
    assert not (project / "marker").exists()
