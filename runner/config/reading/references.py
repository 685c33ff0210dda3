"""How much a file means once every reference in it is followed."""

import re
from collections.abc import Iterator
from math import prod

import yaml

MOST_MEANT = 5_000
MOST_BUILT = 20  # values with a reference whose name is made of references
MOST_STEPS = 200  # from a reference to what it refers to, and on
_INNERMOST = re.compile(r"\$\{([^${}]*)\}")
_PART = re.compile(r"[^.\[\]\s]+")
_PATH = re.compile(r"\.*[^\s,:'\"()]+")

Key = tuple[str, ...]


class References:
    """The references of a file, each followed as OmegaConf follows it: anew, wherever it stands.

    Parameters
    ----------
    root : yaml.Node or None
        Of the file, in which no node holds itself.

    Examples
    --------
    >>> References(yaml.compose("{a: 1, b: '${a}', c: ['${b}', '${b}']}")).meant()
    5
    """

    def __init__(self, root: yaml.Node | None) -> None:
        self._nodes: dict[Key, yaml.Node] = {}
        self._within: dict[Key, list[Key]] = {}
        self._meant: dict[Key, int] = {}
        self._built: list[int] = []
        if root is not None:
            self._find(root, ())

    def meant(self) -> int:
        """Return how many references are followed, or values brought by one, in all.

        Where the name of a reference is itself made of references, it may be that of the value
        that means most.
        """
        listed = list(self._nodes)
        total = sum(self._cost(key) - 1 for key in listed if not self._within[key])
        if not self._built:
            return total
        if len(self._built) > MOST_BUILT:
            return 1 << MOST_BUILT
        ways = prod(number + 1 for number in self._built)
        return total + max(self._meant.values()) * ways

    def _find(self, node: yaml.Node, key: Key) -> None:
        self._nodes[key] = node
        self._within[key] = []
        if isinstance(node, yaml.MappingNode):
            pairs = [(str(name.value), value) for name, value in node.value]
        else:
            items = node.value if isinstance(node, yaml.SequenceNode) else []
            pairs = [(str(index), item) for index, item in enumerate(items)]
        for name, value in pairs:
            inner = (*key, *_PART.findall(name)) if not key else (*key, name)
            self._within[key].append(inner)
            self._find(value, inner)

    def _cost(self, key: Key, depth: int = 0) -> int:
        """Return 1, and the cost of what the value at a key holds or refers to."""
        if key in self._meant:
            return self._meant[key]
        self._meant[key] = 1  # of a circle, which OmegaConf refuses itself
        node = self._nodes[key]
        if depth > MOST_STEPS:
            return MOST_MEANT
        following = [*self._within[key]]
        if isinstance(node, yaml.ScalarNode) and "${" in str(node.value):
            following += self._referred(key, str(node.value))
        self._meant[key] = 1 + sum(self._cost(each, depth + 1) for each in following)
        return self._meant[key]

    def _referred(self, key: Key, text: str) -> Iterator[Key]:
        inner = _INNERMOST.findall(text)
        outer = text.count("${") - len(inner)
        if outer:
            self._built.append(outer)
        for reference in inner:
            for path in _PATH.findall(reference):
                name = path.lstrip(".")
                before = key[: len(key) - (len(path) - len(name))] if path != name else ()
                found = (*before, *_PART.findall(name))
                if found in self._nodes:
                    yield found
