"""Which members learn from the same blocks, and what reading that saves."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from omegaconf import DictConfig, OmegaConf

from runner.base import Split
from runner.config.job import build
from runner.experiment import Experiment
from runner.records import READ_ALIKE, Recipe
from runner.saved import Resumed
from runner.sweeps.halving import Tournament
from runner.sweeps.members import Member, canonical


@dataclass(frozen=True)
class Built:
    """A member, the experiment that it is, and the run that it goes on with, if it does."""

    member: Member
    experiment: Experiment
    recipe: Recipe
    resumed: Resumed | None = None


@dataclass(frozen=True)
class Group:
    """Members that learn from the same blocks, in one pass over the data each epoch.

    Parameters
    ----------
    built : tuple of Built
        The members.
    split : Split
        Their blocks.
    tournament : Tournament, optional
        What stops some of them on the way.
    n_shards : int
        Into how many parts they are dealt, each with a pass of its own, on workers of a cluster.
    """

    built: tuple[Built, ...]
    split: Split
    tournament: Tournament | None = None
    n_shards: int = 1

    @property
    def shards(self) -> list["Group"]:
        """The parts, which cost alike: members are dealt in turn."""
        n = self.n_shards
        return [replace(self, built=self.built[i::n], n_shards=1) for i in range(n)]

    @property
    def lead(self) -> Experiment:
        """The experiment whose dataset, stream and preprocessing serve all of them."""
        return self.built[0].experiment

    @property
    def epochs(self) -> int:
        """How many passes there are; members with fewer epochs leave before."""
        return max(self._epochs)

    @property
    def total_rows(self) -> int:
        """How many rows a member learns that is stopped by nothing."""
        return self.epochs * self.split.train.n_rows

    @property
    def reads_alone(self) -> int:
        """How many blocks the members would read one after the other."""
        return sum(self._reads(epochs) + self._n_held_out for epochs in self._epochs)

    @property
    def reads(self) -> int:
        """How many blocks they read together; the holdout once for all that end together."""
        return sum(each._reads_at_once for each in self.shards)  # noqa: SLF001

    @property
    def _reads_at_once(self) -> int:
        return self._reads(self.epochs) + len(set(self._epochs)) * self._n_held_out

    def _reads(self, epochs: int) -> int:
        return (epochs + self.lead.stages().n_passes) * self.split.train.n_blocks

    @property
    def _n_held_out(self) -> int:
        return 0 if self.split.holdout is None else self.split.holdout.n_blocks

    @property
    def _epochs(self) -> list[int]:
        return [each.experiment.fit.epochs for each in self.built]


@dataclass(frozen=True)
class Refusal:
    """A member that cannot begin, and why."""

    member: Member
    error: Exception


@dataclass(frozen=True)
class Plan:
    """What a sweep is about to do.

    Parameters
    ----------
    groups : tuple of Group
        In the order in which they are run.
    refused : tuple of Refusal
        Members whose config or data are wrong.
    is_shared : bool
        Whether the members of a group learn in one pass; not with a launcher of Hydra's own.
    n_workers : int, optional
        On how many workers of a cluster; 0 where there is none but this process, None where it
        is not known before the cluster is asked.
    """

    groups: tuple[Group, ...]
    refused: tuple[Refusal, ...] = ()
    is_shared: bool = True
    n_workers: int | None = 0

    @property
    def n_shards(self) -> int:
        """How many passes there are, side by side or one after the other."""
        return sum(group.n_shards for group in self.groups)

    @property
    def built(self) -> list[Built]:
        """All members that can begin, by number."""
        found = [each for group in self.groups for each in group.built]
        return sorted(found, key=lambda each: each.member.number)


def dealt(plan: Plan, n_workers: int | None) -> Plan:
    """Deal the members of each group over workers, so that each has something to do.

    Each shard reads the blocks anew, so there are not more than that takes. Members that a
    halving compares while they learn stay together.

    Parameters
    ----------
    plan : Plan
        What is to be run.
    n_workers : int or None
        How many there are; None where that is not known, and nothing is dealt yet.
    """
    n_members = max(sum(len(group.built) for group in plan.groups), 1)
    groups = []
    for group in plan.groups:
        own = len(group.built)
        n = 1 if group.tournament or n_workers is None else round(n_workers * own / n_members)
        groups.append(replace(group, n_shards=max(1, min(own, n))))
    return replace(plan, groups=tuple(groups), n_workers=n_workers)


def planned(members: Sequence[Member], *, is_shared: bool = True) -> Plan:
    """Check and build every member, and put those together that read the same blocks.

    Members share their blocks if they have the same dataset, and so the same split, the same
    stream, preprocessing and seed, and do the same with a bad block: a pass before the first
    epoch is made once for all of them. Metadata of the data are read, rows are not.
    """
    refused: list[Refusal] = []
    together: dict[str, list[Built]] = {}
    for member in members:
        try:
            built = Built(member, *build(member.composed))
            reading = reading_of(member.composed.config, member.composed.sweep)
        except Exception as error:  # noqa: BLE001  (one member must not cost the others)
            refused.append(Refusal(member, error))
        else:
            together.setdefault(reading, []).append(built)
    groups = []
    for each in together.values():
        try:
            groups.append(Group(tuple(each), each[0].experiment.dataset.split()))
        except Exception as error:  # noqa: BLE001
            refused += [Refusal(built.member, error) for built in each]
    return Plan(tuple(groups), tuple(refused), is_shared)


def reading_of(config: DictConfig, sweep: Any = None) -> str:
    """Return a text that is the same for configs which read the same blocks.

    Members of several files, whose ``sweep`` says otherwise how to halve, are kept apart.

    Examples
    --------
    >>> one, other = (OmegaConf.create({"seed": 1, "dataset": {"chunks": n}}) for n in (5, 50))
    >>> reading_of(one) == reading_of(other)
    False
    >>> one.estimator = {"alpha": 0.1}
    >>> reading_of(one) == reading_of(OmegaConf.create({"seed": 1, "dataset": {"chunks": 5}}))
    True
    """
    parts = {key: canonical(plain) for key, plain in _parts(config)}
    return json.dumps([parts, canonical(sweep)], sort_keys=True)


def _parts(config: DictConfig) -> Iterator[tuple[str, Any]]:
    for key in READ_ALIKE:
        node = OmegaConf.select(config, key)
        plain = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
        # The order of the stages matters, which sorted keys would hide.
        is_ordered = key == "preprocessing" and isinstance(plain, dict)
        yield key, [*map(list, plain.items())] if is_ordered else plain  # type: ignore[union-attr]
