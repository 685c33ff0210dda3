"""How the members of a sweep are run: in shared passes, or by a launcher of Hydra's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Protocol, cast

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher

from runner.errors import ClusterError
from runner.records import Outcome
from runner.rules import check, integer, null
from runner.sweeps.job import Job
from runner.sweeps.plan import Built, Plan
from runner.sweeps.shared_pass import FailFast, run_group
from runner.sweeps.standing import Standing
from runner.sweeps.trials import Called, failed, pending

_ENDED_BADLY = ("FAILED", "KILLED")


class _Telling(Protocol):
    """A launcher that calls ``on_return`` with the number of each job that ends, at once."""

    on_return: Callable[[int, JobReturn], None] | None


class Launch(Protocol):
    """Runs the members of a plan."""

    @property
    def is_shared(self) -> bool:
        """Whether members learn in one pass where they can."""

    def dealt(self, plan: Plan) -> Plan:
        """Return the plan with what is known of where its members will run."""

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

    def dealt(self, plan: Plan) -> Plan:
        """Leave the plan as it is."""
        return plan

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

    def dealt(self, plan: Plan) -> Plan:
        """Leave the plan as it is."""
        return plan

    def __call__(self, plan: Plan, standing: Standing, job: Job) -> None:
        """Launch the jobs, all at once, or to end with the first that fails in batches of one."""
        built = plan.built
        job.parent = standing.run.run_id
        job.called = {index: each.member.called for index, each in enumerate(built)}
        size = 1 if job.fail_fast and not self._tells_at_once else len(built)
        for start in range(0, len(built), size):
            self._batch(built[start : start + size], start, standing, fail_fast=job.fail_fast)
            if job.fail_fast and any(o.status in _ENDED_BADLY for o in standing.outcomes):
                raise FailFast("a member failed")

    @property
    def _tells_at_once(self) -> bool:
        """Whether the launcher calls ``on_return`` with each job that ends."""
        return hasattr(self.launcher, "on_return")

    def _batch(
        self, built: Sequence[Built], start: int, standing: Standing, *, fail_fast: bool
    ) -> None:
        members = [each.member.called for each in built]
        told = _Told(dict(enumerate(members, start)), standing, fail_fast)
        if self._tells_at_once:
            cast("_Telling", self.launcher).on_return = told
        lines = [list(each.member.overrides) for each in built]
        returned: Sequence[JobReturn | None] = [None] * len(built)
        broken: BaseException | None = None
        try:
            returned = self.launcher.launch(lines, initial_job_idx=start)
        except BaseException as error:
            broken = error
            if isinstance(error, ClusterError) or not isinstance(error, Exception):
                raise
        finally:  # a worker that died costs the others nothing more, nor does an interrupt
            recorded = standing.run.members()
            for called, back in zip(members, returned, strict=True):
                if called.key in told.keys:
                    continue
                if back is not None:
                    standing.take(_ended(called, back, lambda: recorded))
                elif broken is not None:
                    _lost(called, broken, recorded, standing)


@dataclass
class _Told:
    """Takes how a job ended while others go on; one that failed may end them."""

    members: Mapping[int, Called]
    standing: Standing
    fail_fast: bool
    keys: set[str] = field(default_factory=set)

    def __call__(self, number: int, back: JobReturn) -> None:
        called = self.members[number]
        outcome = _ended(called, back, self.standing.run.members)
        self.keys.add(called.key)
        self.standing.ended(outcome)
        if self.fail_fast and outcome.status in _ENDED_BADLY:
            raise FailFast("a member failed")


def _ended(
    called: Called, back: JobReturn, recorded: Callable[[], Mapping[str, Outcome]]
) -> Outcome:
    """Say how a member ended, from what its job returned, and what the record says of an error."""
    if back.status == JobStatus.COMPLETED:
        return back.return_value  # type: ignore[no-any-return]
    told = failed(called, back._return_value)  # noqa: SLF001
    known = recorded().get(called.key, told)
    if known.status in ("PENDING", "KILLED"):  # its process is gone, and could not tell why
        known = replace(known, status="KILLED", error=known.error or told.error)
    return replace(known, **called._asdict())


def _lost(
    called: Called, broken: BaseException, recorded: Mapping[str, Outcome], standing: Standing
) -> None:
    """Say how a member stands whose job returned nothing, because the launcher broke."""
    known = recorded.get(called.key)
    if known is None:  # if none began, it is the launcher that cannot run them
        is_fault = isinstance(broken, Exception) and not isinstance(broken, ClusterError)
        lost = is_fault and not recorded
        standing.take(failed(called, broken) if lost else pending(called))
    elif known.status == "PENDING":
        told = failed(called, broken).error
        standing.ended(replace(known, **called._asdict(), status="KILLED", error=told))
    else:
        standing.take(replace(known, **called._asdict()))
