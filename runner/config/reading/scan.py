"""Read a YAML file within budgets, and refuse what is none of its business, before Hydra does."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import yaml
from hydra.plugins.config_source import ConfigSource
from yaml.reader import Reader

from runner.config.reading import syntax
from runner.config.reading.nodes import Nodes, kind_of, place, refuse
from runner.config.reading.references import MOST_MEANT, References
from runner.errors import InvalidConfigError, Problem

MOST_BYTES = 1_000_000
MERGE = "tag:yaml.org,2002:merge"
ON_THE_LINE = ("launcher", "sweeper")


def scanned(path: Path) -> yaml.Node | None:
    """Return the node tree of a file; nothing in it is built, and no alias is expanded.

    Parameters
    ----------
    path : Path
        Told in messages as it is given.

    Returns
    -------
    yaml.Node or None
        A mapping, whose scalars are tagged as OmegaConf would read them; None of an empty file.

    Raises
    ------
    InvalidConfigError
        If it is no YAML, more than a config may be, or says what only code could mean.
    """
    text = text_of(path)
    nodes = Nodes(text, path)
    try:
        root = nodes.get_single_node()
    except yaml.YAMLError as error:
        refuse(*_mistake(path, text, error))
    finally:
        nodes.dispose()
    if root is not None and not isinstance(root, yaml.MappingNode):
        nodes.remark(
            root, "", f"must be keys with values; got {kind_of(root)}", "write key: value"
        )
    if nodes.problems:
        raise InvalidConfigError(nodes.problems)
    if "${" in text and (meant := References(root).meant()) > MOST_MEANT:
        said = f"must mean at most {MOST_MEANT:,} values with all references followed"
        refuse(f"{path}", f"{said}; got {meant:,} or more", "refer to values, not to references")
    return root


def text_of(path: Path) -> str:
    """Return the text of a file that is not too large.

    Raises
    ------
    InvalidConfigError
        If it is no plain file of printable UTF-8, or too large; it is not read then.
    """
    content = _bytes_of(path)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        where = _place_after(path, content[: error.start].decode("utf-8"))
        got = f"the byte 0x{content[error.start]:02x}"
        refuse(where, f"must be UTF-8 text; got {got}", "save it as UTF-8")
    unprintable = Reader.NON_PRINTABLE.search(text)
    if unprintable:
        refuse(
            _place_after(path, text[: unprintable.start()]),
            f"must be text; got the control character {unprintable.group()!r}",
            "remove it, or write it as an escape in double quotes",
        )
    return text


def _bytes_of(path: Path) -> bytes:
    try:  # without O_NONBLOCK a pipe in the file's place would wait for ever
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                kind = stat.filemode(status.st_mode)
                refuse(f"{path}", f"must be a plain file; got the mode {kind}", "name a file")
            content = b"" if status.st_size > MOST_BYTES else file.read(MOST_BYTES + 1)
            size = max(status.st_size, len(content))
    except OSError as error:
        refuse(f"{path}", f"must be readable; got {error.strerror}", "check its path and mode")
    if size > MOST_BYTES:
        said = f"must have at most {MOST_BYTES:,} bytes; got {size:,}"
        refuse(f"{path}", said, "a config holds settings: name a file of data by its path")
    return content


def _place_after(path: Path, before: str) -> str:
    return f"{path}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def _mistake(path: Path, text: str, error: yaml.YAMLError) -> tuple[str, str, str]:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or error)
    where = place(path, mark) if mark else f"{path}"
    if "another document" in problem:
        return where, "must be one document; got another after ---", "make two files of it"
    got, remedy = syntax.told(problem, text[mark.index : mark.index + 1] if mark else "")
    return where, f"must be valid YAML; got {got}", remedy


def entries(node: yaml.Node | None) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Yield the keys and values of a mapping, with those that ``<<`` brings into it."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.tag != MERGE:
            yield key, value
            continue
        for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            yield from entries(merged)


def strict_problems(path: Path, root: yaml.Node | None) -> list[Problem]:
    """Return what an experiment's file must not set, because it acts before any check of ours.

    These are Hydra's own settings, but for the values of ``hydra.sweeper.params``, and files
    outside the folders of options.

    Parameters
    ----------
    path : Path
        Of the file; its header is read again.
    root : yaml.Node or None
        By ``scanned``.
    """
    found = _of_header(path)
    for key, value in entries(root):
        name = str(key.value)
        if name == "defaults":
            listed = value.value if isinstance(value, yaml.SequenceNode) else []
            found += [problem for item in listed for problem in _of_default(path, item)]
        elif name == "hydra":
            found += _of_hydra(path, key, value)
        elif reaches_hydra(name):
            found.append(_foreign(path, key, name))
        elif name == "sweep":
            found += _of_sweep(path, value)
    return found


def climbs(text: str) -> bool:
    """Say whether the name of an option means a file elsewhere than in the folder of its group.

    Examples
    --------
    >>> [climbs(name) for name in ("iris", "own/iris", "../iris", "/etc/x", "~/x", "file://x")]
    [False, False, True, True, True, True]
    """
    return text.startswith(("/", "~")) or "://" in text or ".." in text.split("/")


def reaches_hydra(name: str) -> bool:
    """Say whether a group, package or dotted key is one of Hydra's, however it is written.

    Examples
    --------
    >>> [reaches_hydra(name) for name in ("/hydra/launcher", "dataset@_global_.hydra.x", "hydras")]
    [True, True, False]
    """
    return "hydra" in re.split(r"[./@:\s+~=\[]+", name)


def _of_header(path: Path) -> list[Problem]:
    package = ConfigSource._get_header_dict(text_of(path)[:512]).get("package") or ""  # noqa: SLF001
    if not reaches_hydra(package):
        return []
    said = "must not be set in an experiment's file"
    return [Problem(f"# @package {package}", said, "leave the line out", f"{path}:1:1")]


def _of_default(path: Path, item: yaml.Node) -> list[Problem]:
    if isinstance(item, yaml.ScalarNode):  # one path: the group, and the option as its last part
        return _of_choice(path, item, item.value, [])
    return [
        problem
        for key, value in entries(item)
        for options in [[(node, str(node.value)) for node in scalars(value)]]
        for problem in _of_choice(path, key, str(key.value), options)
    ]


def _of_choice(
    path: Path, key: yaml.Node, group: str, options: list[tuple[yaml.Node, str]]
) -> list[Problem]:
    word = (group.split() or [""])[-1].strip("/")
    bare = word.partition("@")[0]
    if reaches_hydra(group):
        return [_foreign(path, key, bare if reaches_hydra(bare) else word)]
    return [
        _elsewhere(path, bare or "defaults", node, text)
        for node, text in [(key, bare), *options]
        if climbs(text) or "${" in text
    ]


def _of_hydra(path: Path, key: yaml.Node, value: yaml.Node) -> list[Problem]:
    found = [] if isinstance(value, yaml.MappingNode) else [_foreign(path, key, "hydra")]
    for name, inner in entries(value):
        if name.value != "sweeper" or not isinstance(inner, yaml.MappingNode):
            found.append(_foreign(path, name, f"hydra.{name.value}"))
        for part, params in entries(inner) if name.value == "sweeper" else ():
            if part.value == "params":
                found += _of_params(path, params)
            else:
                found.append(_foreign(path, part, f"hydra.sweeper.{part.value}"))
    return found


def _of_params(path: Path, params: yaml.Node, before: str = "") -> list[Problem]:
    found = []
    for key, value in entries(params):
        name = f"{before}{key.value}"
        texts = [str(node.value) for node in scalars(value)]
        if reaches_hydra(name):
            found.append(_foreign(path, key, name))
        elif (
            str(key.value).startswith("_")
            or any("_target_" in text for text in texts)
            or (isinstance(value, yaml.SequenceNode) and _holds_keys(value))
        ):
            said = "must be values of a setting, written as on the command line"
            where = place(path, key.start_mark)
            found.append(Problem(f"hydra.sweeper.params.{name}", said, "use sweep instead", where))
        found += _of_params(path, value, f"{name}.")
        found += _of_swept(path, name, value)
    return found


def _holds_keys(node: yaml.Node) -> bool:
    inner = node.value if isinstance(node, yaml.SequenceNode) else []
    return isinstance(node, yaml.MappingNode) or any(map(_holds_keys, inner))


def _of_sweep(path: Path, node: yaml.Node) -> list[Problem]:
    found = []
    for name, value in entries(node):
        axes = value.value if isinstance(value, yaml.SequenceNode) else [value]
        if name.value in ("grid", "zip", "runs"):
            for key, choices in (pair for axis in axes for pair in entries(axis)):
                found += _of_swept(path, str(key.value), choices)
    return found


def _of_swept(path: Path, key: str, choices: yaml.Node) -> list[Problem]:
    """Return which choices of a group, whose name has no dot, are none of its options."""
    chosen = [] if "." in key else scalars(choices)
    return [
        _elsewhere(path, key, node, text)
        for node in chosen
        for text in str(node.value).split(",")
        if climbs(text.strip(" '\"[]"))
    ]


def scalars(node: yaml.Node) -> list[yaml.Node]:
    """Return the values of a list of any depth, or the one value."""
    if isinstance(node, yaml.SequenceNode):
        return [scalar for item in node.value for scalar in scalars(item)]
    return [node] if isinstance(node, yaml.ScalarNode) else []


def _elsewhere(path: Path, group: str, node: yaml.Node, text: str) -> Problem:
    return Problem(
        group,
        f"must name an option of its group; got {text.strip()}",
        "write the name of a file in the project's conf/, without .. and without references",
        place(path, node.start_mark),
    )


def _foreign(path: Path, node: yaml.Node, key: str) -> Problem:
    parts = re.split("[./]", key)
    known = parts[0] == "hydra" and parts[1:2] in [[name] for name in ON_THE_LINE]
    remedy = f"write hydra/{parts[1]}=... on the command line" if known else "leave it out"
    return Problem(
        key,
        "must not be set in an experiment's file: it acts before the file is checked",
        remedy,
        place(path, node.start_mark),
    )
