"""Which file, line and column set each key of a composed config."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hydra.core.default_element import ResultDefault
from hydra.core.override_parser.types import Override
from hydra.plugins.config_source import ConfigSource

from runner.config.reading.nodes import place
from runner.config.reading.scan import entries, scanned
from runner.config.recipe import shown, without_secret
from runner.project import project_root

MOST_CHARACTERS = 60
DEFAULTS = "defaults"
OF_FILES = ("file", "options", "experiments")  # schemes of Hydra's search path


@dataclass(frozen=True)
class Written:
    """A value that something gave to a key.

    Parameters
    ----------
    place : str
        ``file:line:column``, or what was typed.
    key : str
        Dotted.
    value : str
        As it was written, without secrets, in one line.
    node : yaml.Node, optional
        What stands in the file.
    is_section : bool
        Whether it is merged with what was written before, which anything else replaces.
    """

    place: str
    key: str
    value: str
    node: yaml.Node | None = None
    is_section: bool = False


class Sources:
    """All that was written, in the order in which it counts: the last of a key wins.

    Parameters
    ----------
    written : sequence of Written
        By files first, then by the command line.
    """

    def __init__(self, written: Sequence[Written]) -> None:
        self._by_key: dict[str, list[Written]] = {}
        sections: set[str] = set()
        for each in written:
            if each.key in sections and not each.is_section:
                self._forget_below(each.key)
            self._by_key.setdefault(each.key, []).append(each)
            sections |= set(_around(each.key))

    def _forget_below(self, key: str) -> None:
        for name in [name for name in self._by_key if name.startswith(f"{key}.")]:
            del self._by_key[name]

    def keys(self) -> list[str]:
        """Return every key that was written, sections included."""
        return list(self._by_key)

    def all(self) -> Iterator[Written]:
        """Yield all that was written, key by key."""
        for written in self._by_key.values():
            yield from written

    def writers(self, key: str) -> tuple[Written, ...]:
        """Return who wrote a key, the last of which wins; nothing if nobody did."""
        return tuple(self._by_key.get(key, ()))

    def place(self, key: str) -> str:
        """Return where a key, or else the nearest section around it, was written last.

        Examples
        --------
        >>> sources = Sources([Written("a.yaml:1:1", "fit", "{}"), Written("b:2:3", "seed", "1")])
        >>> sources.place("fit.epochs"), sources.place("seed"), sources.place("name")
        ('a.yaml:1:1', 'b:2:3', '')
        """
        if key not in self._by_key:
            inside = [name for name in self._by_key if name.startswith(f"{key}.")]
            near = (*inside[-1:], *_around(key))
            key = next((name for name in near if name in self._by_key), "")
        return self._by_key[key][-1].place if key else ""


def _around(key: str) -> Iterator[str]:
    """Yield the sections that a key is in, the nearest first."""
    while "." in key:
        key = key.rpartition(".")[0]
        yield key


def file_of(source: ConfigSource, config_path: str) -> Path | None:
    """Return the file of a config that a source of Hydra's search path holds, if it is one."""
    if source.scheme() not in OF_FILES or not source.is_config(config_path):
        return None
    name = config_path.strip("/")
    if source.scheme() == "experiments":
        name = name.removeprefix("experiment/")
    return Path(source.path) / f"{name}.yaml"


def of_files(sources: Sequence[ConfigSource], defaults: Sequence[ResultDefault]) -> list[Written]:
    """Return what the files of a defaults list say, in their order.

    Parameters
    ----------
    sources : sequence of ConfigSource
        Hydra's search path; the first that has a config owns it.
    defaults : sequence of ResultDefault
        What is composed, in order.
    """
    found: list[Written] = []
    for default in defaults:
        path = str(default.config_path)
        owner = next((source for source in sources if source.is_config(path)), None)
        file = file_of(owner, path) if owner is not None else None
        if file is not None:
            found += of_file(file, default.package or "")
    return found


def of_file(file: Path, package: str = "") -> list[Written]:
    """Return what a file says, under the package where Hydra puts it."""
    root = scanned(Path(call(file)))
    prefix = "" if package == "_global_" else package
    return list(_walk(root, prefix, call(file), is_root=True)) if root is not None else []


def _walk(node: yaml.Node, key: str, file: str, *, is_root: bool = False) -> Iterator[Written]:
    for name, value in entries(node):
        text = str(name.value)
        if not (is_root and text == DEFAULTS):
            yield from _item(name, value, f"{key}.{text}" if key else text, file)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _item(item, item, f"{key}.{index}", file)


def _item(at: yaml.Node, value: yaml.Node, key: str, file: str) -> Iterator[Written]:
    told = str(shown(key, text_of(value)))
    yield Written(place_of(file, at), key, told, value, isinstance(value, yaml.MappingNode))
    yield from _walk(value, key, file)


def place_of(file: str, node: yaml.Node) -> str:
    """Return ``file:line:column`` of a node, both counted from 1."""
    return place(file, node.start_mark)


def text_of(node: yaml.Node) -> str:
    """Return a value as it is written, in one line, without what its keys say are secrets.

    Examples
    --------
    >>> text_of(yaml.compose("{a: [1, 'no'], b: {}}"))
    "{a: [1, 'no'], b: {}}"
    """
    if isinstance(node, yaml.ScalarNode):
        text = f"{node.style}{node.value}{node.style}" if node.style in ("'", '"') else node.value
    elif isinstance(node, yaml.MappingNode):
        pairs = (
            f"{text_of(name)}: {shown(str(name.value), text_of(value))}"
            for name, value in node.value
        )
        text = f"{{{', '.join(pairs)}}}"
    else:
        text = f"[{', '.join(text_of(item) for item in node.value)}]"
    text = " ".join(text.split())
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def of_line(overrides: Sequence[Override], typed: Sequence[str]) -> list[Written]:
    """Return what a command line says.

    Parameters
    ----------
    overrides : sequence of Override
        Parsed.
    typed : sequence of str
        The same, as a person wrote it.
    """
    found: list[Written] = []
    for override, text in zip(overrides, typed, strict=True):
        key = override.key_or_group
        place = on_line(text)
        told = without_secret(text).partition("=")[2]
        value = override.value()
        found.append(Written(place, key, told, is_section=isinstance(value, dict)))
        if isinstance(value, dict):
            found += [Written(place, f"{key}.{name}", str(item)) for name, item in _leaves(value)]
    return found


def _leaves(node: dict[Any, Any], key: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        dotted = f"{key}.{name}" if key else str(name)
        yield dotted, shown(dotted, value)
        if isinstance(value, dict):
            yield from _leaves(value, dotted)


def on_line(text: str) -> str:
    """Return the place of what was typed.

    Examples
    --------
    >>> on_line("estimator.alpha=1")
    'command line (estimator.alpha=1)'
    """
    return f"command line ({without_secret(text)})"


def call(path: Path) -> str:
    """Return what a person calls a file: relative to the working directory inside the project."""
    if path.is_relative_to(project_root()):
        return os.path.relpath(path)
    return str(path)
