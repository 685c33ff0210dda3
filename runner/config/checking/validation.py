"""Check a composed config against the names and signatures it refers to; no data is read."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from runner.allow import forbidden_value, resolve, resolve_function
from runner.config.checking import hints
from runner.config.checking.choosing import not_chosen, section_problems, what_is_there
from runner.config.checking.hints import NOUNS
from runner.config.checking.values import value_problems
from runner.config.compose import MISSING
from runner.config.signatures import schema
from runner.config.signatures.schema import holds, problems_of, under
from runner.config.signatures.signature import EXPERIMENT, TARGET, signature_in, signature_of
from runner.config.written import written
from runner.errors import ConfigError, Problem
from runner.project import LISTED
from runner.spelling import meant

FUNCTIONS = ("function", "func", "inverse_func")  # of a dataset, and of a FunctionTransformer
_UNKNOWN = re.compile(r"has no (?:parameter|argument) '(.*)'$")
FITS = {
    "dataset": "a dataset",
    "estimator": "a class with partial_fit, which learns block by block",
    "preprocessing": "a transformer of rows",
    "callbacks": "a callback",
    "stream": "a stream",
    "fit": "the options of a fit",
    "evaluation": "an evaluation",
    "tracking": "what keeps a record",
    "cluster": "a cluster",
    "argument": "an estimator or transformer",
}


class Unresolved:
    """Stands for a value that is not known, because what it refers to is not."""


UNRESOLVED: Final = Unresolved()
CLASSES = "partial_fit.classes"
LATER, PARTIAL = "cluster.made_by", "_partial_"  # what is called when a run begins, and by which


def missing(config: Mapping[str, Any]) -> list[str]:
    """Return the dotted keys whose value is still to be given.

    Examples
    --------
    >>> missing({"dataset": {"path": "???"}, "seed": 3})
    ['dataset.path']
    """
    return [key for key, value in _leaves(config) if isinstance(value, str) and value == MISSING]


def unset(key: str) -> Problem:
    """Return what is said of a key without a value."""
    return under("", schema.unset(key))


def problems(config: Mapping[str, Any]) -> list[Problem]:
    """Return everything that is wrong with a config, each under its dotted key, without places.

    Parameters
    ----------
    config : mapping
        As plain containers; what could not be resolved is ``UNRESOLVED``.
    """
    found = list(_of_root(config))
    for noun in NOUNS:
        found += _of_section(noun, config.get(noun)) or _of_noun(noun, config[noun])
    found += _of_arguments(config)
    told = {each.key for each in found}
    found += [each for each in value_problems(config, _is_not_judged) if each.key not in told]
    return [_hinted(each, config) for each in found]


def problems_of_key(config: Mapping[str, Any], key: str) -> list[Problem]:
    """Return what is wrong at the top of a config, or in the section where a key stands."""
    noun = key.partition(".")[0]
    if noun not in NOUNS:
        return list(_of_root(config))
    section = _of_section(noun, config.get(noun)) or _of_noun(noun, config[noun])
    found = [*section, *_of_arguments(config), *value_problems(config, _is_not_judged)]
    return [_hinted(each, config) for each in found]


def _hinted(problem: Problem, config: Mapping[str, Any]) -> Problem:
    unknown = _UNKNOWN.search(problem.said)
    if unknown is None:
        return problem
    remedy = hints.in_section(unknown[1], problem.key, problem.remedy, config)
    return replace(problem, remedy=remedy)


def _of_root(config: Mapping[str, Any]) -> Iterator[Problem]:
    if config.get(TARGET) != EXPERIMENT:
        yield Problem(
            TARGET,
            f"must be left as it is at the top of a file; got {config.get(TARGET)}",
            "put _target_ under dataset or estimator instead",
        )
    root = signature_of(TARGET, EXPERIMENT)
    own = _own(config)
    for problem in problems_of(root, own, _is_open):
        if problem.key in NOUNS:
            continue  # each is looked at by itself
        if problem.key in root.parameters:
            yield problem
        elif not isinstance(own[problem.key], Unresolved):
            said = f"an experiment has no key {problem.key!r}"
            remedy = hints.at_root(problem.key, list(root.parameters), config)
            yield Problem(problem.key, said, remedy)


def _of_section(noun: str, node: Any) -> list[Problem]:
    return [] if isinstance(node, Unresolved) else section_problems(noun, node)


def _of_noun(noun: str, node: Any) -> list[Problem]:
    if isinstance(node, Unresolved) or noun == "partial_fit":
        return list(_inside(noun, node))
    if noun not in LISTED:
        return list(_of_node(noun, node, noun))
    found: list[Problem] = []
    for name, item in node.items():
        key = f"{noun}.{name}"
        if isinstance(item, Mapping) and TARGET not in item:
            found.append(not_chosen(noun, str(name), node))
        elif "." in str(name):
            said = "must be the name of one; keys with dots are for the command line"
            found.append(Problem(key, said, f"write it as {hints.nested(key)}"))
        else:
            found += _of_node(key, item, noun)
    return found


def _of_node(key: str, node: Any, slot: str) -> Iterator[Problem]:
    """Yield what is wrong with what is to be built, and with what it is built from."""
    if isinstance(node, Unresolved) or (isinstance(node, str) and node == MISSING):
        return
    if not isinstance(node, Mapping):
        yield Problem(
            key,
            f"must be {FITS[slot]}, built from a _target_; got {written(node)}",
            "write its _target_ and its arguments",
        )
        return
    if TARGET not in node:
        yield Problem(
            key,
            f"must have a _target_; got {what_is_there(node)}",
            "choose one of its options; `runner list` shows them",
        )
        return
    named = node[TARGET]
    if isinstance(named, str) and named.strip():
        yield from () if named == MISSING else _of_target(key, named, node, slot)
    elif not isinstance(named, Unresolved):
        said = f"must be the dotted name of a class; got {written(named)}"
        yield Problem(
            f"{key}.{TARGET}", said, "choose one of its options; `runner list` shows them"
        )


def _of_target(key: str, named: str, node: Mapping[str, Any], slot: str) -> Iterator[Problem]:
    try:
        signature = signature_of(f"{key}.{TARGET}", named)
    except ConfigError as error:
        for problem in error.problems:
            yield replace(problem, remedy=hints.of_target(slot, named, problem.remedy))
        return
    if slot not in signature.slots:
        yield Problem(
            f"{key}.{TARGET}",
            f"must be {FITS[slot]}; got {signature.name}",
            "choose one of its options; `runner list` shows them",
        )
        return
    own = _own(node)
    if key == LATER and own.pop(PARTIAL, None) is not True:
        said = f"must be true; got {written(node.get(PARTIAL))}"
        yield Problem(f"{key}.{PARTIAL}", said, "leave it as the option has it")
    found = [under(key, problem) for problem in problems_of(signature, own, _is_open)]
    yield from found
    if slot == "cluster" and not found and not _is_not_judged(own):
        yield from _of_cluster(named, own)
    yield from _of_values(key, named, node)
    yield from _inside(key, node)


def _of_cluster(named: str, own: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield whom a file alone must not let answer this process; nothing is started."""
    try:
        resolve("cluster", named)(**own)
    except ConfigError as error:
        yield from error.problems


def _of_values(key: str, named: str, node: Mapping[str, Any]) -> Iterator[Problem]:
    for name, value in node.items():
        is_built = isinstance(value, Mapping) and TARGET in value
        if name in FUNCTIONS and is_built:
            yield Problem(f"{key}.{name}", "must be the name of a function; got a _target_")
        elif _is_not_judged(value):
            continue
        elif name in FUNCTIONS and isinstance(value, str):
            try:
                resolve_function(f"{key}.{name}", value)
            except ConfigError as error:
                yield from error.problems
        elif reason := forbidden_value(named, str(name), value):
            yield Problem(f"{key}.{name}", reason, "leave it out")


def _inside(key: str, node: Any) -> Iterator[Problem]:
    """Yield what is wrong with what stands in the arguments of something, at any depth."""
    if isinstance(node, Mapping):
        items = [(name, value) for name, value in node.items() if name != TARGET]
    else:
        items = list(enumerate(node)) if isinstance(node, list) else []
    for name, value in items:
        inner = f"{key}.{name}"
        if isinstance(value, Mapping) and TARGET in value:
            yield from _of_node(inner, value, "argument")
        else:
            yield from _inside(inner, value)


def unlabelled(config: Mapping[str, Any]) -> list[Problem]:
    """Return what is said where an estimator must be told its labels to learn, and is not."""
    arguments, signature = config.get("partial_fit"), signature_in(config.get("estimator"))
    if not isinstance(arguments, Mapping) or signature is None or arguments.get("classes"):
        return []
    if "classes" not in (signature.partial_fit or ()):
        return []
    remedy = "write partial_fit: {classes: [0, 1]}, with the labels of y, or {classes: infer}"
    return [Problem(CLASSES, "must be set; got nothing", remedy)]


def _of_arguments(config: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what the estimator's ``partial_fit`` does not take."""
    arguments, signature = config.get("partial_fit"), signature_in(config.get("estimator"))
    if not isinstance(arguments, Mapping) or signature is None:
        return
    if signature.partial_fit is None or signature.partial_fit_is_open:
        return
    for name in arguments:
        if name not in signature.partial_fit:
            yield Problem(
                f"partial_fit.{name}",
                f"{signature.name}.partial_fit has no argument {str(name)!r}",
                meant(str(name), signature.partial_fit)
                if signature.partial_fit
                else "leave it out",
            )


def _own(node: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in node.items() if name != TARGET}


def _is_open(value: Any) -> bool:
    is_built = isinstance(value, Mapping) and TARGET in value
    return (
        isinstance(value, Unresolved) or is_built or (isinstance(value, str) and value == MISSING)
    )


def _is_not_judged(value: Any) -> bool:
    return holds(value, _is_open)


def _leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _leaves(value, f"{key}.{name}" if key else str(name))
    else:
        yield key, node
