"""Whether two runs are the same: their data, the order of the blocks, scores and model."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.base import Place
from runner.reproduction.record import Curve, Kept
from runner.tracking.tags import CONTENT, MODEL_HASH, ORDER_HASH

if TYPE_CHECKING:
    import pyarrow as pa

IDENTICAL, DIFFERS, UNKNOWN = "identical", "differs", "unknown"
MOST_TOLD = 4
_LEARNED, _ALL = f"{CONTENT}train", f"{CONTENT}all"
_STEP = ("epoch", "position", "block", "first_row", "last_row", "rows", "mixed")


@dataclass(frozen=True)
class Aspect:
    """What two runs were compared by.

    ``verdict`` is ``IDENTICAL``, ``DIFFERS`` or ``UNKNOWN``; ``told`` says where they differ, or
    why that is unknown, or what is the same.
    """

    name: str
    verdict: str
    told: str = ""


def aspects(then: Kept, now: Kept) -> list[Aspect]:
    """Compare data, order, scores and model, each to the last bit."""
    return [_data(then, now), _order(then, now), _scores(then, now), _model(then, now)]


def _data(then: Kept, now: Kept) -> Aspect:
    before, after = then.run.tags, now.run.tags
    if _LEARNED not in before or _LEARNED not in after:
        return Aspect("data", UNKNOWN, _lacks("content", then, _LEARNED))
    parts = sorted(key for key in {*before, *after} if key.startswith(CONTENT))
    differing = [key for key in parts if before.get(key) != after.get(key)]
    if not differing:
        return Aspect("data", IDENTICAL, before[_LEARNED])
    named = [key.removeprefix(CONTENT) for key in differing if key != _ALL] or ["all"]
    told = first_other_block(then, now) or f"in the part {' and the part '.join(named)}"
    return Aspect("data", DIFFERS, told)


def first_other_block(then: Kept, now: Kept) -> str | None:
    """Say which is the first block of the dataset with another content, with its rows."""
    before, after = _blocks(then.ledger), _blocks(now.ledger)
    for number in sorted({*before, *after}):
        if number not in before or number not in after:
            place, _ = before.get(number) or after[number]
            return f"{place} is learned {'now and was not then' if number in after else 'no more'}"
        (old, content), (new, other) = before[number], after[number]
        if old != new:
            return f"the blocks are cut otherwise: {old} then, {new} now"
        if content != other:
            return f"{new} has another content"
    return None


def _blocks(ledger: "pa.Table | None") -> dict[int, tuple[Place, int]]:
    """Return where each block of the first epoch lies, and the hash of what was read of it."""
    if ledger is None or "content" not in ledger.column_names:
        return {}
    columns = ("epoch", "block", "first_row", "last_row", "content")
    rows = zip(*(ledger[name].to_pylist() for name in columns), strict=True)
    return {
        number: (Place(number, first, last + 1), content)
        for epoch, number, first, last, content in rows
        if epoch == 0 and content is not None
    }


def _order(then: Kept, now: Kept) -> Aspect:
    before, after = then.run.tags.get(ORDER_HASH), now.run.tags.get(ORDER_HASH)
    told = _first_other_step(then.ledger, now.ledger)
    if told is not None:
        return Aspect("order", DIFFERS, told)
    if then.ledger is None or now.ledger is None:
        return Aspect("order", UNKNOWN, f"{_which(then.ledger is None)} keeps no ledger")
    if before != after and None not in (before, after):
        return Aspect("order", DIFFERS, "within the blocks")
    return Aspect("order", IDENTICAL, f"{len(now.ledger):,} blocks")


def _first_other_step(then: "pa.Table | None", now: "pa.Table | None") -> str | None:
    if then is None or now is None:
        return None
    shared = [name for name in _STEP if name in then.column_names and name in now.column_names]
    if then.select(shared).equals(now.select(shared)):
        return None
    for old, new in zip(_steps(then, shared), _steps(now, shared), strict=False):
        if old != new:
            where = f"from epoch {new['epoch']}, position {new['position']} on"
            return f"{where}: {_place(old)} then, {_place(new)} now"
    return f"{len(then):,} blocks were learned then, {len(now):,} now"


def _steps(ledger: "pa.Table", names: list[str]) -> Iterator[dict[str, Any]]:
    for batch in ledger.select(names).to_batches(1000):
        yield from batch.to_pylist()


def _place(step: Mapping[str, Any]) -> Place:
    mixed = tuple(step.get("mixed") or ())
    return Place(step["block"], step["first_row"], step["last_row"] + 1, mixed)


def _scores(then: Kept, now: Kept) -> Aspect:
    before, after = then.run.scores, now.run.scores
    told = [
        f"{name} {_number(before.get(name))} then, {_number(after.get(name))} now"
        for name in dict.fromkeys([*before, *after])
        if not _same(before.get(name), after.get(name))
    ]
    told += _other_curves(then.curves, now.curves)
    if told:
        return Aspect("scores", DIFFERS, _few(told))
    if not after and not now.curves:
        return Aspect("scores", IDENTICAL, "none")
    shown = [f"{name} {score!r}" for name, score in after.items()]
    return Aspect("scores", IDENTICAL, _few(shown) or f"{len(now.curves)} curves")


def _other_curves(then: Mapping[str, Curve], now: Mapping[str, Curve]) -> Iterator[str]:
    for name in dict.fromkeys([*then, *now]):
        before, after = dict(then.get(name, [])), dict(now.get(name, []))
        for rows in sorted({*before, *after}):
            old, new = before.get(rows), after.get(rows)
            if not _same(old, new):
                yield f"{name} from row {rows:,} on: {_number(old)} then, {_number(new)} now"
                break


def _model(then: Kept, now: Kept) -> Aspect:
    before, after = then.run.tags.get(MODEL_HASH), now.run.tags.get(MODEL_HASH)
    if before is None or after is None:
        return Aspect("model", UNKNOWN, _lacks("model", then, MODEL_HASH))
    if before == after:
        return Aspect("model", IDENTICAL, after)
    return Aspect("model", DIFFERS, f"{before} then, {after} now")


def _lacks(what: str, then: Kept, tag: str) -> str:
    return f"{_which(tag not in then.run.tags)} keeps no hash of the {what}"


def _which(is_then: bool) -> str:
    return "the recorded run" if is_then else "the new run"


def _same(old: float | None, new: float | None) -> bool:
    """Say whether two scores are the same number; NaN is itself."""
    return old == new or (old is not None and new is not None and old != old and new != new)  # noqa: PLR0124


def _number(score: float | None) -> str:
    return "none" if score is None else repr(score)


def _few(told: Iterable[str]) -> str:
    """Join the first texts, and count the others.

    Examples
    --------
    >>> _few(["a", "b"]), _few(list("abcdef"))
    ('a, b', 'a, b, c, d and 2 more')
    """
    every = list(told)
    more = len(every) - MOST_TOLD
    return ", ".join(every[:MOST_TOLD]) + (f" and {more} more" if more > 0 else "")
