"""What keeps Hydra from composing an experiment's file at all, told where it stands."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from omegaconf.errors import GrammarParseError
from omegaconf.grammar_parser import parse

from runner.config.checking.hints import NOUNS
from runner.config.reading.scan import entries, scalars, text_of
from runner.config.reading.sources import call, place_of
from runner.config.reading.sources import text_of as shown
from runner.config.written import unquoted
from runner.errors import Problem
from runner.project import LISTED, option_files

SECTIONS = (*NOUNS, "sweep", "sweep.grid", "sweep.zip", "sweep.halving", "tracking.tags")
LISTS = {"sweep.runs": "write it as [{seed: 1}, {seed: 2}]"}
INSTEAD = {
    "sweep": "write it as sweep: {runs: [...]}",
    "sweep.grid": "write it as {estimator.alpha: [1e-3, 1e-4]}",
    "sweep.zip": "write it as {estimator.alpha: [1e-3, 1e-4], fit.epochs: [1, 5]}",
    "sweep.halving": "write it as {first_rows: 1000}",
    "tracking.tags": "write it as tags: {name: value}",
}
LABELS = "fit.class_weight."  # a key may be a label
GLOBAL = "_global_"
_PACKAGE = re.compile(r"#\s*@package[ \t]+(\S+)")


def shape_problems(path: Path, root: yaml.Node | None) -> list[Problem]:
    """Return what cannot be merged with the options, or be read as a reference.

    Parameters
    ----------
    path : Path
        The file.
    root : yaml.Node or None
        What it holds.
    """
    file = call(path)
    return [*_of_package(file, path), *_of_mapping(root, "", file)]


def _of_package(file: str, path: Path) -> Iterator[Problem]:
    for number, line in enumerate(text_of(path).splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            return
        found = _PACKAGE.match(line)
        if found and found[1] != GLOBAL:
            said = f"an experiment's file sets keys of the whole experiment; got {found[1]}"
            remedy = "leave the line out, and write the keys under their section"
            yield Problem("@package", said, remedy, f"{file}:{number}:1")


def _of_mapping(node: yaml.Node | None, before: str, file: str) -> Iterator[Problem]:
    for name, value in entries(node):
        key = f"{before}{name.value}"
        if key == "defaults":
            continue
        problem = _of_key(key, name) or _of_kind(key, value)
        if problem is not None:
            yield Problem(*problem, place_of(file, name))
        elif isinstance(value, yaml.MappingNode):
            yield from _of_mapping(value, f"{key}.", file)
        for scalar in scalars(value):
            yield from _of_reference(key, scalar, file)


def _of_key(key: str, name: yaml.Node) -> tuple[str, str, str] | None:
    kind = name.tag.rpartition(":")[2]
    may_be_boolean = key.startswith(LABELS)
    if kind == "null" or (kind == "bool" and not may_be_boolean):
        value = "null" if kind == "null" else str(unquoted(name.value)).lower()
        read = f"YAML reads {name.value} as {value}" if name.value not in ("", value) else ""
        said = f"must be text as a key; {read or f'got {value}'}"
        return key, said, f"write '{name.value}' in quotes, or another name"
    return None


def _of_kind(key: str, value: yaml.Node) -> tuple[str, str, str] | None:
    noun, _, rest = key.partition(".")
    is_item = noun in LISTED and rest and "." not in rest
    if isinstance(value, yaml.SequenceNode) and (key in SECTIONS or is_item):
        return key, f"must be a section of keys; got {shown(value)}", _instead(key, value)
    if isinstance(value, yaml.MappingNode) and key in LISTS:
        return key, f"must be a list of sections; got {shown(value)}", LISTS[key]
    return None


def _instead(key: str, value: yaml.Node) -> str:
    chosen = [str(node.value) for node in scalars(value)]
    if key in INSTEAD or not chosen or not set(chosen) <= set(option_files(key)):
        return INSTEAD.get(key, f"write it as {key.rpartition('.')[2]}: {{key: value}}")
    option = f"[{', '.join(chosen)}]" if key in LISTED else chosen[0]
    return f"to choose, write `override /{key}: {option}` under defaults"


def _of_reference(key: str, node: yaml.Node, file: str) -> Iterator[Problem]:
    if "${" not in node.value:
        return
    try:
        parse(node.value)
    except GrammarParseError:
        said = f"has a reference that cannot be read; got {shown(node)}"
        yield Problem(key, said, "write it as ${key}, with both braces", place_of(file, node))
