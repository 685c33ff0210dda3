"""What was composed, parted into the experiment and its sweep, though a reference is lost."""

from omegaconf import DictConfig, OmegaConf

from runner.config.checking.resolution import lost_of
from runner.config.compose import Composed
from runner.config.messages import MISTAKES
from runner.errors import Problem


def parted(config: DictConfig) -> tuple[Composed | None, list[Problem]]:
    """Part what was composed, if no reference of its name or its sweep is lost."""
    try:
        return Composed.from_hydra(config), []
    except MISTAKES as error:
        return None, [lost_of("sweep", error, config)]


def rest_of(config: DictConfig) -> DictConfig:
    """Return what is left of a config of which the sweep, or the name, refers to nothing."""
    plain = OmegaConf.to_container(config, resolve=False)
    own = plain if isinstance(plain, dict) else {}
    rest = {key: value for key, value in own.items() if key not in ("hydra", "sweep")}
    return OmegaConf.create({**rest, "name": rest.get("name") or "unnamed"})
