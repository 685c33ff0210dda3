"""Which names a file may have built: scikit-learn's and ours, and what the project allows."""

import os
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from runner.errors import ConfigError
from runner.names import find
from runner.project import project_root

ALLOW_VARIABLE = "RUNNER_ALLOW"
BUILTIN = ("runner", "sklearn")


def allowed_packages() -> tuple[str, ...]:
    """Return the packages and modules whose names may be built.

    Ours are scikit-learn and the runner. A project adds its own in its ``pyproject.toml``::

        [tool.runner]
        allow = ["my_package"]

    and a shell in ``$RUNNER_ALLOW``, separated by commas. An experiment's file cannot.
    """
    named = os.environ.get(ALLOW_VARIABLE, "").split(",")
    extra = (*_from_pyproject(project_root() / "pyproject.toml"), *map(str.strip, named))
    return (*BUILTIN, *(name for name in extra if name))


def resolve(key: str, dotted: str) -> Any:
    """Import what a dotted name means, if the name and where it is defined are allowed.

    Nothing outside the allowed packages is imported.

    Parameters
    ----------
    key : str
        Where the name stands in the config, for messages.
    dotted : str
        Such as ``sklearn.linear_model.SGDClassifier`` or ``my_package.datasets:load``.

    Raises
    ------
    ConfigError
        If it is not allowed, is private, or there is no such thing.
    """
    packages = allowed_packages()
    is_private = any(part.startswith("_") for part in dotted.replace(":", ".").split("."))
    if is_private or not _is_inside(dotted, packages):
        raise _refused(key, dotted, packages)
    found = find(key, dotted)
    if not _is_inside(getattr(found, "__module__", None) or "", packages):
        raise _refused(key, dotted, packages)
    return found


def resolve_function(key: str, dotted: str) -> Any:
    """Import a function that a file names, if it only computes or the project allows it.

    Of scikit-learn and the runner only what makes data is allowed: a function is called with the
    arguments of the file, and others of theirs delete or write files.

    Raises
    ------
    ConfigError
        If it is not allowed, or there is no such thing.
    """
    module, _, name = dotted.replace(":", ".").rpartition(".")
    if module == "numpy" and isinstance(getattr(np, name, None), np.ufunc):
        return getattr(np, name)
    makes_data = module == "sklearn.datasets" and name.startswith("make_")
    others = allowed_packages()[len(BUILTIN) :]
    if not makes_data and not _is_inside(dotted, others):
        raise _refused(key, dotted, ("sklearn.datasets.make_*", "NumPy's ufuncs", *others))
    return resolve(key, dotted)


def _refused(key: str, dotted: str, packages: tuple[str, ...]) -> ConfigError:
    own = dotted.replace(":", ".").split(".")[0]
    return ConfigError(
        key,
        f"name something of {', '.join(packages)}",
        got=dotted,
        remedy=f'If you trust it, add allow = ["{own}"] under [tool.runner] in the '
        f"project's pyproject.toml, or set {ALLOW_VARIABLE}={own} in the shell.",
    )


def _is_inside(dotted: str, packages: tuple[str, ...]) -> bool:
    dotted = dotted.replace(":", ".")
    return any(dotted == name or dotted.startswith(f"{name}.") for name in packages)


def _from_pyproject(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            str(path), "be readable TOML", got=str(error), remedy="Mend the file."
        ) from error
    ours = table.get("tool", {}).get("runner", {})
    allowed = ours.get("allow", []) if isinstance(ours, dict) else ours
    if not isinstance(allowed, list) or not all(isinstance(name, str) for name in allowed):
        raise ConfigError(
            f"[tool.runner] of {path}",
            "have a list of names as allow",
            got=repr(allowed),
            remedy='Write allow = ["my_package"].',
        )
    return allowed
