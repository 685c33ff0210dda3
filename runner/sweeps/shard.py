"""A shard of a sweep on a worker of a cluster: some members of a group, in one shared pass."""

import pickle
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from runner.callbacks.progress_bar import ProgressBar
from runner.cluster.at_worker import tell
from runner.cluster.none import NoCluster
from runner.experiment import Experiment
from runner.records import Outcome
from runner.saved import Resumed, read
from runner.sweeps.begun import Begun, Sitting, begun_runs
from runner.sweeps.halving import Tournament
from runner.sweeps.home import Home, at_home
from runner.sweeps.known import known_scores_of
from runner.sweeps.members import Member
from runner.sweeps.news import ENDED, OF_ITSELF
from runner.sweeps.plan import Built, Group, planned
from runner.sweeps.shared_pass import FailFast, run_group
from runner.sweeps.wanted import followed
from runner.tracking.members import outcome_of
from runner.tracking.mlflow_tracker import MlflowTracker


class Shard(NamedTuple):
    """Members of one group that learn on one worker.

    Parameters
    ----------
    members : tuple of Member
        Those that have not ended.
    before : mapping of str to Sitting
        The runs that members had when the sweep was launched, by key: what was done since then
        was done by this shard, on a worker that died.
    is_forced : bool
        Whether members go on although something is not as it was.
    tournament : Tournament, optional
        What stops some of them on the way.
    """

    members: tuple[Member, ...]
    before: Mapping[str, Sitting]
    is_forced: bool = False
    tournament: Tournament | None = None


class Came(NamedTuple):
    """What a shard came to: how its members ended, and what the tournament decided."""

    outcomes: list[Outcome]
    tournament: Tournament | None = None


@dataclass(frozen=True)
class ShardWork:
    """What the workers call with each shard.

    Parameters
    ----------
    home : Home
        Where to be meanwhile.
    parent : str
        The run of the sweep.
    topic : str
        Where the client listens.
    fail_fast : bool
        Whether the first member that fails ends the others.
    """

    home: Home
    parent: str
    topic: str
    fail_fast: bool = False

    def __call__(self, content: bytes) -> Came:
        """Run a shard, which was pickled, unless its members have ended before.

        Raises
        ------
        RunnerError
            If the project is not as it is where the sweep was begun.
        """
        with at_home(self.home):
            shard: Shard = pickle.loads(content)  # noqa: S301  (of our own client)
            with followed(self.topic) as is_wanted:
                return self.run(shard, is_wanted)

    def run(self, shard: Shard, is_wanted: Callable[[], bool]) -> Came:
        """Run the members that have not ended, and return how all of them did.

        Raises
        ------
        RunnerError
            If the project is not as it is where the sweep was begun.
        """
        plan = planned(shard.members)
        for refusal in plan.refused:
            raise refusal.error
        (group,) = plan.groups
        is_kept = isinstance(group.lead.tracking, MlflowTracker)
        told = ShardFollower(self.parent if is_kept else None, self.topic, is_wanted)
        keys = [member.key for member in shard.members]
        begun = begun_runs(group.lead.tracking, self.parent, keys, shard.before, is_wanted)
        for member in shard.members:
            if (one := begun.get(member.key)) is not None and one.run.status in OF_ITSELF:
                told.ended(replace(outcome_of(*one), **member.called._asdict()))
        left = [each for each in group.built if each.member.number not in told.outcomes]
        tournament = shard.tournament
        if tournament is not None:
            _know(tournament, left, begun)
        if left:
            built = tuple(_going_on(each, begun, shard) for each in left)
            n_threads = threads_here()
            with suppress(FailFast):  # it is told with the member that failed
                run_group(
                    Group(built, group.split, tournament),
                    told,
                    threads=n_threads,
                    fail_fast=self.fail_fast,
                    in_processes=False,  # a worker is mostly a process that may start none
                )
        return Came([*told.outcomes.values()], tournament)


@dataclass
class ShardFollower:
    """Tells the client at once of each member that ends.

    Parameters
    ----------
    run : str or None
        The run of the sweep.
    topic : str
        Where the client listens.
    is_asked_for : callable
        Says whether somebody still waits for the shard.

    Attributes
    ----------
    outcomes : dict of int to Outcome
        How members ended so far, by number.
    """

    run: str | None
    topic: str
    is_asked_for: Callable[[], bool]
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    @property
    def is_wanted(self) -> bool:
        """Whether the members are to go on."""
        return self.is_asked_for()

    def ended(self, outcome: Outcome) -> None:
        """Keep and tell how a member ended."""
        self.outcomes[outcome.number] = outcome
        tell(self.topic, [ENDED, pickle.dumps(outcome)])


def resumed_from(run_id: str, *, is_forced: bool) -> Resumed | None:
    """Return how a run is gone on with that left a state; None where it left none.

    Raises
    ------
    CheckpointError
        If there is a state that cannot be believed.
    """
    saved = read(run_id)
    return None if saved is None else Resumed(run_id, saved, is_forced)


def _going_on(built: Built, begun: Mapping[str, Begun], shard: Shard) -> Built:
    """Return a member as it is run here: in the run that it has, from its state."""
    key, resumed = built.member.key, None
    if key in begun:
        run_id = begun[key].run.run_id
        resumed = Resumed(run_id, read(run_id), shard.is_forced)
    elif key in shard.before:
        resumed = resumed_from(shard.before[key].run_id, is_forced=shard.is_forced)
    return replace(built, experiment=silent(built.experiment), resumed=resumed)


def silent(experiment: Experiment) -> Experiment:
    """Let an experiment run in this process, and show nothing where nobody looks."""
    callbacks = experiment.callbacks.items()
    kept = {name: each for name, each in callbacks if not isinstance(each, ProgressBar)}
    return replace(experiment, callbacks=kept, cluster=NoCluster())


def _know(tournament: Tournament, left: Sequence[Built], begun: Mapping[str, Begun]) -> None:
    """Let a tournament go on with what it found on a worker that died."""
    learning = [each.member.number for each in left]
    runs = {outcome_of(each.run).number: each.run for each in begun.values()}
    there = {n: run for n, run in runs.items() if n not in learning or read(run.run_id)}
    tournament.know(known_scores_of(there), learning)


def threads_here() -> int:
    """Return how many threads this worker has for its tasks."""
    from distributed import get_worker

    with suppress(ValueError):
        return int(get_worker().state.nthreads)
    return 1
