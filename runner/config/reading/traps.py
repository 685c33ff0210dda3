"""Where YAML 1.1 reads something else than what a person probably meant."""

import re
from collections.abc import Iterator
from dataclasses import replace

import yaml

from runner.config.reading.sources import Sources, place_of
from runner.errors import Problem

_SENSITIVE = re.compile(
    r"(?:^|\.)(?:partial_fit\.classes|fit\.class_weight"
    r"|dataset\.(?:path|target|features|sample_weight|X|y))(?:\.\d+)*$"
)
_NUMBER = re.compile(
    r"[-+]?(?:0|[1-9]\d*)(?:\.\d*)?(?:e[-+]?\d+)?|[-+]?\.\d+(?:e[-+]?\d+)?", re.IGNORECASE
)
_ODD = re.compile(r"[-+]?0\d[\d_]*|[-+]?[\d_]+(?::[0-5]?\d)+(?:\.\d*)?")  # octal, base 60
_NO_NUMBER = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_BOOL, _INT, _FLOAT, _STR = (
    f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "str")
)


def misread(node: yaml.Node | None) -> tuple[str, str] | None:
    """Return how YAML reads a plain scalar and what to write, if it is not read as it looks.

    Examples
    --------
    >>> misread(yaml.compose("no"))
    ('YAML reads no as false', "write 'no' in quotes, or false")
    >>> misread(yaml.compose("010"))
    ('YAML reads 010 as 8', "write '010' in quotes, or 8")
    >>> misread(yaml.compose("nan"))
    ('YAML reads nan as text', "write .nan for the number, or 'nan' in quotes")
    >>> misread(yaml.compose("'no'")), misread(yaml.compose("true")), misread(yaml.compose("1e-4"))
    (None, None, None)
    """
    if not isinstance(node, yaml.ScalarNode) or node.style:
        return None
    text = node.value
    if _NO_NUMBER.fullmatch(text) and node.tag == _STR:
        sign = text[0] if text[0] in "+-" else ""
        number = ".nan" if text.lower().endswith("nan") else f"{sign}.inf"
        return (
            f"YAML reads {text} as text",
            f"write {number} for the number, or '{text}' in quotes",
        )
    if (node.tag == _BOOL and text.lower() not in ("true", "false")) or (
        node.tag in (_INT, _FLOAT) and not _NUMBER.fullmatch(text) and not text.startswith(".")
    ):
        value = yaml.safe_load(text)
        told = str(value).lower() if isinstance(value, bool) else repr(value)
        return f"YAML reads {text} as {told}", f"write '{text}' in quotes, or {told}"
    return None


def trap_problems(sources: Sources) -> list[Problem]:
    """Return each value that changes its type, where labels, columns and paths are named.

    And numbers that are octal or of base 60, wherever they stand: `010` is 8, and `1:30` is 90.
    """
    found: list[Problem] = []
    for key in sources.keys():  # noqa: SIM118  (it is no mapping)
        written = sources.writers(key)[-1]
        if written.node is None:
            continue
        is_sensitive = _SENSITIVE.search(key) is not None
        if is_sensitive and isinstance(written.node, yaml.MappingNode):
            found += _of_names(key, written.node, written.place)
        told = misread(written.node)
        if told and (is_sensitive or _ODD.fullmatch(str(written.node.value))):
            found.append(Problem(key, *told, written.place))
    return found


def _of_names(key: str, node: yaml.MappingNode, place: str) -> Iterator[Problem]:
    file = place.rsplit(":", 2)[0]
    for name, _ in node.value:
        told = misread(name)
        if told:
            yield Problem(f"{key}.{name.value}", *told, place_of(file, name))


def explained(problem: Problem, sources: Sources) -> Problem:
    """Say of a refused value how YAML reads it, if that is why it is refused."""
    written = sources.writers(problem.key)
    told = misread(written[-1].node) if written else None
    if told is None:
        return problem
    return replace(problem, said=f"{problem.said}, because {told[0]}", remedy=told[1])
