"""The members of a sweep, and what to call them."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from runner.config.sweep import Sweep, bare

MOST_CHARACTERS = 120

Given = Mapping[str, Any]


def expand(sweep: Sweep) -> list[dict[str, Any]]:
    """Return what each member sets: runs x zip x grid, the last key of the grid varying fastest.

    Of equal members the first is kept. An empty sweep has one member, which sets nothing.

    Examples
    --------
    >>> sweep = Sweep(grid={"seed": [1, 2]}, zip={"fit.epochs": [1, 9], "dataset.chunks": [5, 7]})
    >>> for member in expand(sweep):
    ...     print(member)
    {'fit.epochs': 1, 'dataset.chunks': 5, 'seed': 1}
    {'fit.epochs': 1, 'dataset.chunks': 5, 'seed': 2}
    {'fit.epochs': 9, 'dataset.chunks': 7, 'seed': 1}
    {'fit.epochs': 9, 'dataset.chunks': 7, 'seed': 2}
    """
    runs = sweep.runs or ({},)
    pairs = [
        dict(zip(sweep.zip, values, strict=True))
        for values in zip(*sweep.zip.values(), strict=True)
    ]
    grid = [dict(zip(sweep.grid, values, strict=True)) for values in product(*sweep.grid.values())]
    return distinct([{**a, **b, **c} for a, b, c in product(runs, pairs or [{}], grid)])


def distinct(members: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the first of members that set the same values.

    Examples
    --------
    >>> distinct([{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": True, "b": 2}])
    [{'a': 1, 'b': 2}, {'a': True, 'b': 2}]
    """
    kept: dict[str, dict[str, Any]] = {}
    for member in members:
        kept.setdefault(repr(sorted(member.items(), key=lambda item: item[0])), member)
    return list(kept.values())


def differing(members: Sequence[Given]) -> list[str]:
    """Return the keys that not all members set, or not to the same; of one member all keys.

    Examples
    --------
    >>> differing([{"seed": 1, "fit.epochs": 5}, {"seed": 2, "fit.epochs": 5}])
    ['seed']
    """
    keys = dict.fromkeys(key for member in members for key in member)
    if len(members) == 1:
        return list(keys)
    return [key for key in keys if len({_identity(member, key) for member in members}) > 1]


def _identity(member: Given, key: str) -> str | None:
    return repr(member[key]) if key in member else None


def names(members: Sequence[Given]) -> list[str]:
    """Call each member by its number, from 0, and what it sets differently.

    A key is told by as many of its last words as tell it from the others.

    Examples
    --------
    >>> names([{"estimator.alpha": 1e-3, "fit.epochs": 5}, {"estimator.alpha": 1e-4}])
    ['0: alpha=0.001, epochs=5', '1: alpha=0.0001']
    """
    labels = _labels(differing(members))
    found = []
    for number, member in enumerate(members):
        told = [f"{label}={_told(member[key])}" for key, label in labels.items() if key in member]
        found.append(_cut(f"{number}: {', '.join(told)}" if told else str(number)))
    return found


def _labels(keys: Sequence[str]) -> dict[str, str]:
    ends = {key: _ends(key) for key in keys}
    return {
        key: next(
            (
                end
                for end in ends[key]
                if not any(end in others for other, others in ends.items() if other != key)
            ),
            bare(key),
        )
        for key in keys
    }


def _ends(key: str) -> list[str]:
    words = bare(key).split(".")
    return [".".join(words[start:]) for start in reversed(range(len(words)))]


def _told(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_told, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_told(item)}' for name, item in value.items())}}}"
    return " ".join(str(value).split())


def _cut(name: str) -> str:
    return name if len(name) <= MOST_CHARACTERS else f"{name[: MOST_CHARACTERS - 1]}…"
