"""What differs between recorded runs: params, scores, data, order, model and code."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeVar

from runner.errors import ConfigError, TrackingError
from runner.tracking.curves import curves
from runner.tracking.links import compare_page
from runner.tracking.overlay import Curves
from runner.tracking.record import RecordedRun, find_run
from runner.tracking.store import resolve
from runner.tracking.tags import BEST_RUN, CONTENT, MODEL_HASH, ORDER_HASH

SAME, DIFFERENT, UNKNOWN = "same", "different", "unknown"
_LEARNED = f"{CONTENT}train"
_HASHES = {"data": _LEARNED, "order": ORDER_HASH, "model": MODEL_HASH}
T = TypeVar("T")


@dataclass(frozen=True)
class Comparison:
    """Recorded runs side by side; each tuple holds one value for each run, in their order.

    Parameters
    ----------
    runs : tuple of RecordedRun
        Two or more, each of them once.
    curves : tuple of mapping of str to list of (int, float)
        Of each run its scores over the rows seen, by metric.
    sweeps : mapping of str to RecordedRun
        The sweep that a run stands for as its best member, by the id of that run.
    url : str, optional
        The page that compares them, where the store is a server.
    """

    runs: tuple[RecordedRun, ...]
    curves: tuple[Curves, ...]
    sweeps: Mapping[str, RecordedRun] = field(default_factory=dict)
    url: str | None = None

    @property
    def params(self) -> dict[str, tuple[str | None, ...]]:
        """The params that are not the same in all runs; None where a run has none of that key."""
        every = side_by_side([run.params for run in self.runs])
        return {key: every[key] for key in sorted(every) if len(set(every[key])) > 1}

    @property
    def scores(self) -> dict[str, tuple[float | None, ...]]:
        """The final scores, by scorer."""
        return side_by_side([run.scores for run in self.runs])

    @property
    def differences(self) -> dict[str, tuple[float | None, ...]]:
        """How much greater than the first run's each score is; None where that is no number.

        Scorers keep their sign, so that a greater score is a better one.
        """
        return {
            name: tuple(difference(values[0], value) for value in values)
            for name, values in self.scores.items()
        }

    @property
    def best(self) -> dict[str, tuple[bool, ...]]:
        """Which runs have the greatest score, by scorer; none of them where all have it."""
        return {name: greatest(values) for name, values in self.scores.items()}

    @property
    def hashes(self) -> dict[str, tuple[str | None, ...]]:
        """The hashes of the rows learned, of the order of the blocks, and of the model."""
        return {
            what: tuple(run.tags.get(tag) for run in self.runs) for what, tag in _HASHES.items()
        }

    @property
    def verdicts(self) -> dict[str, tuple[str, ...]]:
        """Whether data, order and model are the first run's: SAME, DIFFERENT or UNKNOWN.

        The data are all parts: what was learned, held out, and kept for validation.
        """
        found = {
            what: tuple(same(hashes[0], each) for each in hashes)
            for what, hashes in self.hashes.items()
        }
        first = self.runs[0].tags
        return found | {"data": tuple(same_data(first, run.tags) for run in self.runs)}


def compare(prefixes: Sequence[str], uri: str | None = None) -> Comparison:
    """Read runs from the record, and put them side by side.

    Parameters
    ----------
    prefixes : sequence of str
        The beginnings of their ids, two or more; a sweep stands for its best member.
    uri : str or None
        The store; the project's own when not given.

    Raises
    ------
    ConfigError
        If there are fewer than two, or two of them are the same run.
    TrackingError
        If one is not in the record, or is a sweep without a best member; or if the store cannot
        be used.
    """
    if len(prefixes) < 2:  # noqa: PLR2004
        raise ConfigError(
            "The runs to compare",
            "be two or more",
            got=", ".join(prefixes) or "none",
            remedy="Write `runner compare A B`; see `runner runs` for the ids.",
        )
    asked = [find_run(prefix, uri) for prefix in prefixes]
    runs = [_best_member(found, uri) if found.is_sweep else found for found in asked]
    ids = [run.run_id for run in runs]
    _refuse_twice(runs, prefixes)
    pairs = zip(ids, asked, strict=True)
    sweeps = {run_id: found for run_id, found in pairs if found.is_sweep}
    base_url = resolve(uri).base_url
    url = base_url and compare_page(base_url, [run.experiment_id for run in runs], ids)
    return Comparison(tuple(runs), tuple(curves(run_id, uri) for run_id in ids), sweeps, url)


def _best_member(sweep: RecordedRun, uri: str | None) -> RecordedRun:
    best = sweep.tags.get(BEST_RUN)
    if best:
        return find_run(best, uri)
    raise TrackingError(
        f"The sweep {sweep.run_id[:8]}",
        "have a best member",
        got="none that finished with a score",
        remedy="Name one of its members; `runner runs --members` shows their ids.",
    )


def _refuse_twice(runs: Sequence[RecordedRun], prefixes: Sequence[str]) -> None:
    for (run, prefix), (other, again) in combinations(zip(runs, prefixes, strict=True), 2):
        if run.run_id == other.run_id:
            raise ConfigError(
                "The runs to compare",
                "be different ones",
                got=f"{prefix} and {again}, which both are {run.run_id[:8]} ({run.name})",
                remedy="Name each once; a sweep stands for its best member.",
            )


def side_by_side(columns: Sequence[Mapping[str, T]]) -> dict[str, tuple[T | None, ...]]:
    """Return, by key, the value in each mapping; None where it has none.

    Examples
    --------
    >>> side_by_side([{"r2": 0.5}, {"r2": 0.25, "max_error": -1.0}])
    {'r2': (0.5, 0.25), 'max_error': (None, -1.0)}
    """
    keys = dict.fromkeys(key for column in columns for key in column)
    return {key: tuple(column.get(key) for column in columns) for key in keys}


def difference(first: float | None, score: float | None) -> float | None:
    """Return how much greater a score is than the first; None where that is no number.

    Examples
    --------
    >>> difference(0.5, 0.75), difference(None, 0.75), difference(float("nan"), 0.75)
    (0.25, None, None)
    """
    if first is None or score is None:
        return None
    found = 0.0 if score == first else score - first
    return None if math.isnan(found) else found


def greatest(scores: Sequence[float | None]) -> tuple[bool, ...]:
    """Say which scores are the greatest; none of them where all are the same.

    Examples
    --------
    >>> greatest([0.5, 0.75, None]), greatest([0.5, 0.5]), greatest([float("nan"), 0.5])
    ((False, True, False), (False, False), (False, True))
    """
    known = [score for score in scores if score is not None and not math.isnan(score)]
    most = max(known, default=None)
    is_greatest = tuple(score is not None and score == most for score in scores)
    return (False,) * len(scores) if all(is_greatest) else is_greatest


def same(first: str | None, other: str | None) -> str:
    """Say whether two hashes are the same.

    Examples
    --------
    >>> same("5f", "5f"), same("5f", "a0"), same("5f", None)
    ('same', 'different', 'unknown')
    """
    if not first or not other:
        return UNKNOWN
    return SAME if first == other else DIFFERENT


def same_data(first: Mapping[str, str], other: Mapping[str, str]) -> str:
    """Say by the tags of two runs whether they saw the same rows in each part.

    Examples
    --------
    >>> train, holdout = {"runner.content.train": "5f"}, {"runner.content.holdout": "a0"}
    >>> same_data(train, train), same_data(train, train | holdout), same_data(train, holdout)
    ('same', 'different', 'unknown')
    """
    learned = same(first.get(_LEARNED), other.get(_LEARNED))
    if learned != SAME:
        return learned
    parts = {key for key in {*first, *other} if key.startswith(CONTENT)}
    return SAME if all(first.get(key) == other.get(key) for key in parts) else DIFFERENT
