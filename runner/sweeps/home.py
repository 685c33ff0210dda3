"""Where the members of a sweep belong that run on workers: a project, a folder, variables."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from runner.allow import ALLOW_VARIABLE
from runner.errors import TrackingError
from runner.project import EXPERIMENTS_VARIABLE, ROOT_VARIABLE, project_root
from runner.sweeps.dask_job import Home
from runner.tracking.store import URI_VARIABLE, resolve

_SHIPPED = re.compile("(MLFLOW|RUNNER)_")
_NAMED = re.compile(r"oc\.env:\s*([A-Za-z_]\w*)")


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
