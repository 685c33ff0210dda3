"""Options of ``conf/`` and parameters of classes, as tables in Markdown."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from runner.config.signatures.hidden import shown
from runner.config.signatures.signature import TARGET, Signature
from runner.schemas import words

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
HEAD = ("key", "what it takes", "default", "what it is")
MOST_ITEMS = 4
YAML = {"None": "null", "True": "true", "False": "false"}


@dataclass(frozen=True)
class Option:
    """A file of ``conf/``.

    Parameters
    ----------
    group, name : str
        As in ``override /dataset: csv``.
    told : str
        Its first comment, as Markdown.
    node : mapping
        What it sets.
    """

    group: str
    name: str
    told: str
    node: Mapping[str, Any]

    @property
    def target(self) -> str:
        """The class that it names."""
        return str(self.node[TARGET])


def options(group: str) -> list[Option]:
    """Return the options of a group; what is chosen by name is taken out of its name."""
    found = []
    for path in sorted((CONF / group).glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        node = yaml.safe_load(text)
        node = node if TARGET in node else node.get(path.stem, node)
        told = text.partition("\n")[0].removeprefix("# ")
        found.append(Option(group, path.stem, escaped(told).replace(r"\`", "`"), node))
    return found


def own_keys(
    section: str, signature: Signature, alike: list[Option], without: Iterable[str] = ()
) -> str:
    """Return the table of what an option takes; where options differ their defaults do, too."""
    rows = []
    for name in signature.parameters:
        if name in without or not _is_for_files(signature.parameters[name]):
            continue
        values = [option.node.get(name, signature.defaults.get(name)) for option in alike]
        told = row(section, name, signature, values[0])
        differs = any(value != values[0] for value in values)
        rows.append([*told[:2], "the option's", told[3]] if differs else told)
    return keyed(rows) if rows else "It has no keys of its own.\n"


def row(section: str, name: str, signature: Signature, *given: Any) -> Sequence[str]:
    """Return what is said of a parameter; its default is the one given, else the class's."""
    schema = signature.parameters[name]
    if given:
        default = "to be set" if given[0] == "???" else code(given[0])
    else:
        default = "to be set" if name in signature.required else code(signature.defaults[name])
    key = f"{section}.{name}" if section else name
    told = escaped(str(schema.get("description", "")))
    told = re.sub(r"\b(None|True|False)\b", lambda found: f"`{YAML[found[1]]}`", told)
    rule = {key: value for key, value in shown(schema).items() if key != "description"}
    return [f"`{key}`", escaped(words(rule)), default, told]


def keyed(rows: Iterable[Sequence[str]]) -> str:
    """Return a table of keys."""
    return table(HEAD, rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def escaped(text: str) -> str:
    """Return plain text as Markdown that says the same, in a cell of a table too."""
    return re.sub(r"[\\`*\[\]<>|]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)


def plain(value: Any) -> str:
    """Return a value as a file would have it."""
    return value if isinstance(value, str) and re.match(r"[\w${]", value) else json.dumps(value)


def code(value: Any) -> str:
    """Return a value as a file would have it, as code; of a long list the beginning."""
    if isinstance(value, list) and len(value) > MOST_ITEMS:
        return f"`[{', '.join(map(str, value[:MOST_ITEMS]))}, ...]`"
    return f"`{plain(value)}`"


def _is_for_files(schema: Mapping[str, Any]) -> bool:
    """Say whether a parameter is one that a file would set: it is described, and not only null."""
    return "description" in schema and schema.get("type") != "null"
