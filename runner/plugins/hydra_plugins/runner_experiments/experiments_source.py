"""Let Hydra find experiment files, and read them without a package header."""

import re
from typing import Any

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf

from runner.errors import ConfigError

GROUP = "experiment"


class ExperimentsSource(FileConfigSource):
    """The files of ``experiments://FOLDER`` as the options of the group ``experiment``.

    They are composed at the root of the config, as if each began with ``# @package _global_``.
    """

    @staticmethod
    def scheme() -> str:
        """Return the scheme of this source in Hydra's search path."""
        return "experiments"

    def load_config(self, config_path: str) -> ConfigResult:
        """Read ``experiment/NAME`` from ``FOLDER/NAME.yaml``."""
        result = super().load_config(_inside(config_path))
        _refuse_hydra(config_path, result)
        if result.header.get("package") is None:
            result.header["package"] = "_global_"
        return result

    def available(self) -> bool:
        """Say whether the folder is there."""
        return super().is_group("")

    def is_group(self, config_path: str) -> bool:
        """Say whether this is the one group there is."""
        return config_path.strip("/") in ("", GROUP)

    def is_config(self, config_path: str) -> bool:
        """Say whether there is such an experiment."""
        path = config_path.strip("/")
        return path.startswith(f"{GROUP}/") and super().is_config(_inside(path))

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """List the group, or the experiments in it."""
        if not config_path.strip("/"):
            return [GROUP] if results_filter in (None, ObjectType.GROUP) else []
        if results_filter == ObjectType.GROUP:
            return []
        return sorted(
            name.removesuffix(".yaml")
            for name in super().list("", ObjectType.CONFIG)
            if super(ExperimentsSource, self).is_config(name)
        )


def _refuse_hydra(config_path: str, result: ConfigResult) -> None:
    """Refuse Hydra's own settings, which can run code before any check of ours."""
    config, package = result.config, str(result.header.get("package") or "")
    listed = config.get("defaults") if isinstance(config, DictConfig) else None
    groups = [name for each in listed or () for name in _groups(each)]
    for told in (package, *groups):
        if re.split(r"[./@]", told)[0] == "hydra":
            raise ConfigError(
                f"{_inside(config_path)}: {told}",
                "not be set in an experiment's file",
                got=told,
                remedy=f"Set it on the command line, as in {told.replace('.', '/')}=...",
            )
    found = config.get("hydra") if isinstance(config, DictConfig) else None
    if found is None or _only_sweep(found):
        return
    raise ConfigError(
        f"{_inside(config_path)}: hydra",
        "not be set in an experiment's file, but for hydra.sweeper.params",
        got=", ".join(map(str, found)) if isinstance(found, DictConfig) else str(found),
        remedy="Set it on the command line, or in the project's conf/.",
    )


def _only_sweep(node: Any) -> bool:
    return (
        isinstance(node, DictConfig)
        and set(node) == {"sweeper"}
        and isinstance(node.sweeper, DictConfig)
        and set(node.sweeper) == {"params"}
        and not _names_code(node.sweeper.params)
    )


def _groups(default: Any) -> list[str]:
    """Return the groups that an item of the defaults list names."""
    named = [default] if isinstance(default, str) else list(default)
    return [str(name).split()[-1].lstrip("/") for name in named if str(name).strip()]


def _names_code(node: Any) -> bool:
    """Say whether a key of Hydra's, such as ``_target_``, stands anywhere in it."""
    if isinstance(node, DictConfig):
        if any(str(key).startswith("_") for key in node):
            return True
        plain = OmegaConf.to_container(node, resolve=False)
        return "_target_" in str(plain)
    return "_target_" in str(node)


def _inside(config_path: str) -> str:
    return config_path.strip("/").removeprefix(f"{GROUP}/")
