"""Let Hydra launch each member as a whole experiment on a Dask cluster."""

from collections.abc import Callable, Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class Dask(Launcher):
    """The launcher of whole experiments; what it does is in ``runner.sweeps.dask_jobs``.

    Attributes
    ----------
    on_return : callable or None
        Called with the number of each job that ends, at once, and what came of it.
    """

    on_return: Callable[[int, JobReturn], None] | None = None

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
        """Run the members on the workers, or those that another sweeper made."""
        from runner.sweeps.dask_jobs import launch

        return launch(self, job_overrides, initial_job_idx)
