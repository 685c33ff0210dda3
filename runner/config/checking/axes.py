"""What a sweep varies: that each axis names a key, and each of its values may stand there."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from copy import deepcopy
from itertools import islice, product
from typing import Any

from runner.config.checking.axis import Axis
from runner.config.checking.defaults import has_option
from runner.config.checking.hints import NOUNS
from runner.config.checking.typed import MOST_VALUES
from runner.config.checking.validation import UNRESOLVED, problems_of_key
from runner.config.compose import MISSING
from runner.config.signatures.schema import holds, problems_of, under
from runner.config.signatures.signature import HALVING, signature_of
from runner.config.sweep import KEYS, Sweep, bare, flattened
from runner.errors import ConfigError, Problem
from runner.project import option_files
from runner.spelling import meant

_REFERENCE = re.compile(r"\$\{([A-Za-z_][\w.]*)\}")
MOST_COMPOSED = 24

Plain = Mapping[str, Any]
Compose = Callable[[Sequence[str]], Plain | None]


def axis_problems(
    section: Any,
    others: Sequence[Axis],
    base: Plain,
    compose: Compose,
    decided: Set[str] = frozenset(),
) -> list[Problem]:
    """Say what is wrong with the section ``sweep``, and with what is swept over besides.

    Parameters
    ----------
    section : object
        The section as plain containers.
    others : sequence of Axis
        Of the command line, and of ``hydra.sweeper.params``.
    base : mapping
        The composed config without them.
    compose : callable
        Composes it with other options; None where this fails.
    decided : set of str
        Keys that the command line sets, which are not swept over then.
    """
    found = _of_section(section)
    try:
        sweep = Sweep.from_plain(section).without(decided)
    except ConfigError as error:
        return found or [*error.problems]
    shared = [*_axes(sweep.grid, "sweep.grid"), *_axes(sweep.zip, "sweep.zip"), *others]
    runs = [_singles(run, f"sweep.runs.{index}") for index, run in enumerate(sweep.runs)]
    told: dict[str, Problem] = {}
    compose = _once(compose)
    for run in (runs or [[]])[:MOST_VALUES]:
        for problem in _of_axes([*run, *shared], base, compose):
            told.setdefault(problem.key, problem)
    return found + list(told.values())


def _once(compose: Compose) -> Compose:
    """Compose each choice once, and no more of them than are worth the time."""
    known: dict[tuple[str, ...], Plain | None] = {}

    def composed(choices: Sequence[str]) -> Plain | None:
        key = tuple(choices)
        if key not in known:
            known[key] = compose(choices) if len(known) < MOST_COMPOSED else None
        return known[key]

    return composed


def swept(section: Any, others: Sequence[Axis]) -> frozenset[str]:
    """Return the keys that a sweep gives their values; none where it is wrong."""
    try:
        return frozenset(Sweep.from_plain(section).keys() | {axis.key for axis in others})
    except ConfigError:
        return frozenset()


def _axes(part: Mapping[str, list[Any]], at: str) -> list[Axis]:
    return [Axis(bare(key), values, f"{at}.{key}") for key, values in part.items()]


def _singles(run: Mapping[str, Any], at: str) -> list[Axis]:
    return [Axis(bare(key), [value], f"{at}.{key}", is_listed=False) for key, value in run.items()]


def _of_section(section: Any) -> list[Problem]:
    if not isinstance(section, Mapping):
        return []
    found = [
        Problem(f"sweep.{name}", f"a sweep has no key {str(name)!r}", _meant(str(name)))
        for name in section
        if name not in KEYS
    ]
    halving = section.get("halving")
    if isinstance(halving, Mapping):
        signature = signature_of("sweep.halving", HALVING)
        own = problems_of(signature, dict(halving), _refers)
        found += [under("sweep.halving", problem) for problem in own]
    return found


def _meant(name: str) -> str:
    """Say which key of a sweep was meant, or that a setting stands under one of them."""
    is_setting = name.partition(".")[0] in (*NOUNS, "seed", "name")
    return f"write it as grid: {{{name}: [...]}}" if is_setting else meant(name, KEYS)


def _of_axes(axes: Sequence[Axis], base: Plain, compose: Compose) -> Iterator[Problem]:
    choosing = [axis for axis in axes if axis.chooses]
    for axis in choosing:
        yield from _of_options(axis)
    bases = list(_bases(choosing, base, compose))
    for axis in axes:
        if axis not in choosing:
            yield from _of_values(axis, bases)


def _of_options(axis: Axis) -> Iterator[Problem]:
    for index, value in enumerate(axis.values):
        for name in [value] if isinstance(value, str) else value:
            if not has_option(axis.key, name) and "${" not in name:
                said = f"there is no {name!r} in {axis.key}/"
                yield Problem(_at(axis, index), said, meant(name, option_files(axis.key)))


def _at(axis: Axis, index: int) -> str:
    return f"{axis.at}.{index}" if axis.is_listed else axis.at


def _bases(choosing: Sequence[Axis], base: Plain, compose: Compose) -> Iterator[Plain]:
    if not choosing:
        yield base
        return
    for values in islice(product(*(axis.values for axis in choosing)), MOST_COMPOSED):
        pairs = zip(choosing, values, strict=True)
        composed = compose([f"{axis.key}={_written(value)}" for axis, value in pairs])
        if composed is not None:
            yield composed


def _written(value: Any) -> str:
    return value if isinstance(value, str) else f"[{','.join(value)}]"


def _of_values(axis: Axis, bases: Sequence[Plain]) -> Iterator[Problem]:
    """Yield, of each value, what no base accepts; of a key that none has, this once."""
    values = list(axis.values[:MOST_VALUES]) or [UNRESOLVED]
    judged = [(base, {_what(each) for each in problems_of_key(base, axis.key)}) for base in bases]
    for index, value in enumerate(values):
        lost = _lost(value, bases)
        if lost:
            said = f"${{{lost}}} refers to nothing"
            known = [key for key, _ in flattened(bases[0])]
            yield Problem(_at(axis, index), said, meant(lost, known))
        new = _refused(axis.key, UNRESOLVED if holds(value, _refers) else value, judged)
        if new:
            problem = new[0]
            is_value = problem.key.startswith(axis.key) and "has no" not in problem.said
            at = _at(axis, index) if is_value else axis.at
            yield Problem(at, problem.said, problem.remedy.replace(problem.key, axis.key))
            if not is_value:
                return


def _lost(value: Any, bases: Sequence[Plain]) -> str:
    """Return the first key that a text refers to and no base has, "" if there is none."""
    named = _REFERENCE.findall(value) if isinstance(value, str) else []
    for key in named if bases else ():
        if not any(_has(base, key.split(".")) for base in bases):
            return str(key)
    return ""


def _has(node: Any, names: Sequence[str]) -> bool:
    for name in names:
        if not isinstance(node, Mapping) or name not in node:
            return False
        node = node[name]
    return True


def _refers(value: Any) -> bool:
    return isinstance(value, str) and ("${" in value or value == MISSING)


def _refused(
    key: str, value: Any, known: Sequence[tuple[Plain, Set[tuple[str, str]]]]
) -> list[Problem]:
    """Return what is wrong with a value by the first base, unless another accepts it.

    What is wrong with a base whatever the value is stands beside it, and is not told again.
    """
    first: list[Problem] = []
    for base, before in known:
        after = problems_of_key(_with(base, key, value), key)
        new = [each for each in after if _what(each) not in before]
        if not new:
            return []
        first = first or new
    return first


def _what(problem: Problem) -> tuple[str, str]:
    """Return what tells two problems apart; what is not chosen is that whatever is there."""
    is_absent = problem.said.startswith("must be chosen")
    return problem.key, "" if is_absent else problem.said


def _with(base: Plain, key: str, value: Any) -> dict[str, Any]:
    first, *rest = key.split(".")
    config = dict(base)
    if not rest:
        config[first] = _merged(config.get(first), value)
        return config
    config[first] = section = deepcopy(config.get(first))
    if not isinstance(section, dict):
        config[first] = section = {}
    for name in rest[:-1]:
        inner = section.get(name)
        if not isinstance(inner, dict):
            section[name] = inner = {}
        section = inner
    section[rest[-1]] = _merged(section.get(rest[-1]), value)
    return config


def _merged(node: Any, value: Any) -> Any:
    """Return what becomes of a node that is set to a value: of two sections, both."""
    if not isinstance(node, Mapping) or not isinstance(value, Mapping):
        return value
    return {**node, **{name: _merged(node.get(name), each) for name, each in value.items()}}
