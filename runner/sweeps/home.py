"""Where the members of a sweep belong that run on workers: a project, a folder, variables."""

import logging
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from hydra.core.singleton import Singleton
from omegaconf.basecontainer import BaseContainer

from runner.allow import ALLOW_VARIABLE
from runner.cluster.at_worker import address
from runner.config.app import prepare
from runner.errors import ClusterError, TrackingError
from runner.project import EXPERIMENTS_VARIABLE, ROOT_VARIABLE, project_root
from runner.tracking.store import URI_VARIABLE, resolve

_OURS = ("runner", "hydra_plugins")
_SHIPPED = re.compile("(MLFLOW|RUNNER)_")
_NAMED = re.compile(r"oc\.env:\s*([A-Za-z_]\w*)")


_one_at_a_time = Lock()  # Hydra's state, the folder and the environment are those of a process


class Home(NamedTuple):
    """Where members belong: the project, the working folder, variables of the environment."""

    project: str
    folder: str
    variables: Mapping[str, str]


def home_of(texts: Iterable[str], variables: Mapping[str, str]) -> Home:
    """Return where the members belong: paths are absolute, so that they are the same elsewhere.

    Of the environment go along what is MLflow's and ours, and what a config refers to.

    Parameters
    ----------
    texts : iterable of str
        Configs and overrides.
    variables : mapping of str to str
        The environment.
    """
    named = {name for text in texts for name in _NAMED.findall(text)}
    sent = {
        name: value for name, value in variables.items() if name in named or _SHIPPED.match(name)
    }
    root = str(project_root())
    experiments = variables.get(EXPERIMENTS_VARIABLE, "")
    fixed = {
        ROOT_VARIABLE: root,
        EXPERIMENTS_VARIABLE: str(Path(experiments).resolve()) if experiments else "",
        ALLOW_VARIABLE: variables.get(ALLOW_VARIABLE, ""),
    }
    with suppress(TrackingError):  # a config may name another store, and that one is looked at
        fixed[URI_VARIABLE] = resolve().uri
    return Home(root, str(Path.cwd()), {**sent, **fixed})


@contextmanager
def at_home(home: Home) -> Iterator[None]:
    """Be where members belong, one after the other, and leave the process as it was.

    What they print goes to standard error.

    Raises
    ------
    ClusterError
        If the project, or the working folder, is not there.
    """
    for folder in dict.fromkeys((home.project, home.folder)):
        if not Path(folder).is_dir():
            raise ClusterError(
                f"The worker {_here()}",
                "have the folders of the project",
                got=f"no folder {folder}",
                remedy="Mount it there under the same path.",
            )
    with _one_at_a_time, redirect_stdout(sys.stderr), ExitStack() as left:
        for restore in (_modules(home.project), _logging(), _hydra(), _process()):
            left.enter_context(restore)
        os.chdir(home.folder)
        os.environ.update(home.variables)
        prepare()
        yield


def _here() -> str:
    return f"{address() or os.getpid()} on {platform.node()}"


@contextmanager
def _process() -> Iterator[None]:
    folder, variables, path = Path.cwd(), dict(os.environ), list(sys.path)
    try:
        yield
    finally:
        os.chdir(folder)
        sys.path[:] = path
        for name in {*os.environ} - {*variables}:
            del os.environ[name]
        os.environ.update(variables)


@contextmanager
def _logging() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("runner")
    handlers, level, own = list(root.handlers), root.level, ours.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        ours.setLevel(own)


@contextmanager
def _hydra() -> Iterator[None]:
    instances, resolvers = Singleton._instances, dict(BaseContainer._resolvers)  # noqa: SLF001
    try:
        yield
    finally:
        Singleton._instances = instances  # noqa: SLF001
        BaseContainer._resolvers = resolvers  # noqa: SLF001


@contextmanager
def _modules(project: str) -> Iterator[None]:
    """Read the project's own modules anew for each job, as a new process would."""
    before = set(sys.modules)
    try:
        yield
    finally:
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            place = Path(project, *name.split("."))
            files = (str(place.with_suffix(".py")), str(place / "__init__.py"))
            if name.partition(".")[0] not in _OURS and file in files:
                del sys.modules[name]
