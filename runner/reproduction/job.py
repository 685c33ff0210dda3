"""From a recorded run to a new one that is compared with it."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from runner.config.job import build
from runner.config.rebuilt import given, rebuilt
from runner.config.recipe import without_secret
from runner.config.unedited import since_recorded
from runner.errors import ConfigError
from runner.experiment import Experiment
from runner.experiment import run as run_experiment
from runner.reproduction.causes import Cause, causes
from runner.reproduction.comparison import IDENTICAL, Aspect, aspects
from runner.reproduction.record import kept
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import RecordedRun, children, find_run, kept_bytes, kept_config
from runner.tracking.store import resolve
from runner.tracking.tags import BEST_RUN, times_resumed

REPRODUCES = "runner.reproduces"
_MOVES = re.compile(r"\+{0,2}tracking\.uri=")


@dataclass(frozen=True)
class Reproduction:
    """A run, the run that was to be the same, and how they compare.

    ``causes`` are all that changed, those that made no difference too.
    """

    run: RecordedRun
    again: RecordedRun
    url: str
    aspects: tuple[Aspect, ...]
    causes: tuple[Cause, ...]

    @property
    def is_identical(self) -> bool:
        """Whether data, order, scores and model are the same, each known to be so."""
        return all(aspect.verdict == IDENTICAL for aspect in self.aspects)


def reproduce(run_id: str, overrides: Sequence[str] = ()) -> Reproduction:
    """Run once more what a run was asked, from its record alone, and compare the two.

    The new run is one of its own, in the same store and MLflow experiment, with the tag
    ``runner.reproduces``. The config is the recorded one, whatever its file says by now, but for
    the store and the cluster: only ``overrides`` name another store, or a cluster at all.

    Parameters
    ----------
    run_id : str
        The id of the run, or its beginning.
    overrides : sequence of str
        What to change, as on the command line: ``["dataset.path=moved.parquet"]``.

    Raises
    ------
    RunnerError
        If there is no such run, it is a sweep or did not finish, or if the new one fails.
    """
    run = find_run(run_id)
    _check_whole(run)
    _check_one_config(run)
    text = kept_config(run)
    composed = rebuilt(text, overrides, is_here=True)
    then = kept(run)
    experiment, recipe = build(composed)
    uri = _tag(experiment, run, is_moved=any(map(_MOVES.match, overrides)))
    command = ["runner", "reproduce", run.run_id, *map(without_secret, overrides)]
    result = run_experiment(experiment, replace(recipe, command=shlex.join(command)))
    again = find_run(result.run_id, uri)
    now = kept(again, uri)
    compared = aspects(then, now)
    found = causes(then, now, compared, given(text, composed), since_recorded(run.command, text))
    return Reproduction(run, again, result.url, tuple(compared), tuple(found))


def _check_whole(run: RecordedRun) -> None:
    if run.is_sweep:
        members = [child.run_id for child in children(run)]
        chosen = run.tags.get(BEST_RUN) or next(iter(members), "MEMBER")
        raise ConfigError(
            f"The run {run.run_id}",
            "be one run to be reproduced",
            got=f"{run.name}, which is a sweep",
            remedy=f"Name a member of it, as in `runner reproduce {chosen[:8]}`.",
        )
    if run.status != "FINISHED":
        raise ConfigError(
            f"The run {run.run_id}",
            "have finished, so that there is something to compare with",
            got=f"the status {run.status}",
            remedy=f"`runner resume {run.run_id[:8]}` goes on with it.",
        )


def _check_one_config(run: RecordedRun) -> None:
    for sitting in range(1, times_resumed(run.tags) + 1):
        path = f"config/resumed-{sitting}/config.yaml"
        if kept_bytes(run.run_id, path) is not None:
            raise ConfigError(
                f"The run {run.run_id}",
                "have one config to be reproduced",
                got=f"another one from the time on that it was resumed, {path}",
                remedy="Run the experiment anew with `runner run`.",
            )


def _tag(experiment: Experiment, run: RecordedRun, *, is_moved: bool) -> str | None:
    """Let the new run say which one it repeats; return the store that it goes to."""
    tracking = experiment.tracking
    if not isinstance(tracking, MlflowTracker):
        raise ConfigError(
            "tracking",
            "keep a record, so that there is something to compare",
            got=type(tracking).__name__,
            remedy="Leave tracking out.",
        )
    uri = tracking.uri if is_moved else resolve().uri
    tags = {**tracking.tags, REPRODUCES: run.run_id}
    experiment.tracking = replace(tracking, uri=uri, tags=tags)
    return uri
