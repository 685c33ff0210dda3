import importlib.util
import shutil
from pathlib import Path

import pytest

from runner import project

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture
def installed(tmp_path):
    """Return the module as it is in a wheel: without the checkout around it."""
    package = tmp_path / "site-packages" / "runner"
    package.mkdir(parents=True)
    copy = shutil.copy(project.__file__, package)
    spec = importlib.util.spec_from_file_location("installed_project", copy)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def anywhere(tmp_path, monkeypatch):
    """Work in a folder that is no project, and name none in the environment."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.delenv(project.ROOT_VARIABLE)
    monkeypatch.chdir(folder)
    return folder


def test_the_shipped_folders_of_a_checkout_are_its_own():
    assert project.builtin("conf") == CHECKOUT / "conf"


def test_the_shipped_folders_of_a_wheel_are_inside_the_package(installed, tmp_path):
    data = tmp_path / "site-packages" / "runner" / "_data"
    assert installed.builtin("conf") == data / "conf"


def test_a_folder_beside_an_installed_package_is_not_taken_for_a_shipped_one(installed, tmp_path):
    (tmp_path / "site-packages" / "conf").mkdir()
    assert installed.builtin("conf").parent.name == "_data"


def test_the_environment_names_the_project(tmp_path, monkeypatch):
    monkeypatch.setenv(project.ROOT_VARIABLE, str(tmp_path))
    assert project.project_root() == tmp_path


@pytest.mark.parametrize("mark", ["experiments/first.yaml", "conf/dataset/mine.yaml"])
def test_the_nearest_parent_with_experiments_or_options_is_the_project(anywhere, mark):
    marked = anywhere.parent / mark
    marked.parent.mkdir(parents=True)
    marked.touch()
    assert project.project_root() == anywhere.parent


def test_a_conf_without_options_makes_no_project(anywhere):
    (anywhere.parent / "conf").mkdir()
    assert project.project_root() == anywhere


def test_without_a_project_the_working_directory_is_it(anywhere):
    assert project.project_root() == anywhere


def test_the_projects_own_folder_comes_before_the_shipped_one(project_folder):
    (project_folder / "conf").mkdir()
    assert project.overlay("conf") == [project_folder / "conf", CHECKOUT / "conf"]


def test_a_project_without_the_folder_has_the_shipped_one_only():
    assert project.overlay("conf") == [CHECKOUT / "conf"]


def test_the_checkout_as_the_project_is_not_listed_twice(monkeypatch):
    monkeypatch.setenv(project.ROOT_VARIABLE, str(CHECKOUT))
    assert project.overlay("conf") == [CHECKOUT / "conf"]


def test_a_folder_of_experiments_named_in_the_environment_comes_first(tmp_path, monkeypatch):
    named = tmp_path / "named"
    named.mkdir()
    monkeypatch.setenv(project.EXPERIMENTS_VARIABLE, str(named))
    assert project.overlay("experiments")[0] == named
    assert named not in project.overlay("conf")


def test_a_folder_that_is_not_there_is_not_looked_in(monkeypatch, tmp_path):
    monkeypatch.setenv(project.EXPERIMENTS_VARIABLE, str(tmp_path / "nowhere"))
    assert tmp_path / "nowhere" not in project.overlay("experiments")


def test_an_experiment_is_known_by_the_name_of_its_file(project_folder):
    (project_folder / "experiments").mkdir()
    own = project_folder / "experiments" / "arrivals.yaml"
    own.touch()
    assert project.experiment_files()["arrivals"] == own


def test_the_projects_experiments_hide_the_shipped_of_that_name(installed, project_folder):
    for folder, names in [
        (installed.builtin("experiments"), ["quickstart", "digits"]),
        (project_folder / "experiments", ["quickstart", "arrivals"]),
    ]:
        folder.mkdir(parents=True)
        for name in names:
            (folder / f"{name}.yaml").touch()
        (folder / "notes.txt").touch()
    found = installed.experiment_files()
    assert list(found) == ["arrivals", "digits", "quickstart"]
    assert found["quickstart"].parent == project_folder / "experiments"
    assert found["digits"].parent == installed.builtin("experiments")


@pytest.fixture
def project_folder(tmp_path, monkeypatch):
    """Name a project in the environment."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv(project.ROOT_VARIABLE, str(folder))
    return folder
