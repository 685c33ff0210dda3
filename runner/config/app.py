"""The Hydra application: what it reads, and what it does with a composed config."""

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from runner.allow import allows_code
from runner.project import builtin, project_root

Task = Callable[[DictConfig], object]


def prepare() -> None:
    """Make Hydra see our plugins, resolvers and raw exceptions, and a project's own modules.

    These are seen only where the project, or the shell, allows something of its own: Hydra imports
    whatever it finds under the name ``hydra_plugins``. Calling it again does nothing.
    """
    folders = [str(Path(__file__).resolve().parents[1] / "plugins")]
    if allows_code():
        folders.append(str(project_root()))
    for folder in folders:
        if folder not in sys.path:
            sys.path.append(folder)  # last, so that no file of theirs hides an installed module
    OmegaConf.register_new_resolver("runner_folder", _folder, replace=True, use_cache=True)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # it is the command line that words the errors


def main(arguments: list[str], task: Task) -> None:
    """Run Hydra's own command line with these arguments; the task gets each composed config."""
    prepare()
    application = hydra.main(
        version_base="1.3", config_path=str(builtin("conf")), config_name="config"
    )(task)
    with _argv(["runner", *arguments]):
        application()


@contextmanager
def _argv(argv: list[str]) -> Iterator[None]:
    before, sys.argv = sys.argv, argv
    try:
        yield
    finally:
        sys.argv = before


def _folder(kind: str = "") -> str:
    folder = project_root() / ".runner" / "hydra"
    return str(folder / uuid.uuid4().hex[:12] if kind == "sweep" else folder)
