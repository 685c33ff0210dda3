"""Which names a file may have built: scikit-learn's and ours, and what the project allows."""

import importlib
import os
import tomllib
from pathlib import Path
from typing import Any

from runner.errors import ConfigError, nearest
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
        If it is not allowed, or there is no such thing.
    """
    packages = allowed_packages()
    if not _is_inside(dotted, packages):
        raise _refused(key, dotted, packages)
    found = _find(key, dotted.replace(":", "."))
    if not _is_inside(getattr(found, "__module__", None) or "", packages):
        raise _refused(key, dotted, packages)
    return found


def _find(key: str, dotted: str) -> Any:
    parts = dotted.split(".")
    found, depth = _import_longest(key, dotted)
    for depth_now in range(depth, len(parts)):
        name = parts[depth_now]
        if name.startswith("_") or not hasattr(found, name):
            public = [known for known in dir(found) if not known.startswith("_")]
            raise ConfigError(
                key,
                f"name something of {'.'.join(parts[:depth_now])}",
                got=name,
                remedy=nearest(name, public),
            )
        found = getattr(found, name)
    return found


def _import_longest(key: str, dotted: str) -> tuple[Any, int]:
    parts = dotted.split(".")
    for depth in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:depth])
        try:
            return importlib.import_module(module), depth
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise _not_importable(key, module, error) from error
        except Exception as error:
            raise _not_importable(key, module, error) from error
    raise ConfigError(
        key,
        "name a class or a function of an installed package",
        got=dotted,
        remedy="Check the spelling, and that the package is installed or in the project's folder.",
    )


def _not_importable(key: str, module: str, error: Exception) -> ConfigError:
    return ConfigError(
        key,
        "name a module that can be imported",
        got=f"{module}, which raises {type(error).__name__}: {error}",
        remedy=f"Try `python -c 'import {module}'`.",
    )


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
    return [str(name) for name in table.get("tool", {}).get("runner", {}).get("allow", [])]
