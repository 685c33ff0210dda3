"""Go on with a sweep: run the members that did not finish, and no other."""

from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from runner.config.compose import Composed
from runner.config.rebuilt import move
from runner.config.unedited import check_unedited
from runner.errors import ConfigError
from runner.sweeps import kept
from runner.sweeps.begun import check_left
from runner.sweeps.conduct import Earlier, conduct
from runner.sweeps.job import Job
from runner.sweeps.known import known_scores_of
from runner.sweeps.members import Member
from runner.sweeps.shard import resumed_from
from runner.sweeps.shards import launch_of
from runner.tracking.client import connect
from runner.tracking.members import outcome_of
from runner.tracking.mending import mend
from runner.tracking.record import (
    RecordedRun,
    children,
    find_run,
    kept_bytes,
    kept_config,
    kept_file,
)
from runner.tracking.store import resolve
from runner.tracking.tags import KEY, KIND, SWEEP


def resume(
    name: str,
    job: Job,
    overrides: Sequence[str] = (),
    *,
    only_failed: bool = False,
    is_forced: bool = False,
    uri: str | None = None,
) -> None:
    """Run the members of a sweep that did not finish; those that did are not run again.

    A member that left a saved state goes on from there. Where only the ending of the sweep is
    missing, it is made up for.

    Parameters
    ----------
    name : str
        The id of the sweep's run, or its beginning.
    job : Job
        Gets the outcomes of all members.
    overrides : sequence of str
        Where members run now, as on the command line: of the section ``cluster``.
    only_failed : bool
        Leave those aside that never ended, or were interrupted.
    is_forced : bool
        Let members go on although the file, the data or the libraries are not what they were.
    uri : str or None
        The store of the record.

    Raises
    ------
    RunnerError
        If there is no such sweep, a process still runs it, or there is nothing left to run; if
        something is not as it was and that is not forced.
    """
    store = resolve(uri)
    mend(connect(store), store)  # a member may have ended without having told the store
    run = find_run(name, uri)
    if run.tags.get(KIND) != SWEEP:
        raise ConfigError(
            f"The run {run.run_id}",
            "be a sweep to be resumed",
            got=f"{run.name}, which is one run",
            remedy="Run it again with `runner run`.",
        )
    text = kept_config(run, uri)
    base = _base(text)
    if only_failed and (base.sweep or {}).get("halving") is not None:
        raise _all_or_none(run)
    members = kept.from_text(kept_file(run, kept.PATH, uri))
    move([base.config, *(member.composed.config for member in members)], overrides)
    earlier = _earlier(run, members, uri, only_failed=only_failed, is_forced=is_forced)
    check_unedited(run.run_id, run.command, text, is_forced=is_forced, is_sweep=True)
    clusters = [member.composed.config.get("cluster") for member in members]
    conduct(members, base, job, launch_of(clusters), earlier)


def _earlier(
    run: RecordedRun,
    members: Sequence[Member],
    uri: str | None,
    *,
    only_failed: bool,
    is_forced: bool,
) -> Earlier:
    """Return what was done, and what is left of it to do."""
    found = {child.tags.get(KEY, ""): child for child in children(run, uri)}
    outcomes = {key: outcome_of(child) for key, child in found.items()}
    finished = {key for key, outcome in outcomes.items() if outcome.status == "FINISHED"}
    wanted = {member.key for member in members} - finished
    if only_failed:
        wanted &= {key for key, outcome in outcomes.items() if outcome.status == "FAILED"}
    if not wanted and (only_failed or run.status == "FINISHED"):
        raise ConfigError(
            f"The sweep {run.run_id}",
            "have members that failed" if only_failed else "have members that did not finish",
            got=f"{len(finished)} finished of {len(members)}",
            remedy=f"`runner ui {run.run_id[:8]}` shows them.",
        )
    for child in (found[key] for key in wanted & found.keys()):
        check_left(child)
    resumed = {
        key: there
        for key, child in found.items()
        if key in wanted and (there := resumed_from(child.run_id, is_forced=is_forced)) is not None
    }
    known = known_scores_of({key: found[key] for key in {*finished, *resumed}})
    data = kept_bytes(run.run_id, kept.DATA, uri)
    return Earlier(
        run.run_id,
        outcomes,
        frozenset(wanted),
        known,
        resumed,
        data=None if data is None else data.decode(),
        is_forced=is_forced,
    )


def _all_or_none(run: RecordedRun) -> ConfigError:
    return ConfigError(
        "--failed",
        "be left out where the sweep has a halving, because the members that it leaves aside "
        "are part of the field that is compared",
        got=run.name,
        remedy=f"Run `runner resume {run.run_id[:8]}`.",
    )


def _base(text: str) -> Composed:
    config = OmegaConf.create(text)
    assert isinstance(config, DictConfig)  # noqa: S101
    sweep = OmegaConf.to_container(config.pop("sweep", None) or OmegaConf.create({}))
    return Composed(config, (), "", sweep)
