"""How the members of a sweep are run: in shared passes, or by a launcher of Hydra's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Protocol

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher

from runner.records import Outcome
from runner.rules import check, integer, null
from runner.sweeps.job import Job
from runner.sweeps.plan import Built, Plan
from runner.sweeps.shared_pass import FailFast, run_group
from runner.sweeps.standing import Standing
from runner.sweeps.trials import Called, failed, pending

_ENDED_BADLY = ("FAILED", "KILLED")


class Launch(Protocol):
    """Runs the members of a plan."""

    @property
    def is_shared(self) -> bool:
        """Whether members learn in one pass where they can."""

    def __call__(self, plan: Plan, standing: Standing, job: Job) -> None:
        """Run them all; each that ends is told to ``standing``.

        Raises
        ------
        FailFast
            If one failed and was to end the others.
        """


@dataclass(frozen=True)
class SharedPass:
    """Group after group, the members of each in one pass over its blocks, in this process.

    Parameters
    ----------
    threads : int, optional
        How many members learn at the same time; as many as there are cores, if not given.
    """

    threads: Annotated[int | None, integer(1) | null()] = None
    is_shared: bool = True

    def __post_init__(self) -> None:
        """Refuse what is no number of threads."""
        check("hydra.launcher", self)

    def __call__(self, plan: Plan, standing: Standing, job: Job) -> None:
        """Run the groups."""
        for group in plan.groups:
            run_group(group, standing, threads=self.threads, fail_fast=job.fail_fast)


@dataclass(frozen=True)
class OneByOne:
    """Each member in a job of its own, by a launcher that reads the data for each of them.

    Parameters
    ----------
    launcher : hydra.plugins.launcher.Launcher
        Such as Hydra's basic one, or joblib's.
    """

    launcher: Launcher
    is_shared: bool = False

    def __call__(self, plan: Plan, standing: Standing, job: Job) -> None:
        """Launch the jobs, all at once, or to end with the first that fails in batches of one."""
        built = plan.built
        job.parent = standing.run.run_id
        job.called = {index: each.member.called for index, each in enumerate(built)}
        size = 1 if job.fail_fast else len(built)
        for start in range(0, len(built), size):
            self._batch(built[start : start + size], start, standing)
            if job.fail_fast and any(o.status in _ENDED_BADLY for o in standing.outcomes):
                raise FailFast("a member failed")

    def _batch(self, built: Sequence[Built], start: int, standing: Standing) -> None:
        lines = [list(each.member.overrides) for each in built]
        returned: Sequence[JobReturn | None] = [None] * len(built)
        broken: BaseException | None = None
        try:
            returned = self.launcher.launch(lines, initial_job_idx=start)
        except BaseException as error:
            broken = error
            if not isinstance(error, Exception):
                raise
        finally:  # a worker that died costs the others nothing more, nor does an interrupt
            recorded = standing.run.members()
            for each, back in zip(built, returned, strict=True):
                called = each.member.called
                if back is not None:
                    standing.take(_ended(called, back, recorded.get(called.key)))
                elif broken is not None:
                    _lost(called, broken, recorded, standing)


def _ended(called: Called, back: JobReturn, recorded: Outcome | None) -> Outcome:
    """Say how a member ended, from what its job returned, and what the record says of an error."""
    if back.status == JobStatus.COMPLETED:
        return back.return_value  # type: ignore[no-any-return]
    known = recorded or failed(called, back._return_value)  # noqa: SLF001
    return replace(known, **called._asdict())


def _lost(
    called: Called, broken: BaseException, recorded: Mapping[str, Outcome], standing: Standing
) -> None:
    """Say how a member stands whose job returned nothing, because the launcher broke."""
    known = recorded.get(called.key)
    if known is None:  # if none began, it is the launcher that cannot run them
        lost = isinstance(broken, Exception) and not recorded
        standing.take(failed(called, broken) if lost else pending(called))
    elif known.status == "PENDING":
        told = failed(called, broken).error
        standing.ended(replace(known, **called._asdict(), status="KILLED", error=told))
    else:
        standing.take(replace(known, **called._asdict()))
