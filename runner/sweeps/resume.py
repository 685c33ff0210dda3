"""Go on with a sweep: run the members that did not finish, and no other."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from omegaconf import DictConfig, OmegaConf

from runner.config.compose import Composed
from runner.errors import ConfigError
from runner.sweeps import kept
from runner.sweeps.brackets import known_scores
from runner.sweeps.conduct import Earlier, conduct
from runner.sweeps.job import Job
from runner.sweeps.launch import SharedPass
from runner.tracking.client import connect
from runner.tracking.members import outcome_of
from runner.tracking.mending import mend
from runner.tracking.record import CONFIG, RecordedRun, children, find_run, kept_file
from runner.tracking.store import resolve
from runner.tracking.tags import HALVING, KEY, KIND, SWEEP


def resume(name: str, job: Job, *, only_failed: bool = False, uri: str | None = None) -> None:
    """Run the members of a sweep that did not finish; those that did are not run again.

    Parameters
    ----------
    name : str
        The id of the sweep's run, or its beginning.
    job : Job
        Gets the outcomes of all members.
    only_failed : bool
        Leave those aside that never ended, or were interrupted.
    uri : str or None
        The store of the record.

    Raises
    ------
    RunnerError
        If there is no such sweep, a process still runs it, or there is nothing left to run.
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
    members = kept.from_text(kept_file(run, kept.PATH, uri))
    found = {child.tags.get(KEY, ""): child for child in children(run, uri)}
    outcomes = {key: outcome_of(child) for key, child in found.items()}
    finished = {key for key, outcome in outcomes.items() if outcome.status == "FINISHED"}
    wanted = {member.key for member in members} - finished
    if only_failed:
        wanted &= {key for key, outcome in outcomes.items() if outcome.status == "FAILED"}
    if not wanted:
        raise ConfigError(
            f"The sweep {run.run_id}",
            "have members that failed" if only_failed else "have members that did not finish",
            got=f"{len(finished)} finished of {len(members)}",
            remedy=f"`runner ui {run.run_id[:8]}` shows them.",
        )
    known = known_scores_of({key: found[key] for key in finished})
    earlier = Earlier(run.run_id, outcomes, frozenset(wanted), known)
    conduct(members, _base(run, uri), job, SharedPass(), earlier)


def known_scores_of(runs: Mapping[str, RecordedRun]) -> dict[str, dict[int, float]]:
    """Return the scores of members at the rungs of a halving, by key, where there was one."""
    return {key: dict(_scores(run.tags.get(HALVING, ""))) for key, run in runs.items()}


def _scores(text: str) -> Iterator[tuple[int, float]]:
    with suppress(ValueError):
        history: list[dict[str, Any]] = json.loads(text)
        yield from known_scores({0: history})[0].items()


def _base(run: RecordedRun, uri: str | None) -> Composed:
    config = OmegaConf.create(kept_file(run, CONFIG, uri))
    assert isinstance(config, DictConfig)  # noqa: S101
    sweep = OmegaConf.to_container(config.pop("sweep", None) or OmegaConf.create({}))
    return Composed(config, (), "", sweep)
