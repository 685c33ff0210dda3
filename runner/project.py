"""Where the shipped and the user's own files are; standard library only, so that it is quick."""

import os
from pathlib import Path

from runner.errors import ConfigError

ROOT_VARIABLE = "RUNNER_PROJECT"
EXPERIMENTS_VARIABLE = "RUNNER_EXPERIMENTS"
LISTED = ("callbacks", "preprocessing")  # of these groups several options are chosen, by name


def builtin(name: str) -> Path:
    """Return the shipped folder ``conf`` or ``experiments``, from a checkout or from a wheel."""
    package = Path(__file__).resolve().parent
    checkout = package.parent / name
    in_checkout = (package.parent / "pyproject.toml").is_file() and checkout.is_dir()
    return checkout if in_checkout else package / "_data" / name


def project_root() -> Path:
    """Return the user's project: ``$RUNNER_PROJECT``, else the nearest parent with experiments.

    A folder is a project when it has ``experiments/``, or a folder of options such as
    ``conf/dataset/``; where there is none above the working directory, the working directory
    itself is the project.

    Raises
    ------
    ConfigError
        If ``$RUNNER_PROJECT`` names no folder.
    """
    named = os.environ.get(ROOT_VARIABLE)
    if named:
        root = Path(named).resolve()
        if root.is_dir():
            return root
        raise ConfigError(
            f"${ROOT_VARIABLE}",
            "name a folder that exists",
            got=named,
            remedy="Make the folder, or unset the variable.",
        )
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "experiments").is_dir() or _has_options(folder / "conf"):
            return folder
    return here


def _has_options(conf: Path) -> bool:
    return conf.is_dir() and any(
        (conf / group.name).is_dir() for group in builtin("conf").iterdir() if group.is_dir()
    )


def overlay(name: str) -> list[Path]:
    """Return the folders called ``conf`` or ``experiments``, the first to be looked in first.

    The project's own comes before ours; before both, for experiments, the one that
    ``$RUNNER_EXPERIMENTS`` names.
    """
    folders = [project_root() / name, builtin(name)]
    if name == "experiments" and os.environ.get(EXPERIMENTS_VARIABLE):
        folders.insert(0, Path(os.environ[EXPERIMENTS_VARIABLE]).resolve())
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def option_groups() -> list[str]:
    """Return the groups of options, ours and the project's own, but for Hydra's."""
    folders = [path for conf in overlay("conf") for path in conf.iterdir() if path.is_dir()]
    return sorted({path.name for path in folders} - {"hydra"})


def option_files(group: str) -> dict[str, Path]:
    """Return the path of every option of a group by name; the project's own hide ours."""
    return _files([folder / group for folder in overlay("conf")])


def is_path(name: str) -> bool:
    """Say whether an experiment is named by the path of its file.

    Examples
    --------
    >>> is_path("quickstart"), is_path("mine.yaml"), is_path("folder/mine")
    (False, True, True)
    """
    return Path(name).suffix in (".yaml", ".yml") or os.sep in name


def experiment_files() -> dict[str, Path]:
    """Return the path of every experiment by name; the project's own hide ours of that name."""
    return _files(overlay("experiments"))


def _files(folders: list[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in reversed(folders):
        found.update({path.stem: path for path in folder.glob("*.yaml") if path.is_file()})
    return dict(sorted(found.items()))
