"""The job that would be sent: made by the real package, and never with a stranger's command."""

import os
import shutil
import stat

import dask.config
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cluster import slurm
from runner.cluster.client import wait_for_a_worker
from runner.cluster.heard import listening
from runner.cluster.slurm import SlurmCluster
from runner.errors import ClusterError, ConfigError, RunnerWarning
from runner.names import signals_kept

KEYS = ("queue", "account", "interface", "memory", "walltime")
FOLDERS = ("local_directory", "log_directory", "shared_temp_directory")
HOSTILE = [
    "a\ntouch owned",
    "a\n#SBATCH --uid=0",
    "a;touch owned",
    "a$(touch owned)",
    "`touch owned`",
    "a b",
    "a&b",
    "a|b",
    "a>b",
    "a'b",
    'a"b',
    "\\",
    "-a",
    "a\r",
    "a\x00",
    "a\u2028b",
    "",
]


@pytest.fixture
def sbatch(tmp_path, monkeypatch):
    """Put programs into the path that are called as those of Slurm, and only note the call."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, said in {"sbatch": "Submitted batch job 7", "scancel": ""}.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\necho {name} >> {tmp_path}/calls\necho "{said}"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path / "calls"


def of(**settings):
    return SlurmCluster(**{"memory": "4GiB", "interface": "lo", **settings})


def test_the_real_package_makes_the_job_with_keys_of_this_run(project):
    with signals_kept():
        from dask_jobqueue import SLURMCluster

    cluster = of(
        cores=2, queue="gpu", account="me", walltime="02:00:00", local_directory="$TMPDIR"
    )
    made = SLURMCluster(**cluster.settings())
    script = made.job_script()
    lines = script.splitlines()
    for line in ("-p gpu", "-A me", "-t 02:00:00", "--cpus-per-task=2", "--mem=4G"):
        assert f"#SBATCH {line}" in lines
    for part in (
        "--nthreads 1 ",
        "--nworkers 2 ",
        "--local-directory $TMPDIR ",
        "tls://127.0.0.1",
    ):
        assert part in lines[-1]
    kept = project / ".runner" / "slurm"
    keys = sorted(kept.iterdir())
    assert len(keys) == 3
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 and str(path) in script for path in keys)
    cluster.stop(made)
    assert list(kept.iterdir()) == []


def test_a_job_that_does_not_run_is_told_and_is_cancelled(sbatch):
    with listening() as heard, of().connected(heard) as client:
        with pytest.raises(ClusterError, match=r"have a worker within 0.1 seconds; got none"):
            wait_for_a_worker(client, 0.1, heard)
        assert client.scheduler.address.startswith("tls://127.0.0.1:")
    assert sbatch.read_text().split() == ["sbatch", "scancel"]


def cancel_fails(sbatch, said):
    program = sbatch.parent / "bin" / "scancel"
    program.write_text(f'#!/bin/sh\necho scancel >> {sbatch}\necho "{said}" >&2\nexit 1\n')


def open_and_close():
    with listening() as heard, of().connected(heard):
        pass


def test_a_job_that_cannot_be_cancelled_is_told_with_its_number(sbatch, project):
    cancel_fails(sbatch, "scancel: error: Unable to contact slurm controller")
    told = (
        r"slurm could not be ended: .*scancel failed for 7: .*controller\. Look .*scancel NUMBER"
    )
    with pytest.warns(RunnerWarning, match=told):
        open_and_close()
    assert sbatch.read_text().split() == ["sbatch", "scancel"]
    assert list((project / ".runner" / "slurm").iterdir()) == []  # no key is left


def test_a_job_that_has_ended_already_is_no_news(sbatch, project):
    cancel_fails(sbatch, "scancel: error: Kill job error on job id 7: Invalid job id specified")
    open_and_close()
    assert sbatch.read_text().split() == ["sbatch", "scancel"]


def test_ctrl_c_while_jobs_are_sent_cancels_them(sbatch, project, monkeypatch):
    from distributed import SpecCluster

    real = SpecCluster.scale

    def interrupted(cluster, n=0, **kwargs):
        done = real(cluster, n, **kwargs)
        if n:
            cluster.sync(cluster._correct_state)
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(SpecCluster, "scale", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_and_close()
    assert sbatch.read_text().split() == ["sbatch", "scancel"]


def test_folders_that_this_process_makes_are_whole_paths(project, tmp_path, monkeypatch):
    with signals_kept():
        from dask_jobqueue import SLURMCluster

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KEYS", str(tmp_path))
    monkeypatch.chdir(project)
    cluster = of(
        log_directory="~/logs", shared_temp_directory="$KEYS/", local_directory="$TMPDIR/a"
    )
    made = SLURMCluster(**cluster.settings())
    assert (tmp_path / "logs").is_dir()
    assert len([*tmp_path.glob("*.pem"), *tmp_path.glob(".dask-jobqueue*")]) == 3
    assert "--local-directory $TMPDIR/a " in made.job_script()
    cluster.stop(made)
    assert not (project / "~").exists()


@pytest.mark.parametrize("value", [None, "relative", "/a b", "/a;touch owned", "/a/../b"])
@pytest.mark.parametrize("key", ["log_directory", "shared_temp_directory"])
def test_a_variable_that_is_no_plain_path_is_refused_and_not_shown(key, value, monkeypatch):
    monkeypatch.delenv("WHERE", raising=False)
    if value is not None:
        monkeypatch.setenv("WHERE", value)
    with pytest.raises(ConfigError, match=rf"cluster.{key} must .*; got '\$WHERE/x'") as raised:
        of(**{key: "$WHERE/x"}).settings()
    assert value is None or value not in str(raised.value)


def test_where_there_is_no_slurm_is_told_at_once(monkeypatch):
    monkeypatch.setattr(slurm.shutil, "which", lambda name: None)
    with (
        listening() as heard,
        pytest.raises(ClusterError, match=r"got no program sbatch"),
        of().connected(heard),
    ):
        pass
    assert shutil.which("sbatch") is None


@pytest.mark.parametrize("key", [*KEYS, *FOLDERS])
@pytest.mark.parametrize("value", HOSTILE)
def test_what_a_shell_would_read_is_refused(key, value):
    for text in (value, f"/scratch/{value}", f"{value}\n") if key in FOLDERS else (value,):
        if text not in ("/scratch/", "/scratch/-a"):
            with pytest.raises(ConfigError, match=f"cluster.{key} must"):
                of(**{key: text})


@given(text=st.text(max_size=20), key=st.sampled_from([*KEYS, *FOLDERS]))
def test_what_is_allowed_is_one_word_for_a_shell(text, key):
    import shlex

    try:
        of(**{key: text})
    except ConfigError:
        return
    word = text.removeprefix("$") if key == "local_directory" else text
    assert shlex.split(text) == [text] or key == "memory"
    assert not set(word) & set("\n\r;&|<>`'\"\\(){}*?[]!#")


def test_own_settings_of_dask_are_kept_beside_ours():
    import dask_jobqueue  # noqa: F401

    own = {
        "jobqueue.slurm.worker-extra-args": ["--lifetime", "55m"],
        "jobqueue.slurm.shared-temp-directory": "/shared/mine",
        "jobqueue.slurm.scheduler-options": {"port": 9000},
    }
    with dask.config.set(own):
        settings = of().settings()
    assert settings["worker_extra_args"][:2] == ["--lifetime", "55m"]
    assert settings["shared_temp_directory"] == "/shared/mine"
    assert settings["scheduler_options"]["port"] == 9000
    assert settings["scheduler_options"]["dashboard_address"] == "127.0.0.1:0"


def test_a_project_whose_path_a_shell_would_read_is_told(tmp_path, monkeypatch):
    folder = tmp_path / "my project"
    folder.mkdir()
    monkeypatch.setenv("RUNNER_PROJECT", str(folder))
    with pytest.raises(ConfigError, match=r"cluster.log_directory must be a folder"):
        of().settings()
