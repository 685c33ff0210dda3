"""The defaults list of an experiment's file: which options it chooses, and which it cannot."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from runner.config.reading.scan import entries, scalars
from runner.config.reading.shipped import SELF, chosen_always
from runner.config.reading.sources import call, place_of, text_of
from runner.errors import Problem
from runner.project import LISTED, experiment_files, option_files, option_groups, overlay
from runner.spelling import meant

NULL, TEXT = "tag:yaml.org,2002:null", "tag:yaml.org,2002:str"
_ENTRY = re.compile(r"(?P<words>(?:(?:override|optional)\s+)*)(?P<group>[^\s@]+)(?:@\S*)?")
_left_out: ContextVar[Mapping[Path, frozenset[int]]] = ContextVar(
    "left out", default=MappingProxyType({})
)


def has_option(group: str, option: str) -> bool:
    """Say whether there is such an option."""
    return any((folder / group / f"{option}.yaml").is_file() for folder in overlay("conf"))


def default_problems(
    path: Path, root: yaml.Node | None, lineage: Sequence[str] = ()
) -> tuple[list[Problem], frozenset[int]]:
    """Say what an experiment's file chooses that cannot be chosen.

    Parameters
    ----------
    path : Path
        The file.
    root : yaml.Node
        What it holds.
    lineage : sequence of str
        The experiments, by name, that begin with one another and then with this one, and itself.

    Returns
    -------
    problems : list of Problem
        With their places.
    left_out : frozenset of int
        The items of the list that Hydra could not compose.
    """
    listed = _listed(root)
    if listed is None:
        return [], frozenset()
    file = call(path)
    if not isinstance(listed, yaml.SequenceNode):
        told = Problem(
            "defaults",
            f"must be a list; got {text_of(listed) or 'nothing'}",
            "write it as [{override /estimator: sgd_classifier}]",
            place_of(file, listed),
        )
        return [told], frozenset({-1})
    found: list[Problem] = []
    bad = set()
    first: dict[str, yaml.Node] = {}
    for index, item in enumerate(listed.value):
        here = [*_of_item(item, file), *_of_lineage(item, file, lineage)]
        here = here or list(_of_order(item, file, listed.value[:index]))
        for problem in here or _of_repetition(item, file, first):
            found.append(problem)
            bad.add(index)
    return found, frozenset(bad)


def _of_order(item: yaml.Node, file: str, before: Sequence[yaml.Node]) -> Iterator[Problem]:
    if not _overrides(item) and any(map(_overrides, before)) and text_of(item) != SELF:
        said = f"{text_of(item)} must stand before what overrides"
        yield Problem("defaults", said, "move it up", place_of(file, item))


def _overrides(item: yaml.Node) -> bool:
    return any("override " in str(name.value) for name, _ in entries(item))


def is_unreadable(root: yaml.Node | None) -> bool:
    """Say whether a defaults list, or a name in it, is of a kind that Hydra cannot look at."""
    listed = _listed(root)
    if not isinstance(listed, yaml.SequenceNode):
        return listed is not None and listed.tag == NULL
    named = [value for item in listed.value for _, value in entries(item)]
    options = [scalar for value in named for scalar in scalars(value)]
    is_empty = any(isinstance(item, yaml.ScalarNode) and item.tag == NULL for item in listed.value)
    return is_empty or any(option.tag not in (NULL, TEXT) for option in options)


def parents(root: yaml.Node | None) -> list[str]:
    """Return the experiments that a file begins with, as they are named in its defaults."""
    listed = _listed(root)
    items = listed.value if isinstance(listed, yaml.SequenceNode) else []
    names = [str(item.value) for item in items if isinstance(item, yaml.ScalarNode)]
    return [name for name in names if name in experiment_files()]


def _listed(root: yaml.Node | None) -> yaml.Node | None:
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == "defaults"), None)


def _of_lineage(item: yaml.Node, file: str, lineage: Sequence[str]) -> Iterator[Problem]:
    if isinstance(item, yaml.ScalarNode) and item.value in lineage:
        circle = [*lineage[list(lineage).index(item.value) :], item.value]
        said = f"an experiment must not begin with itself; got {' -> '.join(circle)}"
        yield Problem("defaults", said, "leave the line out", place_of(file, item))


def _of_repetition(item: yaml.Node, file: str, first: dict[str, yaml.Node]) -> Iterator[Problem]:
    """Yield that a group is chosen from again; Hydra would take the last."""
    if not isinstance(item, yaml.MappingNode):
        return
    group = str(item.value[0][0].value).rpartition("/")[2]
    before = first.setdefault(group, item)
    if before is not item:
        said = f"is chosen twice, first in line {before.start_mark.line + 1}"
        remedy = f"keep one; several {group} go into one list" if group in LISTED else "keep one"
        yield Problem(group, said, remedy, place_of(file, item))


def _of_experiment(item: yaml.ScalarNode, file: str) -> Iterator[Problem]:
    text, place, known = str(item.value), place_of(file, item), [*experiment_files(), SELF]
    if item.tag == NULL:
        remedy = "leave the line out, or write `override /estimator: sgd_classifier`"
        yield Problem("defaults", "must choose something; got nothing", remedy, place)
        return
    if text in known:
        return
    text = text.removeprefix("optional ")
    if text in known:
        yield Problem("defaults", f"must not be optional; got {text}", f"write `- {text}`", place)
        return
    if any(sign in text for sign in "/=@ "):
        entry = re.fullmatch(r"(?:\w+ )*/?(?P<group>\w+)\s*[=/ ]\s*(?P<option>\w+)", text)
        example = (entry["group"], entry["option"]) if entry else ("estimator", "sgd_classifier")
        remedy = f"write it as `override /{example[0]}: {example[1]}`"
        yield Problem("defaults", f"{text!r} chooses from no group", remedy, place)
        return
    said = f"there is no experiment {text!r} to begin with"
    yield Problem("defaults", said, meant(text.removesuffix(".yaml"), known), place)


def _of_item(item: yaml.Node, file: str) -> Iterator[Problem]:
    place = place_of(file, item)
    if isinstance(item, yaml.ScalarNode):
        yield from _of_experiment(item, file)
        return
    if not isinstance(item, yaml.MappingNode) or len(item.value) != 1:
        yield Problem(
            "defaults",
            f"must choose from one group an item; got {text_of(item)}",
            "begin each with a line of its own: - override /estimator: sgd_classifier",
            place,
        )
        return
    name, value = item.value[0]
    yield from _of_choice(str(name.value), value, place)


def _of_choice(written: str, value: yaml.Node, place: str) -> Iterator[Problem]:
    entry = _ENTRY.fullmatch(written)
    if entry is None:
        words = re.findall(r"\w+", written) or ["estimator"]
        group = ([word for word in words if word in option_groups()] or words)[-1]
        right = f"override /{group}: {text_of(value)}"
        remedy = f"write it as `{right}`"
        yield Problem("defaults", f"{written!r} chooses from no group", remedy, place)
        return
    group = entry["group"].lstrip("/")
    if "@" in written:
        said = f"{written!r} is for another place than its section"
        remedy = f"write `{written.partition('@')[0]}: {text_of(value)}`"
        yield Problem("defaults", said, remedy, place)
        return
    known = option_groups()
    if group not in known and not option_files(group):
        remedy = f"write `- {text_of(value)}`" if group == "experiment" else meant(group, known)
        yield Problem("defaults", f"there is no group {group!r}", remedy, place)
        return
    overrides = "override" in entry["words"]
    if overrides != (group in chosen_always()) or not entry["group"].startswith("/"):
        right = f"override /{group}" if group in chosen_always() else f"/{group}"
        yield Problem(
            "defaults",
            f"{written!r} does not replace what is chosen already"
            if group in chosen_always()
            else f"{written!r} is not how a group of the project's own is chosen from",
            f"write `{right}: {text_of(value)}`",
            place,
        )
        return
    yield from _of_options(group, value, place)


def _of_options(group: str, value: yaml.Node, place: str) -> Iterator[Problem]:
    if isinstance(value, yaml.SequenceNode) and group in chosen_always() and group not in LISTED:
        remedy = f"to run each of them, write `sweep: {{grid: {{{group}: {text_of(value)}}}}}`"
        yield Problem(group, f"must name one option; got {text_of(value)}", remedy, place)
        return
    options = value.value if isinstance(value, yaml.SequenceNode) else [value]
    for option in options:
        text = str(option.value) if isinstance(option, yaml.ScalarNode) else ""
        is_null = option.tag == NULL
        if "${" in text or (not is_null and text and has_option(group, text)):
            continue
        if is_null or not text:
            yield Problem(
                group,
                f"must name one of its options; got {text_of(option) or 'nothing'}",
                "to keep the usual one, leave the group out; `runner list` shows the options",
                place,
            )
        else:
            known = option_files(group)
            yield Problem(group, f"there is no {text!r} in {group}/", meant(text, known), place)


@contextmanager
def leaving_out(items: Mapping[Path, frozenset[int]]) -> Iterator[None]:
    """Let Hydra compose without these items of the defaults lists of files.

    So that a file with a misspelt option is told its other mistakes, too.
    """
    token = _left_out.set(items)
    try:
        yield
    finally:
        _left_out.reset(token)


def kept(path: Path, defaults: Any) -> Any:
    """Return a defaults list without what is left out of it now."""
    bad = _left_out.get().get(path, frozenset())
    if -1 in bad:
        return []
    return [item for i, item in enumerate(defaults) if i not in bad] if bad else defaults
