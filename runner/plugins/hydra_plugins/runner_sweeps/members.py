"""Let Hydra run the members of the section ``sweep``, or the one run where there is none."""

from typing import Annotated, Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from runner.rules import anything, mapping, null


class Members(Sweeper):
    """The sweeper of our application; what it does is in ``runner.sweeps.plugin``.

    Parameters
    ----------
    params : mapping of str to str or list
        What is swept over besides, as Hydra's own sweeper has it.
    """

    hydra_context: HydraContext
    config: DictConfig

    def __init__(self, params: Annotated[Any, mapping(anything()) | null()] = None) -> None:
        self.params = params

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what a sweep needs."""
        self.hydra_context = hydra_context
        self.task_function = task_function
        self.config = config

    def sweep(self, arguments: list[str]) -> Any:
        """Run what the config and the command line ask for."""
        from runner.sweeps.plugin import sweep

        return sweep(self.hydra_context, self.task_function, self.config, arguments)
