"""What is installed works from any folder, with its config and experiments."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build a wheel from a copy of the tree."""
    copy = tmp_path_factory.mktemp("tree") / "runner"
    shutil.copytree(
        ROOT, copy, ignore=shutil.ignore_patterns(".*", "mlruns", "mlflow.db*", "__pycache__")
    )
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, copy],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def install(wheel, folder, *, dependencies):
    """Make a clean environment with the wheel in it; return its command ``runner``."""
    venv.create(folder, clear=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    if dependencies:
        subprocess.run([*pip, "-r", ROOT / "requirements" / "run.txt"], check=True)
    else:
        purelib = next((folder / "lib").glob("python*/site-packages"))
        (purelib / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    subprocess.run([*pip, "--no-deps", wheel], check=True, capture_output=True)
    return folder / "bin" / "runner"


def use(command, cwd):
    """List, show and run from an empty folder; return what was printed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("RUNNER", "PYTHON"))}
    environment["MLFLOW_DISABLE_TELEMETRY"] = "true"
    printed = [
        subprocess.run(
            [command, *arguments],
            cwd=cwd,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for arguments in (["list"], ["show", "quickstart"], ["run", "quickstart"], ["runs"])
    ]
    where = subprocess.run(
        [command.parent / "python", "-c", "import runner; print(runner.__file__)"],
        cwd=cwd,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert str(command.parents[1]) in where, "the checkout must not be what runs"
    return printed


def test_the_wheel_holds_the_config_and_the_experiments(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("conf", "experiments"):
        for path in (ROOT / folder).rglob("*.yaml"):
            assert f"runner/_data/{path.relative_to(ROOT)}" in names
    assert not [name for name in names if name.startswith(("tests", "conf/", "benchmarks"))]


def test_the_wheel_works_from_an_empty_folder(wheel, tmp_path):
    command = install(wheel, tmp_path / "environment", dependencies=False)
    (tmp_path / "empty").mkdir()
    listed, shown, ran, runs = use(command, tmp_path / "empty")
    assert "quickstart" in listed
    assert "n_samples: 100" in shown
    assert "accuracy" in ran
    assert "quickstart" in runs
    assert (tmp_path / "empty" / "mlflow.db").is_file()


@pytest.mark.slow
def test_the_wheel_works_with_only_the_locked_versions(wheel, tmp_path):
    command = install(wheel, tmp_path / "environment", dependencies=True)
    (tmp_path / "empty").mkdir()
    assert "accuracy" in use(command, tmp_path / "empty")[2]


def test_every_locked_version_is_one_that_the_package_accepts():
    from packaging.requirements import Requirement

    locked = dict(
        line.split(" ")[0].split("==")
        for line in (ROOT / "requirements" / "run.txt").read_text().splitlines()
        if "==" in line and not line.startswith(" ")
    )
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in project["dependencies"]:
        requirement = Requirement(text)
        assert locked[requirement.name] in requirement.specifier
