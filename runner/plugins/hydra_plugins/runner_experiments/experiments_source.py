"""Let Hydra find experiment files, and read them scanned and without a package header."""

from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf
from yaml import Node

from runner.allow import allows_code
from runner.config.reading.scan import climbs, reaches_hydra, scanned, strict_problems
from runner.errors import ConfigError, InvalidConfigError, Problem

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
        path = called(self, _inside(config_path))
        problems = strict_problems(path, scanned(path))
        if problems:
            raise InvalidConfigError(problems)
        result = super().load_config(_inside(config_path))
        _refuse_hydra(config_path, result)
        _leave_out(path, result.config)
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


class OptionsSource(FileConfigSource):
    """The files of ``options://FOLDER``, a project's own ``conf``, read within budgets.

    Hydra's own groups and settings are left to projects whose code is trusted anyway.
    """

    @staticmethod
    def scheme() -> str:
        """Return the scheme of this source in Hydra's search path."""
        return "options"

    def load_config(self, config_path: str) -> ConfigResult:
        """Read ``GROUP/NAME`` from ``FOLDER/GROUP/NAME.yaml``."""
        path = called(self, config_path)
        if config_path == "config":
            said = "must not stand in a project: it would hide the runner's own"
            remedy = "write what all experiments share into conf/GROUP/default.yaml"
            raise InvalidConfigError([Problem(path.name, said, remedy, str(path))])
        root = scanned(path)
        problems = [] if allows_code() else _foreign(config_path, path, root)
        if problems:
            raise InvalidConfigError(problems)
        return super().load_config(config_path)


def _foreign(config_path: str, path: Path, root: Node | None) -> list[Problem]:
    """Return what of an option is Hydra's, and only for a project whose code is trusted."""
    if reaches_hydra(config_path):
        said = "must not stand in a project that allows no code of its own"
        remedy = "choose and set launcher and sweeper on the command line"
        return [Problem(config_path, said, remedy, str(path))]
    return strict_problems(path, root)


def called(source: FileConfigSource, config_path: str) -> Path:
    """Return the path of a config as a person writes it."""
    from runner.config.reading.sources import call

    return Path(call(Path(source.path) / source._normalize_file_name(config_path)))  # noqa: SLF001


def _leave_out(path: Path, config: Any) -> None:
    from runner.config.checking.defaults import kept

    if isinstance(config, DictConfig) and config.get("defaults") is not None:
        config.defaults = kept(path.resolve(), config.defaults)


def _refuse_hydra(config_path: str, result: ConfigResult) -> None:
    """Refuse Hydra's own settings as OmegaConf read them, should a scan have read otherwise."""
    config, package = result.config, str(result.header.get("package") or "")
    listed = config.get("defaults") if isinstance(config, DictConfig) else None
    found = config.get("hydra") if isinstance(config, DictConfig) else None
    told = [package] if reaches_hydra(package) else []
    told += [name for each in listed or () for name in _named(each) if _is_foreign(name)]
    told += [] if found is None or _only_sweep(found) else ["hydra"]
    if told:
        raise ConfigError(
            f"{_inside(config_path)}: {told[0]}",
            "not be set in an experiment's file",
            got=", ".join(told),
            remedy="Leave it out.",
        )


def _only_sweep(node: Any) -> bool:
    return (
        isinstance(node, DictConfig)
        and set(node) == {"sweeper"}
        and isinstance(node.sweeper, DictConfig)
        and set(node.sweeper) == {"params"}
        and not _names_code(node.sweeper.params)
    )


def _named(default: Any) -> list[str]:
    """Return the groups and options that an item of the defaults list names."""
    if isinstance(default, str):
        return [default]
    options = [name for name in default.values() if name is not None]
    each = [
        name for option in options for name in ([option] if isinstance(option, str) else option)
    ]
    return [*map(str, default), *map(str, each)]


def _is_foreign(name: str) -> bool:
    word = name.removeprefix("override ").strip().lstrip("/")
    return reaches_hydra(name) or climbs(word) or "${" in name


def _names_code(node: Any) -> bool:
    """Say whether a key of Hydra's, such as ``_target_``, stands anywhere in it."""
    if isinstance(node, DictConfig):
        if any(str(key).startswith("_") or reaches_hydra(str(key)) for key in node):
            return True
        plain = OmegaConf.to_container(node, resolve=False)
        return "_target_" in str(plain)
    return "_target_" in str(node)


def _inside(config_path: str) -> str:
    return config_path.strip("/").removeprefix(f"{GROUP}/")
