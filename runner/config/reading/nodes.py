"""The nodes of a YAML text, composed within budgets."""

from pathlib import Path
from typing import Any, NoReturn

import yaml
from omegaconf._utils import get_yaml_loader
from yaml.composer import Composer
from yaml.resolver import Resolver

from runner.errors import InvalidConfigError, Problem

MOST_ALIASES = 100
MOST_NODES = 10_000
MOST_DEPTH = 50
MOST_CHARACTERS = 100_000
MOST_DIGITS = 100
MOST_IN_REFERENCE = 2_000
MOST_REFERENCES = 20
MOST_PROBLEMS = 50

_KINDS = {"scalar": "text", "sequence": "a list", "mapping": "keys with values"}
_PREFIX = "tag:yaml.org,2002:"
_CORE = {
    yaml.ScalarNode: ("str", "int", "float", "bool", "null"),
    yaml.SequenceNode: ("seq",),
    yaml.MappingNode: ("map",),
}
_IN_C = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it was compiled


def place(path: Path | str, mark: Any) -> str:
    """Return ``file:line:column``, as editors count."""
    return f"{path}:{mark.line + 1}:{mark.column + 1}"


def kind_of(node: Any) -> str:
    """Say in words what a node is."""
    return _KINDS[node.id]


def refuse(where: str, said: str, remedy: str) -> NoReturn:
    """Raise ``InvalidConfigError`` with the one problem that ends the reading."""
    raise InvalidConfigError([Problem("", said, remedy, where)])


class Nodes(Composer, Resolver):
    """PyYAML's composer of nodes, within budgets.

    What an alias stands for is measured when its anchor ends, so a node that holds a billion
    others by aliases of aliases costs no more than one that holds ten.

    Parameters
    ----------
    text : str
    path : Path
        Of the file, for messages.

    Attributes
    ----------
    problems : list of Problem
        What is wrong and did not end the reading.
    """

    yaml_implicit_resolvers = get_yaml_loader().yaml_implicit_resolvers

    def __init__(self, text: str, path: Path) -> None:
        Composer.__init__(self)
        Resolver.__init__(self)
        events = _IN_C(text)
        self.check_event, self.get_event = events.check_event, events.get_event
        self.peek_event, self.dispose = events.peek_event, events.dispose
        self.path = path
        self.problems: list[Problem] = []
        self._depth = self._aliases = self._nodes = 0
        self._measured: dict[int, tuple[int, int]] = {}  # nodes and depth, by identity

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose the next node, if that is within the budgets."""
        event: Any = self.peek_event()
        self._depth += 1
        self._nodes += 1
        self._within(event, "have", self._nodes, MOST_NODES, "values")
        self._within(event, "be nested", self._depth, MOST_DEPTH, "levels deep")
        self._before(event)
        node = super().compose_node(parent, index)
        if isinstance(event, yaml.AliasEvent):
            self._of_alias(event, node)
        else:
            self._of_node(event, node)
        self._depth -= 1
        return node

    def _before(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._aliases += 1
            self._within(event, "have", self._aliases, MOST_ALIASES, "aliases")
        elif isinstance(event, yaml.ScalarEvent):
            self._within(event, "have", len(event.value), MOST_CHARACTERS, "characters in a value")

    def _of_alias(self, event: Any, node: Any) -> None:
        if id(node) not in self._measured:
            said = f"must not hold itself; got *{event.anchor}"
            refuse(place(self.path, event.start_mark), said, "write out what is meant")
        nodes, depth = self._measured[id(node)]
        self._within(event, "mean", nodes, MOST_NODES, "values with all aliases written out")
        self._within(event, "be nested", self._depth + depth - 1, MOST_DEPTH, "levels deep")

    def _of_node(self, event: Any, node: Any) -> None:
        within = node.value if isinstance(node, yaml.CollectionNode) else []
        pairs = isinstance(node, yaml.MappingNode)
        each = [child for pair in within for child in pair] if pairs else within
        sizes = [self._measured[id(child)] for child in each]
        nodes = 1 + sum(size for size, _ in sizes)
        self._within(event, "mean", nodes, MOST_NODES, "values with all aliases written out")
        self._measured[id(node)] = nodes, 1 + max((depth for _, depth in sizes), default=0)
        self._check_tag(event, node)
        if pairs:
            self._check_keys(node)
        elif isinstance(node, yaml.ScalarNode):
            self._check_scalar(event, node)

    def _check_tag(self, event: Any, node: Any) -> None:
        core = [_PREFIX + name for name in _CORE[type(node)]]
        written = getattr(event, "tag", None) not in (None, "!")
        if written and node.tag not in core:
            tag = node.tag.replace(_PREFIX, "!!")[:60]
            remedy = "leave the tag out: a config holds text, numbers, lists and keys"
            self.remark(node, "", f"must have no tag but YAML's own; got {tag}", remedy)

    def _check_keys(self, node: Any) -> None:
        first: dict[tuple[str, Any], Any] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                said = f"must be a word as a key; got {kind_of(key)}"
                self.remark(key, "", said, "write key: value")
                continue
            before = first.setdefault((key.tag, key.value), key)
            if before is not key:
                said = f"is written twice, first in line {before.start_mark.line + 1}"
                self.remark(key, key.value, said, "keep one of them")

    def _check_scalar(self, event: Any, node: Any) -> None:
        if node.tag in (f"{_PREFIX}int", f"{_PREFIX}float"):
            self._within(event, "have", len(node.value), MOST_DIGITS, "characters in a number")
        references = node.value.count("${")
        if references:
            self._within(event, "have", references, MOST_REFERENCES, "references in a value")
            length = len(node.value)
            self._within(event, "have", length, MOST_IN_REFERENCE, "characters around a reference")

    def _within(self, event: Any, rule: str, got: int, most: int, unit: str) -> None:
        if got > most:
            said = f"must {rule} at most {most:,} {unit}; got {got:,} or more"
            refuse(place(self.path, event.start_mark), said, "a config holds settings: shorten it")

    def remark(self, node: yaml.Node, key: str, said: str, remedy: str) -> None:
        """Keep a problem, and read on unless there are many."""
        self.problems.append(Problem(key, said, remedy, place(self.path, node.start_mark)))
        if len(self.problems) >= MOST_PROBLEMS:
            raise InvalidConfigError(self.problems)
