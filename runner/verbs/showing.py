"""Show what an experiment is composed to, who says so, and where another differs."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from runner.config.words import is_override
from runner.errors import ConfigError, InvalidConfigError, nearest
from runner.verbs.arguments import JSON, check_flags, experiment_of, taken, value_of

if TYPE_CHECKING:
    from runner.config.compose import Composed
    from runner.config.reading.sources import Sources, Written

FLAGS = ("--why", "--diff", JSON)
WINS = "wins"


def show(rest: list[str]) -> int:
    """Write the composed config, what sets one of its keys, or the keys where another differs."""
    is_json, rest = taken(JSON, rest)
    key, words = value_of("--why", "a key", rest)
    other, words = value_of("--diff", "another experiment", words)
    name, overrides = experiment_of("show", words)
    check_flags("show", overrides, FLAGS)
    unknown = [word for word in overrides if not is_override(word)]
    if unknown or (key and other):
        raise ConfigError(
            "`runner show`",
            "show one thing",
            got=f"{name} and {unknown[0]}" if unknown else "--why and --diff",
            remedy="Show one after the other, or compare by `runner show NAME --diff OTHER`.",
        )
    if key:
        _why(name, overrides, key, is_json=is_json)
    elif other:
        _difference(name, overrides, other, is_json=is_json)
    else:
        _composed(name, overrides, is_json=is_json)
    return 0


def _composed(name: str, overrides: Sequence[str], *, is_json: bool) -> None:
    from runner.config.checking.examination import examined
    from runner.config.recipe import recipe, sweep_text
    from runner.terminal import show_config, show_json

    found = examined(name, overrides)
    composed = found.composed
    if found.problems or composed is None:
        raise InvalidConfigError(found.problems)
    if is_json:
        show_json(_values(name, overrides))
        return
    asked = recipe(composed.config, composed.overrides, composed.selection)
    show_config(f"{asked.config}{sweep_text(composed)}")


def _why(name: str, overrides: Sequence[str], key: str, *, is_json: bool) -> None:
    from runner.config.checking.examination import examined

    found = examined(name, overrides)
    written = found.sources.keys()
    if found.problems and not written:
        raise InvalidConfigError(found.problems)
    composed = None if found.composed is None else set(_keys(_containers(found.composed)))
    is_gone = composed is not None and key not in composed
    rows = [
        [WINS if each is _winner(found.sources, below, composed) else "", *_told(each)]
        for below in written
        if below == key
        or (below.startswith(f"{key}.") and not _is_item(found.sources, below))
        or (is_gone and key.startswith(f"{below}."))
        for each in found.sources.writers(below)
        if not _is(each, "mapping")
    ]
    default = "" if rows else _default(name, found.sources, key)
    if is_json:
        _show_json([{"wins": bool(wins), **_named(told)} for wins, *told in rows], default)
    else:
        _show_rows(["", "key", "value", "where"], rows, f"{key}: {default}")


def _named(told: Sequence[str]) -> dict[str, str]:
    return dict(zip(("key", "value", "place"), told, strict=True))


def _show_rows(columns: Sequence[str], rows: Sequence[Sequence[str]], otherwise: str) -> None:
    from runner.terminal import show_table

    if rows:
        show_table(columns, rows)
    else:
        sys.stdout.write(f"{otherwise}\n")


def _show_json(rows: Sequence[Mapping[str, Any]], otherwise: str) -> None:
    from runner.terminal import show_json

    show_json({"keys": rows, "told": None if rows else otherwise})


def _told(written: "Written") -> list[str]:
    return [written.key, written.value, written.place]


def _winner(sources: "Sources", key: str, composed: set[str] | None) -> "Written | None":
    """Return who wrote the value that counts; None of what was composed away."""
    last = sources.writers(key)[-1]
    is_deleted = composed is not None and key not in composed
    return None if is_deleted and "(~" not in last.place else last


def _is_item(sources: "Sources", key: str) -> bool:
    """Say whether a key is a part of a list, which is shown as a whole."""
    parents = accumulate(key.split(".")[:-1], lambda before, part: f"{before}.{part}")
    return any(_is(each, "sequence") for parent in parents for each in sources.writers(parent))


def _is(written: "Written", kind: str) -> bool:
    return getattr(written.node, "id", "") == kind


def _default(name: str, sources: "Sources", key: str) -> str:
    """Say what holds for a key that nothing writes.

    Raises
    ------
    ConfigError
        If there is no such key.
    """
    from json import dumps

    from runner.config.signatures.signature import signature_of
    from runner.spelling import asked, similar

    section, _, last = key.rpartition(".")
    targets = sources.writers(f"{section}._target_")
    signature = signature_of(targets[-1].key, targets[-1].value) if targets else None
    parameters = signature.parameters if signature else {}
    if signature and last in parameters:
        default = signature.defaults.get(last, "one that YAML cannot say")
        return f"nothing sets it; the default of {signature.name} is {dumps(default)}"
    known = [*sources.keys(), *(f"{section}.{parameter}" for parameter in parameters)]
    near = similar(key, known)
    remedy = f"D{asked(near)[1:]}" if near else nearest(key, known)
    raise ConfigError(key, f"be a key that {name} has", got="none of that name", remedy=remedy)


def _containers(composed: "Composed") -> dict[str, Any]:
    from runner.config.checking.resolution import resolved

    return {**resolved(composed.config)[0], "sweep": composed.sweep}


def _keys(node: Any, key: str = "") -> Iterator[str]:
    """Yield every dotted key.

    Examples
    --------
    >>> list(_keys({"sweep": {"grid": {"fit.epochs": [1]}}}))
    ['sweep', 'sweep.grid', 'sweep.grid.fit.epochs', 'sweep.grid.fit.epochs.0']
    """
    if isinstance(node, list):
        node = dict(enumerate(node))
    for name, value in node.items() if isinstance(node, dict) else ():
        below = f"{key}.{name}" if key else str(name)
        yield below
        yield from _keys(value, below)


def _difference(name: str, overrides: Sequence[str], other: str, *, is_json: bool) -> None:
    from runner.config.rebuilt import ABSENT, differences

    found = differences(_values(name, overrides), _values(other, ()))
    rows = [
        (each.key, *("-" if value == ABSENT else value for value in (each.recorded, each.now)))
        for each in found
        if {each.recorded, each.now} != {ABSENT, "{}"}  # it is empty in both
    ]
    columns, none = ["key", f"{name}, changed" if overrides else name, other], "no key differs"
    if is_json:
        _show_json(
            [{"key": key, "value": here, "other": there} for key, here, there in rows], none
        )
    else:
        _show_rows(columns, rows, none)


def _values(name: str, overrides: Sequence[str]) -> dict[str, Any]:
    """Return an experiment as plain containers, its sweep included, without secrets."""
    from runner.config.compose import compose
    from runner.config.messages import in_our_words
    from runner.config.recipe import plain, shown

    with in_our_words():
        composed = compose(name, overrides)
        given = {key: value for key, value in (composed.sweep or {}).items() if value}
        return {**plain(composed.config), "sweep": shown("sweep", given)}
