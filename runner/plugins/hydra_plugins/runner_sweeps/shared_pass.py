"""Let Hydra launch members that learn from the same blocks."""

from collections.abc import Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SharedPass(Launcher):
    """The launcher of our application; what it does is in ``runner.sweeps.launch``.

    Parameters
    ----------
    threads : int, optional
        How many members learn at the same time; as many as there are cores, if not given.
    """

    def __init__(self, threads: int | None = None) -> None:
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
