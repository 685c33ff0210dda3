"""Workers as jobs of a Slurm queue."""

import os
import shlex
import shutil
from asyncio import gather
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from runner.cluster.client import CLOSE_S
from runner.cluster.local import HOST, NO_PAGES
from runner.cluster.plain import BYTES, DURATION, FOLDER, NAME, WHOLE_FOLDER, require_plain
from runner.cluster.started import ScalableCluster
from runner.errors import ClusterError, ConfigError
from runner.names import signals_kept
from runner.project import project_root
from runner.rules import integer, null

KEPT = ".runner/slurm"  # in the project: what the jobs say, and the keys of TLS
HAVE_ENDED = ("invalid job id", "already completing or completed")  # says scancel


@dataclass(kw_only=True)
class SlurmCluster(ScalableCluster):
    """A scheduler in this process, and jobs of Slurm that run workers, by TLS with own keys.

    What a job needs besides, such as ``module load``, stands in Dask's own configuration
    (``~/.config/dask/jobqueue.yaml``): an experiment cannot put a command into a job.

    Parameters
    ----------
    memory : str
        Of one job, such as ``16GiB``.
    cores : int
        Of one job.
    processes : int or None
        Workers of one job; None for one per core.
    n_workers : int
        How many workers to begin with; as many jobs are sent as have them.
    queue, account : str or None
        Of Slurm; None for its own defaults.
    walltime : str
        After which Slurm ends a job, such as ``02:00:00``.
    interface : str or None
        The network that they talk on, such as ``ib0``; None for the one of the host's name.
    local_directory : str or None
        Where workers write what does not fit in memory, such as ``$TMPDIR``.
    log_directory : str or None
        Where Slurm writes what a job prints; None for ``.runner/slurm`` in the project.
    shared_temp_directory : str or None
        Where the keys of TLS are for the jobs to read, while it runs; it must be on a disk that
        the nodes share. None for ``.runner/slurm`` in the project.
    """

    kind: ClassVar[str] = "slurm"
    extra: ClassVar[str] = "slurm"

    memory: Annotated[str, BYTES]
    cores: Annotated[int, integer(1)] = 1
    processes: Annotated[int | None, integer(1) | null()] = None
    n_workers: Annotated[int, integer(1)] = 1
    queue: Annotated[str | None, NAME | null()] = None
    account: Annotated[str | None, NAME | null()] = None
    walltime: Annotated[str, DURATION] = "01:00:00"
    interface: Annotated[str | None, NAME | null()] = None
    local_directory: Annotated[str | None, FOLDER | null()] = None
    log_directory: Annotated[str | None, FOLDER | null()] = None
    shared_temp_directory: Annotated[str | None, FOLDER | null()] = None

    def start(self) -> Any:
        """Start the scheduler in a thread of this process, and send the jobs."""
        with signals_kept():
            from dask_jobqueue.slurm import SLURMCluster

        if shutil.which(SLURMCluster.job_cls.submit_command) is None:
            raise ClusterError(
                "The cluster slurm",
                "be started where jobs can be sent from",
                got="no program sbatch",
                remedy="Run it on a login node of the cluster, or load Slurm's module first.",
            )
        return SLURMCluster(**self.settings(), n_workers=self.n_workers)

    def stop(self, cluster: Any) -> None:
        """End the jobs and the scheduler, and delete the keys.

        Raises
        ------
        RuntimeError
            If a job could not be cancelled.
        """
        with ExitStack() as stack:
            stack.callback(_delete_keys, cluster)
            stack.callback(super().stop, cluster)
            # Dask would take every failure of scancel for a job that has ended already.
            cluster.sync(_cancel, list(cluster.workers.values()), callback_timeout=CLOSE_S)

    def left(self, cluster: Any) -> str:
        """Say how jobs are found and ended."""
        return "Look for its jobs by: squeue --me, and end them by: scancel NUMBER."

    def settings(self) -> dict[str, Any]:
        """Return the keywords of ``dask_jobqueue.SLURMCluster``.

        Raises
        ------
        ConfigError
            If a folder, or the path of the project, has letters that a shell would read.
        """
        import dask.config
        from distributed import Security

        own = dask.config.get("jobqueue.slurm", {})
        here = str(project_root() / KEPT)
        named = {
            name: getattr(self, name) or own.get(name.replace("_", "-")) or here
            for name in ("log_directory", "shared_temp_directory")
        }
        require_plain({f"cluster.{name}": path for name, path in named.items()}, FOLDER)
        kept = {name: _whole(f"cluster.{name}", path) for name, path in named.items()}
        if here in kept.values():
            (project_root() / KEPT).mkdir(parents=True, exist_ok=True)
        return {
            **kept,
            "queue": self.queue,
            "account": self.account,
            "cores": self.cores,
            "processes": self.processes or self.cores,
            "memory": self.memory,
            "walltime": self.walltime,
            "interface": self.interface,
            "local_directory": self.local_directory,
            "protocol": "tls://",
            "security": Security.temporary(),
            "scheduler_options": {**NO_PAGES, **(own.get("scheduler-options") or {})},
            "worker_extra_args": [
                *(own.get("worker-extra-args") or []),
                *("--no-dashboard", "--dashboard-address", f"{HOST}:0"),
            ],
            "silence_logs": "critical",
        }


def _whole(key: str, folder: str) -> str:
    """Return the whole path of a folder that may begin with ~ or $NAME.

    Raises
    ------
    ConfigError
        If it is none, without the value of a variable, which may be a secret.
    """
    path = os.path.expandvars(os.path.expanduser(folder))  # noqa: PTH111  (Path raises without a home)
    if not WHOLE_FOLDER.holds(path):
        raise ConfigError(
            key,
            f"be {WHOLE_FOLDER.text}, when ~ and variables have their values",
            got=repr(folder),
            remedy="Set the variable in the shell, or write the path itself.",
        )
    return path


async def _cancel(jobs: list[Any]) -> None:
    from distributed.core import Status

    for job in jobs:
        job.status = Status.closing  # or Dask, which expects that, would not close the rest
    sent = [job for job in jobs if job.job_id]
    calls = (job._call([*shlex.split(job.cancel_command), job.job_id]) for job in sent)  # noqa: SLF001
    results = await gather(*calls, return_exceptions=True)
    failed = {}
    for job, result in zip(sent, results, strict=True):
        if isinstance(result, BaseException) and not any(
            text in str(result).lower() for text in HAVE_ENDED
        ):
            failed[job.job_id] = result
        job.job_id = None  # it is not cancelled again
    if failed:
        said = str(next(iter(failed.values()))).rpartition("stderr:\n")[2].strip()
        message = f"scancel failed for {', '.join(failed)}: {said}"
        raise RuntimeError(message)


def _delete_keys(cluster: Any) -> None:
    for name, kept in vars(cluster).items():
        if name.startswith("_job_") and hasattr(kept, "close"):
            kept.close()
