"""What is not as it was when a run was recorded."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.config.rebuilt import Difference
from runner.project import project_root
from runner.records import says_where
from runner.reproduction.comparison import DIFFERS, Aspect
from runner.reproduction.record import Kept
from runner.tracking.finding import named
from runner.tracking.git import changed_between
from runner.tracking.tags import STOP_REASON

_FILE = re.compile(r"^diff --git a/.* b/(.*)$", re.MULTILINE)
_MACHINE = {"python": "Python", "platform": "the platform", "cpu": "the processor"}
_SEEDS = ("seed", "random_state")
_CHUNKING = ("dataset.chunks", "stream.buffer_blocks")


@dataclass(frozen=True)
class Cause:
    """Something that changed.

    ``kind`` is what did: data, code, library, machine, threads, cluster, seed, chunking, config,
    file or stop. ``is_effective`` is False of what cannot have changed this run, because the
    recorded config was run and not its file.
    """

    kind: str
    told: str
    is_effective: bool = True

    def __str__(self) -> str:
        """Say it in one line.

        Examples
        --------
        >>> print(Cause("library", "numpy==2.4.5 -> 2.4.6"))
        library changed: numpy==2.4.5 -> 2.4.6
        """
        if self.kind == "file":
            return f"file missing: {self.told}"
        return f"{self.kind} changed: {self.told}"


def causes(
    then: Kept,
    now: Kept,
    compared: Sequence[Aspect],
    given: Sequence[Difference] = (),
    edited: Sequence[Difference] = (),
) -> list[Cause]:
    """Return everything that changed between two runs.

    Parameters
    ----------
    then, now : Kept
        The recorded run, and the one that was to be the same.
    compared : sequence of Aspect
        How they differ.
    given : sequence of Difference
        What the command line changed for the second run.
    edited : sequence of Difference
        What the experiment's file says otherwise since; the second run took the recorded config.
    """
    return [
        *_asked(given),
        *_data(compared, given),
        *_code(then, now),
        *_library(then, now),
        *_machine(then, now),
        *_threads(then, now),
        *_cluster(compared, given),
        *_stop(then, now),
        *_since(edited),
    ]


def _asked(given: Sequence[Difference]) -> Iterator[Cause]:
    for difference in given:
        if not says_where(difference.key):
            yield Cause(_kind_of(difference.key), str(difference))


def _cluster(compared: Sequence[Aspect], given: Sequence[Difference]) -> Iterator[Cause]:
    """Name another place of work where bits differ, which they should do nowhere."""
    elsewhere = [str(each) for each in given if says_where(each.key)]
    if elsewhere and any(aspect.verdict == DIFFERS for aspect in compared):
        yield Cause("cluster", "; ".join(elsewhere))


def _since(edited: Sequence[Difference]) -> Iterator[Cause]:
    for difference in edited:
        told = f"{difference}; the recorded config was run"
        kind = _kind_of(difference.key) if difference.source else "file"
        yield Cause(kind, told, is_effective=False)


def _kind_of(key: str) -> str:
    """Say what a key decides.

    Examples
    --------
    >>> _kind_of("stream.seed"), _kind_of("dataset.chunks"), _kind_of("estimator.alpha")
    ('seed', 'chunking', 'config')
    """
    if key.rpartition(".")[2] in _SEEDS:
        return "seed"
    return "chunking" if key in _CHUNKING else "config"


def _data(compared: Sequence[Aspect], given: Sequence[Difference]) -> Iterator[Cause]:
    data = next(aspect for aspect in compared if aspect.name == "data")
    asked = any(each.key == "seed" or each.key.startswith("dataset.") for each in given)
    if data.verdict == DIFFERS and not asked:
        yield Cause("data", data.told)


def _code(then: Kept, now: Kept) -> Iterator[Cause]:
    before, after = then.environment.get("git"), now.environment.get("git")
    if not before or not after:
        if bool(before) != bool(after):
            when = "then" if before else "now"
            yield Cause("code", f"it is known only {when} which commit of a repository it was")
        return
    files = set(_other(_by_file(then.diff), _by_file(now.diff)))
    files |= set(_other(before.get("untracked_code", {}), after.get("untracked_code", {})))
    old, new = str(before["commit"]), str(after["commit"])
    if old != new:
        files |= set(changed_between(project_root(), old, new) or ())
        told = f"commit {old[:12]} then, {new[:12]} now"
        yield Cause("code", f"{told}: {named(sorted(files))}" if files else told)
    elif files:
        yield Cause("code", named(sorted(files)))


def _by_file(diff: str) -> dict[str, str]:
    r"""Part a diff by file.

    Examples
    --------
    >>> _by_file("diff --git a/x.py b/x.py\n+ 1\ndiff --git a/y.py b/y.py\n+ 2\n")
    {'x.py': '\n+ 1\n', 'y.py': '\n+ 2\n'}
    """
    parts = _FILE.split(diff)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _library(then: Kept, now: Kept) -> Iterator[Cause]:
    before, after = then.requirements, now.requirements
    if before and after:
        for name in sorted(_other(before, after), key=str.lower):
            if name not in before:
                yield Cause("library", f"{name}=={after[name]} is new")
            else:
                yield Cause("library", f"{name}=={before[name]} -> {after.get(name, 'none')}")


def _machine(then: Kept, now: Kept) -> Iterator[Cause]:
    before, after = then.environment, now.environment
    for key, name in _MACHINE.items():
        if key in before and key in after and before[key] != after[key]:
            yield Cause("machine", f"{name} was {before[key]}, is {after[key]}")


def _threads(then: Kept, now: Kept) -> Iterator[Cause]:
    before, after = then.environment, now.environment
    if not before or not after:
        return
    variables = before.get("variables", {}), after.get("variables", {})
    for name in sorted(_other(*variables)):
        old, new = (told.get(name, "not set") for told in variables)
        yield Cause("threads", f"{name} was {old}, is {new}")
    if before.get("cpus") != after.get("cpus"):
        yield Cause("threads", f"{before.get('cpus')} processors then, {after.get('cpus')} now")
    old_pools, new_pools = _pools(before), _pools(after)
    for name in sorted(old_pools.keys() & new_pools.keys()):
        if old_pools[name] != new_pools[name]:
            old, new = (", ".join(sorted(pools[name])) for pools in (old_pools, new_pools))
            yield Cause("threads", f"{name} was {old}, is {new}")


def _pools(environment: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return, by kind, the numerical libraries that were loaded and how many threads each had."""
    found: dict[str, set[str]] = {}
    for pool in environment.get("threads", []):
        n = pool["num_threads"]
        told = (pool.get("version"), pool.get("architecture"), f"{n} thread{'s' * (n != 1)}")
        name = f"{pool['user_api']} ({pool['internal_api']})"
        found.setdefault(name, set()).add(" ".join(str(part) for part in told if part))
    return found


def _stop(then: Kept, now: Kept) -> Iterator[Cause]:
    old, new = (kept.run.tags.get(STOP_REASON, "the last block") for kept in (then, now))
    if old != new:
        yield Cause("stop", f"it was {old}, is {new}")


def _other(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of which two mappings hold something else."""
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield key
