"""Which variables of the environment a config may read that a record alone brings along."""

import re
from collections.abc import Sequence, Set

from omegaconf import DictConfig

from runner.config.recipe import variables
from runner.errors import ConfigError
from runner.project import overlay

_NAMED = re.compile(r"oc\.env\s*:\s*(\w+)")


def check_environment(config: DictConfig, overrides: Sequence[str] = ()) -> None:
    """Refuse to read what neither this project nor the command line names.

    A record may come from a stranger, and could send any variable anywhere.

    Parameters
    ----------
    config : DictConfig
        As the record keeps it, with the overrides.
    overrides : sequence of str
        As they were typed.

    Raises
    ------
    ConfigError
        With the variable, and how to let it be read.
    """
    wanted = variables(config)
    named = _of_project() | set(_NAMED.findall("\n".join(overrides))) if wanted else set()
    for variable, key in wanted.items():
        if variable not in named:
            raise ConfigError(
                f"The environment variable {variable}",
                "be named in a file of this project before a recorded config may read it",
                got=f"only the record, which reads it as {key}",
                remedy=f"If you trust the record, add '{key}=${{oc.env:{variable}}}', in single "
                "quotes.",
            )


def _of_project() -> Set[str]:
    files = [
        file
        for kind in ("conf", "experiments")
        for folder in overlay(kind)
        for file in folder.rglob("*.yaml")
    ]
    return {
        name
        for file in files
        for name in _NAMED.findall(file.read_text(encoding="utf-8", errors="replace"))
    }
