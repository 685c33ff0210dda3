"""Let Hydra launch members that learn from the same blocks."""

from collections.abc import Sequence
from typing import Annotated

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from runner.rules import integer, null


class SharedPass(Launcher):
    """The launcher of our application; what it does is in ``runner.sweeps.launch``.

    Parameters
    ----------
    threads : int, optional
        How many members learn at the same time; as many as there are cores, if not given.
    """

    def __init__(self, threads: Annotated[int | None, integer(1) | null()] = None) -> None:
        self.threads = threads

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what a launch needs."""
        self.hydra_context = hydra_context
        self.task_function = task_function
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the members that another sweeper made."""
        from runner.sweeps.plugin import launch

        return launch(
            self.hydra_context, self.task_function, self.config, job_overrides, self.threads
        )
